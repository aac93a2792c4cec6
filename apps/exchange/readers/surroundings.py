"""The visibility of a file by its blog's configuration and folders: keys that it inherits, and places."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import translate
from functools import cache
from pathlib import Path, PurePosixPath

from ..items import Reason, Unreadable
from . import front_matter, plain_yaml
from .held_back import DRAFT, Layer
from .scanner import tokens
from .sites import HUGO_CONFIGS, LEVELS_UP, POST_FOLDERS, Site
from .text_files import decode

_MAX_CONFIG_BYTES = 1_000_000
# Folders whose name says it where no generator does.
_HELD_FOLDERS = {
    "draft",
    "drafts",
    "private",
    "unpublished",
    "hidden",
    "trash",
    "草稿",
    "草稿箱",
    "私密",
    "私人",
    "未发布",
}
_TEMPLATE_FOLDERS = {"template", "templates", "模板"}
# Programs that publish notes by rules of their own, by a file of theirs.
_PUBLISHERS = (
    *(
        "astro.config.*",
        "quartz.config.ts",
        "mkdocs.yml",
        ".vitepress",
        "docs/.vitepress",
        ".vuepress",
        "docs/.vuepress",
    ),
    *("pelicanconf.py", "eleventy.config.*", ".eleventy.js", "docusaurus.config.*", "gatsby-config.*"),
)
_TEMPLATE_SETTINGS = {
    ".obsidian/templates.json": "folder",
    ".obsidian/plugins/templater-obsidian/data.json": "templates_folder",
}
_WIKILINK = re.compile(r"\[\[([^\[\]|#^\n]+)(?:[|#^][^\[\]\n]*)?\]\]")
_NOTION_NAME = re.compile(r".* [0-9a-f]{32}")
_PELICAN_STATUS = re.compile(r"DEFAULT_METADATA\s*=\s*\{[^}]*?['\"]status['\"]\s*:\s*['\"](\w+)['\"]")


class Surroundings:
    """Of one site; `names` are the names its files may be linked by, lower case. Reads configuration once."""

    def __init__(self, site: Site, files: list[Path], names: set[str]) -> None:
        self.site = site
        self.unreadable: list[str] = []
        self.config = self._config()
        self.section = cache(_section)
        self.vaults: list[Path] = []
        self.is_vault = False
        if site.kind == "plain" and not any(next(site.project.glob(name), None) for name in _PUBLISHERS):
            places = {*_above(site.folder), *(folder for path in files for folder in self._folders(path))}
            self.vaults = [place for place in places if _is_vault(place)]
            self.is_vault = bool(self.vaults) or any(_links_to(path, names) for path in files)
        self.templates = [folder for vault in self.vaults for folder in _template_folders(vault)]

    def layers(self, path: Path) -> Iterator[Layer]:
        """The keys that the file inherits, the nearest first."""
        if self.site.kind == "hugo":
            for folder in self._folders(path):
                for name, keys in self.section(folder):
                    yield from self._cascade(keys, f"{self.site.origin(folder / name)}: cascade", path)
            yield from self._cascade(self.config, "the site's cascade", path)
        elif self.site.kind == "plain":
            for folder in self._folders(path):
                for name in (f"{folder.name}.json", f"{folder.name}.11tydata.json"):
                    yield Layer(_load(folder / name) or {}, name)
            if pelican := self.config.get("pelican"):
                yield Layer({"status": pelican}, "pelicanconf.py")
        else:
            yield from self._defaults(path)

    def passwords(self) -> dict[str, str]:
        """Tag -> password, as hexo-blog-encrypt has them in the configuration."""
        encrypt = self.config.get("encrypt") if self.site.kind in {"hexo", "jekyll"} else None
        tags = encrypt.get("tags") if isinstance(encrypt, dict) else None
        entries = tags if isinstance(tags, list) else []
        return {
            str(entry["name"]): str(entry.get("password") or "")
            for entry in entries
            if isinstance(entry, dict) and "name" in entry
        }

    def reasons(self, path: Path, *, says_publish: bool) -> Iterator[Reason]:
        """Why the file's place alone holds it back."""
        parts = PurePosixPath(self.site.origin(path)).parts
        folders = parts[:-1]
        for name in self.unreadable:
            yield Reason(DRAFT, "configuration", f"{name} can't be read")
        if "_drafts" in folders:
            yield Reason(DRAFT, "_drafts", "in _drafts")
        if self.site.kind != "hugo" and (name := next((part for part in parts if _is_private_name(part)), "")):
            yield Reason(DRAFT, "_", f"{name} begins with _")
        if self.site.kind == "hugo" and self._is_resource(path):
            yield Reason(DRAFT, "resource", "a part of the bundle it lies in")
        if pattern := self._left_out(parts):
            yield Reason(DRAFT, "exclude", f"left out by the configuration: {pattern}")
        if self.site.kind == "plain":
            if name := next((part for part in folders if part.lower() in _HELD_FOLDERS | _TEMPLATE_FOLDERS), ""):
                yield Reason(DRAFT, name, f"in the folder {name}")
            if not says_publish and self.is_vault:
                yield Reason(DRAFT, "vault", "a note of a vault, without publish: true")
            elif not says_publish and is_from_notion(path):
                yield Reason(DRAFT, "Notion", "a note of Notion's, without Status: Published")

    def is_template(self, path: Path) -> bool:
        """Tell whether the file is one of a vault's templates."""
        folders = {part.lower() for part in path.relative_to(self.site.content).parts[:-1]}
        named = self.is_vault and bool(_TEMPLATE_FOLDERS & folders)
        return named or any(path.is_relative_to(place) for place in self.templates)

    # -- Hugo ------------------------------------------------------------------------------------------------------

    def _folders(self, path: Path) -> list[Path]:
        """The folders between the file and the content, the nearest first."""
        below = path.relative_to(self.site.content).parents
        return [self.site.content / folder for folder in below]

    def _cascade(self, keys: dict[str, object], place: str, path: Path) -> Iterator[Layer]:
        cascade = keys.get("cascade")
        for entry in cascade if isinstance(cascade, list) else [cascade]:
            if isinstance(entry, dict) and self._is_target(entry.get("target", entry.get("_target")), path):
                yield Layer({key: value for key, value in entry.items() if key not in {"target", "_target"}}, place)

    def _is_target(self, target: object, path: Path) -> bool:
        """Tell whether a cascade means the file; one that names no path or kind means all."""
        if not isinstance(target, dict):
            return True
        if not {"page", "*", "**"} & set(re.findall(r"\w+|\*+", str(target.get("kind", "*")))):
            return False
        glob = str(target.get("path", "")).lower()
        address = str(PurePosixPath(self.site.origin(path)).with_suffix("")).lower().removesuffix("/index")
        # A star may stand for a slash here: rather too much is held back than too little.
        return not glob or any(re.match(translate(one.strip("/ ")), address) for one in _without_braces(glob))

    def _is_resource(self, path: Path) -> bool:
        inside = self._folders(path)[:-1]
        own = path.name.lower().startswith(("index.", "_index."))
        names = ("index.md", "index.*.md")
        return any(next(folder.glob(name), None) for folder in (inside[1:] if own else inside) for name in names)

    # -- Jekyll ----------------------------------------------------------------------------------------------------

    def _defaults(self, path: Path) -> Iterator[Layer]:
        defaults = self.config.get("defaults")
        origin = self.site.origin(path)
        # The last one that fits wins.
        for entry in reversed(defaults if isinstance(defaults, list) else []):
            scope, values = (entry.get("scope"), entry.get("values")) if isinstance(entry, dict) else (None, None)
            place = str((scope.get("path") if isinstance(scope, dict) else "") or "").strip("/")
            kind = str((scope.get("type") if isinstance(scope, dict) else "") or "")
            is_post = "_posts" in PurePosixPath(origin).parts or "_drafts" in PurePosixPath(origin).parts
            fits = not place or origin.startswith(f"{place}/") or re.match(translate(place), origin)
            if isinstance(values, dict) and fits and not (kind in {"posts", "pages"} and is_post != (kind == "posts")):
                yield Layer(values, "_config.yml: defaults")

    def _left_out(self, parts: tuple[str, ...]) -> str:
        """The pattern of the configuration's `exclude` (Jekyll, Hexo), `ignore` or `ignoreFiles` (Hugo) that fits."""
        paths = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        for pattern in [*_texts(self.config.get("exclude")), *_texts(self.config.get("ignore"))]:
            glob = re.compile(translate(pattern.strip("/")))
            if any(glob.match(path) for path in paths):
                return pattern
        for pattern in _texts(self.config.get("ignorefiles")):
            try:
                if re.search(pattern, paths[-1]):
                    return pattern
            except re.error:
                return pattern
        return ""

    # -- configuration ---------------------------------------------------------------------------------------------

    def _config(self) -> dict[str, object]:
        project = self.site.project
        if self.site.kind == "plain":
            try:
                found = _PELICAN_STATUS.search((project / "pelicanconf.py").read_text("utf-8", "replace"))
            except OSError:
                return {}
            return {"pelican": found[1]} if found else {}
        if self.site.kind != "hugo":
            return self._read(project / "_config.yml")
        files = [project / name for name in HUGO_CONFIGS if (project / name).is_file()]
        files += [path for path in sorted((project / "config/_default").glob("*.*")) if path.stem in {"hugo", "config"}]
        merged: dict[str, object] = {}
        for path in files:
            merged |= self._read(path)
        for path in sorted((project / "config/_default").glob("cascade.*")):
            cascade = self._read(path)
            merged["cascade"] = cascade.get("cascade", cascade)
        return merged

    def _read(self, path: Path) -> dict[str, object]:
        """A configuration file; one that can't be read is remembered, for it may hold back anything."""
        found = _load(path)
        if found is None:
            self.unreadable.append(path.name)
        return found or {}


def _without_braces(glob: str) -> list[str]:
    """`{a,b}/c` as `a/c` and `b/c`; braces beyond sense fit everything."""
    found = re.fullmatch(r"(.*)\{([^{}]*)\}(.*)", glob) if glob.count("{") < 5 else None
    if found is None:
        return ["*"] if "{" in glob else [glob]
    return [one for choice in found[2].split(",") for one in _without_braces(f"{found[1]}{choice}{found[3]}")]


def _load(path: Path) -> dict[str, object] | None:
    """The file's map with lower-case keys; empty when there is no such file, None when it can't be read."""
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            text = decode(file.read(_MAX_CONFIG_BYTES)).text
        loaders: dict[str, Callable[[str], object]] = {".toml": tomllib.loads, ".json": json.loads}
        found = loaders.get(path.suffix, plain_yaml.load)(text)
    except (OSError, ValueError, RecursionError, Unreadable):
        return None
    return {str(key).lower(): value for key, value in found.items()} if isinstance(found, dict) else {}


def _above(folder: Path) -> Iterator[Path]:
    """The folder and those above that may belong to the same notes: none beyond the root of a repository."""
    for place in [folder, *folder.parents][:LEVELS_UP]:
        yield place
        if (place / ".git").exists():
            return


def _is_vault(folder: Path) -> bool:
    return (folder / ".obsidian").is_dir() or (folder / "logseq/config.edn").is_file()


def _template_folders(vault: Path) -> Iterator[Path]:
    """The folders that Obsidian's own plugin and Templater take templates from."""
    for name, key in _TEMPLATE_SETTINGS.items():
        folder = (_load(vault / name) or {}).get(key)
        if isinstance(folder, str) and folder.strip("/"):
            yield vault / folder.strip("/")


def _links_to(path: Path, names: set[str]) -> bool:
    """Tell whether the file has a `[[wikilink]]` to another one."""
    try:
        text = decode(path.read_bytes()).text
    except (OSError, Unreadable):
        return False
    if "[[" not in text:
        return False
    prose = (text[token.start : token.end] for token in tokens(text) if token.kind == "text")
    return any(found[1].strip().lower() in names for part in prose for found in _WIKILINK.finditer(part))


def _section(folder: Path) -> list[tuple[str, dict[str, object]]]:
    found = []
    for path in sorted(folder.glob("_index*.md")):
        try:
            found.append((path.name, front_matter.split(decode(path.read_bytes()).text).fields))
        except (OSError, Unreadable):
            # A head that can't be read may hold back everything below it.
            found.append((path.name, {"cascade": {"draft": "?"}}))
    return found


def _is_private_name(name: str) -> bool:
    return name.startswith("_") and name not in POST_FOLDERS and not name.startswith("_index.")


def _texts(value: object) -> list[str]:
    return [str(entry) for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, str) and entry]


def is_from_notion(path: Path) -> bool:
    return bool(_NOTION_NAME.fullmatch(path.stem))
