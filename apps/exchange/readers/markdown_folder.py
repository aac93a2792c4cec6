"""A folder of Markdown files, of Hexo, Hugo, Jekyll or of nobody, as items."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath

from .. import identity
from ..items import Failure, Picture, PostItem, Unreadable
from . import addresses, front_matter
from .fields import Fields
from .held_back import Layer, Standing
from .hexo_tags import HexoTags
from .references import References, digest, rewrite
from .remarks import as_comments
from .scanner import tokens
from .sites import POST_FOLDERS, Site, find_site, is_about_the_project, list_files
from .surroundings import Surroundings, is_from_notion
from .text_files import MAX_FILE_BYTES, decode, readable

_DATED_NAME = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})-(.+)")
_INDEX_NAMES = {"index", "_index"}
# Pages that themes fill by themselves: a list of all tags, a search.
_THEME_PAGES = set("tags tag categories category archives archive search timeline links link friends photos".split())
_LOOP = re.compile(r"\{%-?\s*for\s")
_CODE_OF_THEMES = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|<[^<>]*>", re.DOTALL)
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*#*[ \t]*$|^(\S.*)\n=+[ \t]*$", re.MULTILINE)


class NoMarkdown(Exception):
    """The folder isn't there, can't be read, or holds no Markdown file; the message says which."""


def read_folder(folder: Path, zone: tzinfo) -> Iterator[PostItem | Failure]:
    """Yield every Markdown file of the folder in the order of names.

    Times without a zone are in `zone`. Nothing outside of the folder, or of the blog it plainly is a part of, is read.
    Raises NoMarkdown before the first file.
    """
    if not folder.exists():
        raise NoMarkdown(f"There is no folder {folder}.")
    if not folder.is_dir():
        raise NoMarkdown(f"{folder} is a file; give the folder it lies in.")
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise NoMarkdown(f"{folder} can't be read ({error.strerror}).") from None
    site = find_site(folder)
    files = list(list_files(site))
    if not any(isinstance(entry, Path) or not entry.skipped for entry in files):
        raise NoMarkdown(f"There is no Markdown file (.md, .markdown) in {folder}.")
    return _read(site, files, zone)


def _read(site: Site, files: list[Path | Failure], zone: tzinfo) -> Iterator[PostItem | Failure]:
    known = _known_names(site, [entry for entry in files if isinstance(entry, Path)])
    surroundings = Surroundings(site, [entry for entry in files if isinstance(entry, Path)], set(known))
    sections = any(isinstance(entry, Path) and entry.parent != site.content for entry in files)
    for entry in files:
        if isinstance(entry, Failure):
            yield entry
            continue
        reader = _FileReader(site, entry, zone, known, sections, surroundings)
        try:
            yield reader.read()
        except Unreadable as error:
            yield Failure(reader.origin, error.reason, error.line, warnings=tuple(reader.references.warnings))
        except _PassedBy as reason:
            yield Failure(reader.origin, str(reason), skipped=True)


def _known_names(site: Site, files: list[Path]) -> dict[str, str]:
    """Return the names that `post_link` may use, lower case: path below `_posts`, name, with and without date."""
    known: dict[str, str] = {}
    for path in files:
        origin = site.origin(path)
        bare = PurePosixPath(origin).with_suffix("")
        below = str(bare).partition("_posts/")[2] or str(bare)
        names = [str(bare), below, bare.name, re.sub(r"(^|/)\d{4}-\d{1,2}-\d{1,2}-(?=[^/]+$)", r"\1", below)]
        if bare.name in _INDEX_NAMES:
            names += [str(bare.parent), bare.parent.name]
        for name in names:
            known.setdefault(name.lower(), origin)
    return known


class _PassedBy(Exception):
    """Raised for a file that is no post."""


class _FileReader:
    def __init__(
        self,
        site: Site,
        path: Path,
        zone: tzinfo,
        known: dict[str, str],
        sections: bool,
        surroundings: Surroundings,
    ) -> None:
        self.site = site
        self.surroundings = surroundings
        self.path = path
        self.zone = zone
        self.sections = sections
        self.origin = site.origin(path)
        self.parts = PurePosixPath(self.origin).parts
        self.references = References(site, path, self.origin, known)
        bundle = path.stem.lower() in _INDEX_NAMES and path.parent != site.content
        name = path.parent.name if bundle else path.stem
        dated = _DATED_NAME.fullmatch(name) if site.kind in {"jekyll", "plain"} or self._in("_posts") else None
        self.name = readable(dated[2] if dated else name)
        self.name_date = dated[1] if dated else ""

    def _in(self, *names: str) -> bool:
        return bool(set(names) & set(self.parts[:-1]))

    def read(self) -> PostItem:
        if self.path.name.startswith("_index."):
            raise _PassedBy("a list page of Hugo's")
        if self.surroundings.is_template(self.path):
            raise _PassedBy("a template of the vault")
        data = self._bytes()
        text = decode(data)
        self.references.warnings.extend(text.warnings)
        front = front_matter.split(text.text, notion=is_from_notion(self.path))
        if not front.present:
            if is_about_the_project(self.path):
                raise _PassedBy("about the project, without front matter")
            if self.site.kind == "jekyll" and not self._in(*POST_FOLDERS):
                raise _PassedBy("no post in Jekyll's eyes: no front matter")
        fields = Fields(front, self.zone, self.references.warnings)
        title, body, body_line = self._title(fields, front)
        now = datetime.now(tz=UTC)
        jekyll = self.site.kind == "jekyll"
        tags = fields.names("tags", by_spaces=jekyll)
        standing = Standing(fields, [*self.surroundings.layers(self.path), *self._tag_passwords(tags)], now)
        day, dated = self._date(fields, standing)
        is_page = self._is_page(fields, dated=dated)
        if self._is_filled_by_theme(fields, body, is_page):
            raise _PassedBy("a page that the theme filled, without a text of its own")
        standing.look_into(body, body_line)
        standing.reasons += self.surroundings.reasons(self.path, says_publish=standing.says_publish)
        published_at = max(day, standing.embargo or day)
        standing.settle(published_at if dated or standing.embargo else None)
        status = standing.status
        categories = fields.category_paths(by_spaces=jekyll)
        nunjucks = self.site.kind == "hexo" and not fields.flag("disablenunjucks")
        body = as_comments(body, vault=self.surroundings.is_vault, hexo=nunjucks)
        body = rewrite(body, self.references, body_line)
        body = HexoTags(self.references, body_line).convert(body)
        body += self._photos(fields)
        cover = fields.picture()
        item = PostItem(
            origin=self.origin,
            title=title,
            body=body.strip("\n") + "\n" if body.strip() else "",
            digest="",
            published_at=published_at if dated or standing.embargo or status != "draft" else None,
            dated=dated or bool(standing.embargo),
            updated_at=fields.date("updated"),
            status=status,
            is_page=is_page,
            language=fields.text("language").replace("_", "-"),
            slug=fields.text("slug") or self.name,
            tags=tags,
            categories=categories,
            summary=fields.text("summary"),
            permalinks=self._permalinks(fields, day, dated, status, title, categories),
            cover=self._cover(cover) if cover else None,
            pictures=tuple(self.references.pictures),
            links=tuple(self.references.links),
            pinned=fields.pinned(),
            password=standing.password,
            comments_open=fields.flag("comments") is not False,
            original_url=next((url for url in fields.addresses("original") if url.startswith("http")), ""),
            path_key=identity.path_key(self.origin),
            place_key=identity.place_key(self.site.content),
            reasons=tuple(standing.reasons),
            warnings=tuple(self.references.warnings),
        )
        return replace(item, digest=_digest(data, item))

    def _bytes(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise Unreadable(f"can't be read ({error.strerror})") from None

    def _title(self, fields: Fields, front: front_matter.FrontMatter) -> tuple[str, str, int]:
        """The title, and the body without the heading that was it; the line on which that body begins."""
        body, line = front.body, front.body_line
        if title := fields.text("title"):
            return title, body, line
        prose = next((token for token in tokens(body) if body[token.start : token.end].strip()), None)
        heading = None
        if prose and prose.kind == "text":
            start = prose.start + len(body[prose.start :]) - len(body[prose.start :].lstrip("\n"))
            heading = _HEADING.match(body, start)
        if heading and not (self.site.kind == "hexo" and front.present):
            line += body.count("\n", 0, heading.end())
            return _without_markup(heading[1] or heading[2]), body[heading.end() :], line
        return _readable_name(self.name), body, line

    def _tag_passwords(self, tags: tuple[str, ...]) -> list[Layer]:
        passwords = self.surroundings.passwords()
        return [Layer({"password": passwords[tag]}, "_config.yml: encrypt") for tag in tags if passwords.get(tag)]

    def _date(self, fields: Fields, standing: Standing) -> tuple[datetime, bool]:
        """The day by which the old blog sorted it, and whether the file states it."""
        if found := fields.date("date") or standing.published_at or fields.date("created"):
            return found, True
        if self.name_date:
            year, month, day = map(int, self.name_date.split("-"))
            try:
                return datetime(year, month, day, tzinfo=self.zone), True
            except ValueError:
                raise Unreadable(f"no date: the file's name begins with {self.name_date}") from None
        try:
            return datetime.fromtimestamp(int(self.path.stat().st_mtime), tz=UTC), False
        except (OSError, OverflowError, ValueError):
            return datetime.now(tz=UTC).replace(microsecond=0), False

    def _is_page(self, fields: Fields, *, dated: bool) -> bool:
        if fields.text("layout").lower() == "page":
            return True
        if self.site.kind in {"hexo", "jekyll"}:
            return not self._in(*POST_FOLDERS)
        # Hugo's about.md lies beside the sections; a dated text there is a post of a blog without any.
        return bool(self.site.kind == "hugo" and len(self.parts) == 1 and self.sections and not dated)

    def _is_filled_by_theme(self, fields: Fields, body: str, is_page: bool) -> bool:
        """Whether nothing of it is left here: a page, or what calls itself one, without a word or picture."""
        called = {str(fields.front.fields.get(key, "")).lower() for key in ("layout", "type")}
        if not (is_page or called & _THEME_PAGES):
            return False
        if _LOOP.search(body):
            body = _CODE_OF_THEMES.sub("", body)
        return not body.strip() and not fields.addresses("photos")

    def _photos(self, fields: Fields) -> str:
        """Hexo's gallery, shown by its themes beside the text."""
        line = fields.front.line_of("photos") or 0
        written = [f"![]({self.references.picture(photo, line)})" for photo in fields.addresses("photos")]
        return "\n\n" + "\n\n".join(written) + "\n" if written else ""

    def _cover(self, reference: str) -> Picture | None:
        found = self.references.find_picture(reference, 0)
        if found is None and re.match(r"https?:|//", reference):
            self.references.warn(0, f"the cover lies elsewhere and is left out: {reference}")
        return found

    def _permalinks(
        self,
        fields: Fields,
        day_of_post: datetime,
        dated: bool,
        status: str,
        title: str,
        categories: tuple[tuple[str, ...], ...],
    ) -> tuple[str, ...]:
        day = day_of_post.astimezone(self.zone) if dated else None
        path = PurePosixPath(self.origin).with_suffix("")
        below = str(path).partition("_posts/")[2] or str(path)
        name = str(PurePosixPath(below).with_name(self.name)) if self._in("_posts") else below
        outermost = categories[0] if categories else ()
        found: list[str] = []
        for pattern in fields.addresses("permalink"):
            if pattern.lower() == "false" or ("//" in pattern and "permalink" not in fields.front.fields):
                continue  # `url: https://…` names another place, `permalink: false` none
            expanded = addresses.expand(pattern, day=day, name=name, title=title, categories=outermost)
            if expanded:
                found.append(expanded)
            else:
                fields.warn("permalink", f"not recorded: {pattern}")
        found += [addresses.old_path(alias) for alias in fields.addresses("aliases")]
        if status != "draft" and not found[:1]:
            found.append(self._usual_address(name, day, title, outermost))
        return tuple(dict.fromkeys(address for address in found if address))

    def _usual_address(self, name: str, day: datetime | None, title: str, categories: tuple[str, ...]) -> str:
        """Where the generator put it, unless told otherwise."""
        if self._in("_posts"):
            usual = addresses.JEKYLL if self.site.kind == "jekyll" else addresses.HEXO
            pattern = self.site.permalink or usual
            return addresses.expand(pattern, day=day, name=name, title=title, categories=categories)
        if self.site.kind == "plain":
            return ""
        place = PurePosixPath(self.origin).with_suffix("")
        place = place.parent if place.name in _INDEX_NAMES else place
        is_file = self.path.stem not in _INDEX_NAMES and self.site.kind != "hugo"
        ending = ".html" if is_file else "/"
        return addresses.old_path(f"{place}{ending}".replace("%", "%25"))


def _without_markup(text: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[ \t]*\{#[\w-]+\}$", "", text)
    return re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text).strip()


def _readable_name(name: str) -> str:
    words = re.sub(r"[-_\s]+", " ", name).strip()
    return words[:1].upper() + words[1:] or name


def _digest(data: bytes, item: PostItem) -> str:
    """Of all that the item is made from: file, pictures, neighbours, state and password (a folder may give it both)."""
    total = hashlib.sha256(data)
    for picture in [*item.pictures, *([item.cover] if item.cover else [])]:
        total.update(f"\0{picture.reference}\0{digest(picture.path)}".encode("utf-8", "surrogatepass"))
    for link in item.links:
        total.update(f"\0{link.origin}".encode("utf-8", "surrogatepass"))
    total.update(f"\0{item.status}".encode())
    if item.password:
        total.update(f"\0{item.password}".encode("utf-8", "surrogatepass"))
    return total.hexdigest()
