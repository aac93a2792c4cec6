"""The site's one style sheet: the files of static/css joined, with the owner's accent colour; no build step."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders

from .colours import PAPER_DARK, PAPER_LIGHT, ink_on, readable_on

FILES = ("tokens", "base", "navbar", "lists", "post", "highlight", "comments", "search", "print")

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(r"\s+")
_AROUND = re.compile(r"\s*([{};,>])\s*")


@dataclass(frozen=True, slots=True)
class Stylesheet:
    css: str
    digest: str  # of the content: an address that holds it is fresh for ever


@cache
def stylesheet(accent: str) -> Stylesheet:
    """Return the style sheet for that accent colour (`#rrggbb`, or blank); read from the files once per process."""
    css = "".join(_squeezed(_read(name)) for name in FILES) + _accent_rule(accent)
    return Stylesheet(css, hashlib.sha256(css.encode()).hexdigest()[:12])


def _read(name: str) -> str:
    found = finders.find(f"css/{name}.css")
    if not isinstance(found, str):
        raise FileNotFoundError(f"static/css/{name}.css")
    return Path(found).read_text(encoding="utf-8")


def _squeezed(css: str) -> str:
    """Without comments and needless white space; our own sheets hold no string that this could hurt."""
    return _AROUND.sub(r"\1", _SPACE.sub(" ", _COMMENT.sub("", css))).strip()


def _accent_rule(accent: str) -> str:
    if not accent:
        return ""
    light, dark = readable_on(accent, PAPER_LIGHT), readable_on(accent, PAPER_DARK)
    return f":root{{--brand:light-dark({light},{dark});--brand-ink:light-dark({ink_on(light)},{ink_on(dark)})}}"
