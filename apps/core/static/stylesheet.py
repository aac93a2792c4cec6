"""The site's one style sheet: the files of static/css joined, with the owner's accent colour; no build step."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders

from ..http.compression import SUFFIXES, pack

from .colours import PAPER_DARK, PAPER_LIGHT, ink_on, readable_on

FILES = ("tokens", "base", "navbar", "lists", "post", "highlight", "comments", "reactions", "search", "print")

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(r"\s+")
_AROUND = re.compile(r"\s*([{};,>])\s*")


@dataclass(frozen=True, slots=True)
class Stylesheet:
    css: bytes
    packed: dict[str, bytes]  # the same by encoding
    digest: str  # of the content: an address that holds it is fresh for ever


def stylesheet(accent: str) -> Stylesheet:
    """Return the style sheet for that accent colour (`#rrggbb`, or blank), joined anew when a file has changed.

    Costs a look at each file, 20 µs. Raises FileNotFoundError.
    """
    files = tuple(_find(name) for name in FILES)
    return _joined(accent, files, tuple(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=8)
def _joined(accent: str, files: tuple[Path, ...], _modified_ns: tuple[int, ...]) -> Stylesheet:
    text = "".join(_squeezed(file.read_text(encoding="utf-8")) for file in files) + _accent_rule(accent)
    css = text.encode()
    packed = {encoding: pack(css, encoding, once_for_all=True) for encoding in SUFFIXES}
    return Stylesheet(css, packed, hashlib.sha256(css).hexdigest()[:12])


@cache
def _find(name: str) -> Path:
    found = finders.find(f"css/{name}.css")
    if not isinstance(found, str):
        raise FileNotFoundError(f"static/css/{name}.css")
    return Path(found)


def _squeezed(css: str) -> str:
    """Without comments and needless white space; our own sheets hold no string that this could hurt."""
    return _AROUND.sub(r"\1", _SPACE.sub(" ", _COMMENT.sub("", css))).strip()


def _accent_rule(accent: str) -> str:
    if not accent:
        return ""
    light, dark = readable_on(accent, PAPER_LIGHT), readable_on(accent, PAPER_DARK)
    return f":root{{--brand:light-dark({light},{dark});--brand-ink:light-dark({ink_on(light)},{ink_on(dark)})}}"
