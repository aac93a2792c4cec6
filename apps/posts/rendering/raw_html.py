"""Angle brackets that a writer typed: which of it is HTML, which is text, and which is left out.

A tag is HTML when the sanitizer keeps its element and its other half stands in the same paragraph, cell or run of HTML
blocks; every other one is text and shown as typed: `<title>`, `List<String>`, a `<div>` without an end. Complete
players, scripts and styles are left out and named. Whatever is decided here, the sanitizer has the last word.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from html import escape

from markdown_it.common.html_re import HTML_OPEN_CLOSE_TAG_STR

from .left_out import LeftOut, Notes
from .sanitize import HTML_ELEMENTS, MATHML_ELEMENTS

# Stands where the author put `<!-- more -->` while the HTML is made. A noncharacter, dropped from every source.
MORE_MARK = "\ufdd0"

VOID = {"br", "hr", "img", "wbr", "source", "col"}
# Their content is shown, they themselves are not: the ways of old to set type, and the frame of a page.
UNWRAPPED = set("font center big tt strike nobr acronym article main header footer nav hgroup address picture".split())
# Nothing a page of ours shows.
LEFT_OUT = set("script style iframe svg object applet embed annotation annotation-xml".split())
KNOWN = (HTML_ELEMENTS | MATHML_ELEMENTS | UNWRAPPED) - {"input"}

_TABLE_PARTS = set("caption colgroup col thead tbody tfoot tr th td".split())
# Elements that stand only, or may stay without an end only, within one of others.
_WITHIN = {name: {"table"} for name in _TABLE_PARTS} | {
    "source": {"video", "audio", "picture"},
    "rt": {"ruby"},
    "rp": {"ruby"},
}
OPEN_ENDED = {
    "li": {"ul", "ol"},
    "dt": {"dl"},
    "dd": {"dl"},
    "rt": {"ruby"},
    "rp": {"ruby"},
    "p": {"div", "blockquote", "details", "section", "aside", "td", "th", "li", "dd", "center", "article", "figure"},
} | {name: {"table"} for name in _TABLE_PARTS - {"caption", "col"}}

_LEFT_OUT_TAG = re.compile(rf"<(?:{'|'.join(sorted(LEFT_OUT))})(?=[\s/>])", re.IGNORECASE)
_TAG = re.compile(HTML_OPEN_CLOSE_TAG_STR.removeprefix("^"))
_TAG_PARTS = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)(.*?)(/?)>", re.DOTALL)
_HAS_SOURCE = re.compile(r"\ssrc\s*=", re.IGNORECASE)
_MORE = re.compile(r"<!--\s*more\s*-->", re.IGNORECASE)
# Between two halves of a pair: then the sentence is about the tags (`<div> and </div>`).
_JOINING = re.compile(r"\s*(?:和|与|及|或|跟|到|至|、|，|/|,|…+|\.{3}|—+|~|～)?\s*|\s+(?:and|or|to)\s+")
# These may well stand around one such word, close to it: `甲<b>或</b>乙`.
_STRESSING = set("a b big code del em font i ins kbd mark s small span strong sub sup u".split())
_CODE = re.compile(r"[(){}\[\];=:]")
_CODE_SEARCHED_CHARACTERS = 2_000


class Kind(Enum):
    TEXT = 1
    TAG = 2
    COMMENT = 3
    LEFT_OUT = 4
    MARKDOWN = 5  # whatever else stands between the tags of a paragraph


@dataclass(slots=True)
class Piece:
    """A tag or comment, or the text between two. `kept` is what has been decided about a tag."""

    kind: Kind
    source: str
    name: str = ""
    attributes: str = ""
    closing: bool = False
    self_closed: bool = False
    other_half: "Piece | None" = None
    kept: bool = False


class Ends:
    """Finds what comes next in a text, looking at each character once for each thing looked for."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: dict[str, tuple[int, re.Match[str] | None]] = {}

    def after(self, pattern: str, start: int) -> re.Match[str] | None:
        """Return the first match at or behind `start`."""
        asked, found = self._found.get(pattern, (len(self.source) + 1, None))
        if not (asked <= start and (found is None or start <= found.start())):
            found = re.compile(pattern, re.IGNORECASE | re.ASCII).search(self.source, start)
            self._found[pattern] = start, found
        return found

    def of_element(self, name: str, start: int) -> re.Match[str] | None:
        return self.after(rf"</{name}\s*>", start)


def parse_tag(source: str) -> Piece:
    """A complete tag by its parts. A name written `LikeThis` is none of HTML."""
    parts = _TAG_PARTS.fullmatch(source)
    if not parts:
        return Piece(Kind.TEXT, source)
    name = parts[2] if parts[2].islower() or parts[2].isupper() else ""
    return Piece(
        Kind.TAG, source, name.lower(), parts[3], closing=bool(parts[1]), self_closed=bool(parts[4] and not parts[1])
    )


def left_out_element(ends: Ends, start: int, end: int) -> Piece | None:
    """The complete element at `start` that no page shows; None when it is another one, unfinished or only mentioned."""
    if not _LEFT_OUT_TAG.match(ends.source, start, end) or not ends.after(">", start):
        return None
    found = _TAG.match(ends.source, start, end)
    if not found:
        return None
    tag = parse_tag(found[0])
    if not tag.name:
        return None
    if tag.name == "embed":
        return Piece(Kind.LEFT_OUT, tag.source, tag.name, tag.attributes) if tag.attributes.strip() else None
    closing = ends.of_element(tag.name, found.end())
    if tag.self_closed or not closing or closing.end() > end:
        return None
    is_bare = not tag.attributes.strip()
    if is_bare and (tag.name.startswith("annotation") or not _is_code(ends.source, found.end(), closing.start())):
        return None
    return Piece(Kind.LEFT_OUT, ends.source[start : closing.end()], tag.name, tag.attributes)


def _is_code(source: str, start: int, end: int) -> bool:
    """Whether code stands between the two tags, not a part of a sentence that mentions them."""
    if start == end or not source[start].isascii() or source[start] in " \t":
        return False
    code = source[start : min(end, start + _CODE_SEARCHED_CHARACTERS)].strip()
    return bool(code) and (_CODE.search(code) is not None or (code.isascii() and " " not in code))


def pieces_of(html: str) -> Iterator[Piece]:
    """A run of HTML, cut into tags, comments and text."""
    ends = Ends(html)
    position = shown_to = 0
    while (position := html.find("<", position)) >= 0:
        piece = _piece_at(ends, position)
        if piece is None:
            position += 1
            continue
        if shown_to < position:
            yield Piece(Kind.TEXT, html[shown_to:position])
        yield piece
        position = shown_to = position + len(piece.source)
    if shown_to < len(html):
        yield Piece(Kind.TEXT, html[shown_to:])


def _piece_at(ends: Ends, start: int) -> Piece | None:
    html = ends.source
    if html.startswith("<!--", start):
        short = re.compile("<!--?-?>").match(html, start)
        end = ends.after("-->", start + 4)
        if not short and not end:
            return None
        return Piece(Kind.COMMENT, html[start : short.end() if short else end.end()])  # type: ignore[union-attr]
    if piece := left_out_element(ends, start, len(html)):
        return piece
    if not ends.after(">", start):
        return None
    found = _TAG.match(html, start)
    return parse_tag(found[0]) if found else None


def decide(pieces: list[Piece], *, in_sentence: bool) -> None:
    """Set `kept` of each tag: whether it is HTML. Linear in the number of pieces."""
    _pair(pieces, in_sentence=in_sentence)
    inside: dict[str, int] = defaultdict(int)
    for index, piece in enumerate(pieces):
        if piece.kind is not Kind.TAG or not piece.name:
            continue
        if piece.closing:
            piece.kept = piece.other_half is not None and piece.other_half.kept
            inside[piece.name] -= piece.kept
            continue
        piece.kept = _is_html(piece, pieces[index + 1 : index + 3], inside)
        inside[piece.name] += piece.kept and piece.other_half is not None


def _pair(pieces: list[Piece], *, in_sentence: bool) -> None:
    opened: dict[str, list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        piece.other_half = None
        if piece.kind is not Kind.TAG or piece.name in VOID or piece.self_closed:
            continue
        if not piece.closing:
            opened[piece.name].append(index)
        elif opened[piece.name]:
            start = opened[piece.name].pop()
            between = pieces[start + 1 : min(index, start + 3)]
            said = in_sentence or any(piece.source.strip() for piece in between)
            if not (said and _is_mention(pieces[start], between)):
                piece.other_half, pieces[start].other_half = pieces[start], piece


def _is_mention(opening: Piece, between: list[Piece]) -> bool:
    if opening.attributes.strip() or opening.name in _WITHIN or len(between) > 1:
        return False
    if not between:
        return True
    words = between[0].source
    if opening.name in _STRESSING and words == words.strip():
        return False
    return between[0].kind is Kind.TEXT and _JOINING.fullmatch(words) is not None


def _is_html(tag: Piece, following: list[Piece], inside: dict[str, int]) -> bool:
    name = tag.name
    if name not in KNOWN:
        return False
    content = next((piece.name for piece in following if piece.source.strip()), "")
    if name in MATHML_ELEMENTS:
        if name != "math":
            return inside["math"] > 0
        return tag.other_half is not None and content in MATHML_ELEMENTS
    if name in ("video", "audio") and content != "source" and not _HAS_SOURCE.search(tag.attributes):
        return False  # nothing would be seen of what stands between the two
    if name in _WITHIN and not any(inside[other] for other in _WITHIN[name]):
        return False
    if name in VOID:
        return name != "img" or _HAS_SOURCE.search(tag.attributes) is not None
    if tag.self_closed:
        return bool(tag.attributes.strip())
    return tag.other_half is not None or any(inside[other] for other in OPEN_ENDED.get(name, ()))


def kept_source(tag: Piece) -> str:
    """The HTML of a kept tag: HTML knows no `<a/>`, and nothing comes of what is unwrapped."""
    if tag.name in UNWRAPPED or (tag.name == "source" and not _HAS_SOURCE.search(tag.attributes)):
        return ""
    if tag.self_closed and tag.name not in VOID | MATHML_ELEMENTS:
        return f"<{tag.name}{tag.attributes}></{tag.name}>"
    return tag.source


def note(piece: Piece, notes: Notes) -> None:
    """Name what a page doesn't show of a piece that isn't text."""
    if piece.name.startswith("annotation"):
        return  # it says in other words what the formula shows
    if piece.kind is Kind.LEFT_OUT or (piece.name in UNWRAPPED and not piece.closing):
        notes.add_element(piece.name, piece.attributes)
    elif not piece.closing:
        notes.add_attributes(piece.name, piece.attributes)


def left_out_of(html: str) -> list[LeftOut]:
    """Return the losses of a fragment of HTML at the sanitizer: elements and attributes, counted."""
    notes = Notes()
    pieces = list(pieces_of(html))
    decide(pieces, in_sentence=False)
    for piece in pieces:
        if piece.kind is Kind.LEFT_OUT or piece.kept:
            note(piece, notes)
        elif piece.kind is Kind.TAG and not piece.closing and piece.name not in KNOWN:
            notes.add_element(piece.name or piece.source.strip("<>/ ").split()[0], piece.attributes)
    return notes.listed()


def is_more(comment: str) -> bool:
    """Whether the comment says where the excerpt ends."""
    return _MORE.fullmatch(comment) is not None


def as_text(typed: str) -> str:
    """HTML that shows the characters as they were typed."""
    return escape(typed, quote=False)
