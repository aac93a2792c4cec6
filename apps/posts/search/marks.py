"""What of a post is shown as the reason it was found: its title and a piece of its text, the matches in <mark>."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from . import pinyin, tokens
from .terms import Term

EXCERPT_CHARACTERS = 160
BEFORE_MATCH_CHARACTERS = 40
ELLIPSIS = "…"

Span = tuple[int, int]


@dataclass(frozen=True)
class _Folded:
    """A text as it is compared, and where each of its characters comes from."""

    text: str
    origins: list[int] | None  # None: every character stands where it stood

    def original(self, span: Span) -> Span:
        if self.origins is None:
            return span
        start, end = span
        last = self.origins[end - 1]
        return self.origins[start], next((origin for origin in self.origins[end:] if origin > last), last + 1)


def _fold(text: str) -> _Folded:
    folded = tokens.fold(text)
    if len(folded) == len(text):
        return _Folded(folded, None)
    pieces = [tokens.fold(character) for character in text]
    origins = [index for index, piece in enumerate(pieces) for _ in piece]
    return _Folded("".join(pieces), origins)


class Marker:
    """Marks what one query asked for; made once, used for every post of the page."""

    def __init__(self, terms: list[Term]) -> None:
        self.terms = [
            (re.compile(term.pattern), re.compile(term.parts) if term.parts else None, term.letters) for term in terms
        ]

    def title(self, title: str, reading: str = "") -> SafeString:
        return _marked(title, self._spans(title, reading))

    def excerpt(self, text: str) -> SafeString | None:
        """160 characters around the first match, or None when nothing matches (0.1 ms for 600 words)."""
        spans = self._spans(text)
        if not spans:
            return None
        start = _beginning(text, max(0, spans[0][0] - BEFORE_MATCH_CHARACTERS), spans[0][0])
        end = max(start + EXCERPT_CHARACTERS, spans[0][1])
        end = _ending(text, end)
        inside = [(max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start]
        return format_html(
            "{}{}{}",
            ELLIPSIS if start else "",
            _marked(text[start:end], inside),
            ELLIPSIS if end < len(text) else "",
        )

    def _spans(self, text: str, reading: str = "") -> list[Span]:
        folded = _fold(text)
        found: list[Span] = []
        for pattern, parts, letters in self.terms:
            here = [match.span() for match in pattern.finditer(folded.text)]
            if not here and parts:
                here = [match.span() for match in parts.finditer(folded.text)]
            if not here and letters and reading:
                here = pinyin.spans(folded.text, reading, letters)
            found += here
        return _merged(folded.original(span) for span in found if span[0] < span[1])


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _marked(text: str, spans: list[Span]) -> SafeString:
    pieces = []
    position = 0
    for start, end in spans:
        pieces.append((text[position:start], format_html("<mark>{}</mark>", text[start:end])))
        position = end
    pieces.append((text[position:], SafeString("")))
    return format_html_join("", "{}{}", pieces)


def _beginning(text: str, start: int, match: int) -> int:
    """Not within a word of an alphabet, nor before a mark that belongs to the character left out."""
    if start:
        space = text.find(" ", start, match)
        if text[start].isascii() and space >= 0:
            return space + 1
        while start < match and unicodedata.category(text[start]).startswith("M"):
            start += 1
    return start


def _ending(text: str, end: int) -> int:
    while end < len(text) and (unicodedata.category(text[end]).startswith("M") or text[end] == "\u200d"):
        end += 1
    return end
