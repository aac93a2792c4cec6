"""Which blog a folder belongs to, and which of its files are posts."""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..items import Failure
from .text_files import readable

SUFFIXES = {".md", ".markdown", ".mdown", ".mkd"}
POST_FOLDERS = {"_posts", "_drafts"}

HUGO_CONFIGS = (
    "hugo.toml", "hugo.yaml", "hugo.json", "config.toml", "config.yaml", "config.json", "config/_default",
)  # fmt: skip
# Not writing, whatever the blog is; the second set only where a generator has its own layout.
_NEVER = {"node_modules", "__pycache__", "bower_components"}
_GENERATORS = {"themes", "scaffolds", "archetypes", "layouts", "vendor", "public", "resources"}
# Files about a project; they are posts only when somebody gave them a front matter.
_ABOUT_FILES = {"readme", "changelog", "contributing", "license", "code_of_conduct", "security", "history"}
LEVELS_UP = 5


@dataclass(frozen=True)
class Site:
    """A blog's folders. Paths of items count from `content`; no file outside of `project` is ever read."""

    folder: Path
    content: Path
    project: Path
    kind: str  # "hexo", "jekyll", "hugo" or "plain"
    permalink: str = ""

    @property
    def origin_of_folder(self) -> str:
        return self.folder.relative_to(self.content).as_posix()

    def origin(self, path: Path) -> str:
        """The item's name for people and for matching: relative, in one Unicode form whatever the file system does."""
        return unicodedata.normalize("NFC", readable(path.relative_to(self.content).as_posix()))


def find_site(folder: Path) -> Site:
    """Recognize the blog that `folder` is, or is a part of (its `source`, `content`, `_posts` or what is below)."""
    folder = folder.resolve()
    if (folder / "source/_posts").is_dir() or (folder / "source/_drafts").is_dir():
        return _hexo(folder / "source", folder / "source", folder)
    if (folder / "content").is_dir() and _is_hugo(folder):
        return Site(folder / "content", folder / "content", folder, "hugo")
    above = [folder, *folder.parents][:LEVELS_UP]
    for place in above:
        if place.name in POST_FOLDERS:
            return _hexo(folder, place.parent, _project(place.parent))
        if place.name == "content" and (_is_hugo(place.parent) or (place.parent / "static").is_dir()):
            return Site(folder, place, place.parent, "hugo")
    if any((folder / name).is_dir() for name in POST_FOLDERS):
        return _hexo(folder, folder, _project(folder))
    return Site(folder, folder, folder, "plain")


def _is_hugo(folder: Path) -> bool:
    return any((folder / name).exists() for name in HUGO_CONFIGS)


def _project(content: Path) -> Path:
    return content.parent if content.name == "source" and (content.parent / "_config.yml").is_file() else content


def _hexo(folder: Path, content: Path, project: Path) -> Site:
    jekyll = any(path.name[:4].isdigit() and _is_jekyll_name(path.name) for path in _some(content / "_posts"))
    return Site(folder, content, project, "jekyll" if jekyll else "hexo", _permalink(project))


def _is_jekyll_name(name: str) -> bool:
    return bool(re.match(r"\d{4}-\d{1,2}-\d{1,2}-.", name))


def _some(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:200]
    except OSError:
        return []


def _permalink(project: Path) -> str:
    """The pattern of the blog's own configuration, by which its posts' old addresses are known."""
    try:
        with (project / "_config.yml").open(encoding="utf-8") as file:
            source = file.read(200_000)
        # Only the one line: the rest is none of our business and may be anything.
        line = next((line for line in source.splitlines() if line.startswith("permalink:")), "")
        value = yaml.safe_load(line) if line else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError):
        return ""
    return str(value["permalink"] or "") if isinstance(value, dict) else ""


def list_files(site: Site) -> Iterator[Path | Failure]:
    """Every Markdown file of the folder in the order of names, and a word on what was passed by."""
    found: list[tuple[str, Path | Failure]] = []

    def unreadable(error: OSError) -> None:
        path = Path(error.filename)
        found.append((str(path), Failure(site.origin(path), f"the folder can't be read ({error.strerror})")))

    for name, folders, files in os.walk(site.folder, onerror=unreadable, followlinks=False):
        here = Path(name)
        for folder in folders:
            if (here / folder).is_symlink() and not _is_ignored(site, here, folder):
                failure = Failure(site.origin(here / folder), "a symbolic link, not followed", skipped=True)
                found.append((str(here / folder), failure))
        folders[:] = [folder for folder in folders if not _is_ignored(site, here, folder)]
        for file in files:
            path = here / file
            if path.suffix.lower() not in SUFFIXES or file.startswith("."):
                continue
            if path.is_symlink():
                found.append((str(path), Failure(site.origin(path), "a symbolic link, not followed", skipped=True)))
            elif path.is_file():
                found.append((str(path), path))
    for _name, entry in sorted(found, key=lambda pair: pair[0].split(os.sep)):
        yield entry


def _is_ignored(site: Site, here: Path, name: str) -> bool:
    if name.startswith(".") or name in _NEVER:
        return True
    if site.kind == "plain":
        return False
    if name.startswith("_") and site.kind != "hugo":
        return name not in POST_FOLDERS and not POST_FOLDERS & set(here.relative_to(site.content).parts)
    return name in _GENERATORS and here == site.content


def is_about_the_project(path: Path) -> bool:
    return path.stem.lower() in _ABOUT_FILES
