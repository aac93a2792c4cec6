"""Front matter fields by their many names, and their values made sane."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, tzinfo

from ..items import Unreadable
from .dates import read_date
from .front_matter import FrontMatter

# Meaning -> what Hexo, Hugo, Jekyll and their themes call it; the first one set counts.
ALIASES = {
    "title": ("title",),
    "date": ("date",),  # when it was published, if a key of its own says so, stands in held_back.py
    "created": ("created", "created_at"),
    "updated": ("updated", "lastmod", "modified", "updated_at", "last_modified_at", "last_modified"),
    "tags": ("tags", "tag"),
    "categories": ("categories", "category"),
    "slug": ("slug", "abbrlink"),
    "permalink": ("permalink", "url"),
    "aliases": ("aliases", "alias", "redirect_from"),
    "summary": ("summary", "description", "excerpt"),
    "cover": ("cover", "thumbnail", "featured_image", "featuredimage", "banner", "image", "index_img", "top_img"),
    "pinned": ("pinned", "sticky", "top"),
    "original": ("original_url", "source_url", "reprint_url", "转载"),
    "language": ("lang", "language", "locale"),
    "layout": ("layout", "type"),
    "photos": ("photos",),
}
YES = {"true", "yes", "on", "y", "1", "是"}
NO = {"false", "no", "off", "n", "0", "", "否"}
_COMMAS = re.compile(r"[,，、;；]")


class Fields:
    """The front matter of one file; what is odd but harmless goes to `warnings`."""

    def __init__(self, front: FrontMatter, zone: tzinfo, warnings: list[str]) -> None:
        self.front = front
        self.zone = zone
        self.warnings = warnings

    def find(self, meaning: str) -> tuple[str, object]:
        """The name under which the meaning is set, and its value; ("", None) when it isn't."""
        for key in ALIASES.get(meaning, (meaning,)):
            if (value := self.front.fields.get(key)) is not None:
                return key, value
        return "", None

    def wrong(self, key: str, reason: str) -> Unreadable:
        return Unreadable(f"{key}: {reason}", self.front.line_of(key))

    def warn(self, key: str, reason: str) -> None:
        line = self.front.line_of(key)
        self.warnings.append(f"line {line}: {key}: {reason}" if line else f"{key}: {reason}")

    def text(self, meaning: str) -> str:
        """One line of text; a list is written as it looks in the file, for people title posts `[Python]`."""
        key, value = self.find(meaning)
        if isinstance(value, list) and all(_is_scalar(entry) for entry in value):
            value = "[" + ", ".join(as_line(entry) for entry in value) + "]"
        if isinstance(value, list | dict):
            raise self.wrong(key, "a line of text is wanted, not a list or map")
        return as_line(value)

    def flag(self, key: str) -> bool | None:
        value = self.front.fields.get(key)
        word = str(value).strip().lower()
        return None if value is None else True if word in YES else False if word in NO else None

    def pinned(self) -> bool:
        for key in ALIASES["pinned"]:
            word = str(self.front.fields.get(key) or "").strip().lower()
            if word not in NO and not word.startswith("-"):
                return True
        return False

    def date(self, meaning: str) -> datetime | None:
        """Raises Unreadable for what is no date, with its line."""
        for key in ALIASES[meaning]:
            value = self.front.fields.get(key)
            if value in (None, ""):
                continue
            try:
                return read_date(value, self.zone)
            except ValueError as error:
                raise self.wrong(key, str(error)) from None
        return None

    def names(self, meaning: str, *, by_spaces: bool = False) -> tuple[str, ...]:
        """Names from a list, one string with commas (Jekyll: spaces), a map or a number; no doubles."""
        key, value = self.find(meaning)
        return tuple(dict.fromkeys(self._names(key, value, by_spaces)))

    def _names(self, key: str, value: object, by_spaces: bool) -> Iterator[str]:
        if isinstance(value, str):
            parts: Iterable[str] = _COMMAS.split(value)
            if by_spaces and not _COMMAS.search(value):
                parts = value.split()
            yield from filter(None, map(as_line, parts))
            return
        entries = value if isinstance(value, list) else [value]
        for entry in entries:
            if isinstance(entry, dict):
                yield from filter(None, map(as_line, entry))
                self.warn(key, "a map is written here; its keys are taken as names")
            elif isinstance(entry, list):
                yield from (as_line(name) for name in entry if _is_scalar(name) and as_line(name))
            elif as_line(entry):
                yield as_line(entry)

    def category_paths(self, *, by_spaces: bool = False) -> tuple[tuple[str, ...], ...]:
        """Category paths: in Hexo a list is one path, a list of lists are several."""
        key, value = self.find("categories")
        if isinstance(value, list) and any(isinstance(entry, list) for entry in value):
            paths = [tuple(self._names(key, entry, False)) for entry in value]
        elif isinstance(value, dict):
            paths = [tuple(_map_path(name, below)) for name, below in value.items()]
        else:
            paths = [self.names("categories", by_spaces=by_spaces)]
        return tuple(path for path in paths if path)

    def addresses(self, meaning: str) -> tuple[str, ...]:
        """Addresses from one string or a list; no comma ends one."""
        _key, value = self.find(meaning)
        return tuple(
            as_line(entry) for entry in (value if isinstance(value, list) else [value]) if _is_scalar(entry) and entry
        )

    def picture(self) -> str:
        """The cover's reference; Hugo themes write a map with `image` or `src`."""
        for key in ALIASES["cover"]:
            value = self.front.fields.get(key)
            if isinstance(value, list) and value:
                value = value[0]
            if isinstance(value, dict):
                value = next((value[name] for name in ("image", "src", "url", "path") if name in value), None)
            # `cover: false` and `top_img: transparent` are themes' switches.
            if isinstance(value, str) and re.search(r"[./]", value):
                return value.strip()
        return ""


def _is_scalar(value: object) -> bool:
    return not isinstance(value, list | dict)


def as_line(value: object) -> str:
    """A scalar as one line without control characters."""
    if value is None or isinstance(value, list | dict):
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", str(value)).split())


def _map_path(name: object, below: object) -> Iterator[str]:
    yield as_line(name)
    if isinstance(below, list | dict):
        yield from filter(None, map(as_line, below))
    elif as_line(below):
        yield as_line(below)
