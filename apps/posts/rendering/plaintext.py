"""A post without its markup: the text that is searched, and the beginning that stands in lists."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from html import unescape

from markdown_it.token import Token

EXCERPT_CHARACTERS = 120
AUTHOR_EXCERPT_CHARACTERS = 400
ELLIPSIS = "…"

_TAG = re.compile(r'<(/?)([a-zA-Z][a-zA-Z0-9-]*)([^<>"]*(?:"[^"]*"[^<>"]*)*)>')
# Words on both sides of these are one word; at any other tag the reader sees a gap.
_INLINE = set(
    "a abbr b bdi bdo cite code del dfn em i ins kbd mark q ruby s samp small span strong sub sup time u var wbr"
    " math rt rp".split()
)
_UNSPOKEN_TAGS = {"rt", "rp"}
_UNSPOKEN_CLASS = re.compile(r'class="(?:[^"]* )?(?:mermaid|footnote-ref|footnote-backref)(?: [^"]*)?"')
_FORMULA_SOURCE = re.compile(r'alttext="([^"]*)"')

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]")
_JOINER = "\u200d"
_MAX_CLUSTER = 32


def spoken(tokens: Sequence[Token]) -> str:
    """The inline tokens as a reader would say them, formulas by their source."""
    words = []
    for token in tokens:
        if token.type in ("text", "code_inline", "math_inline", "math_block"):
            words.append(token.content)
        elif token.type == "image":
            words.append(spoken(token.children or []))
        elif token.type in ("softbreak", "hardbreak"):
            words.append(" ")
    return " ".join("".join(words).split())


def plain_text(html: str) -> str:
    """The words of sanitized HTML, whitespace normalised; formulas by their source, no diagrams and footnote marks."""
    pieces: list[str] = []
    position = 0
    silent_tag, silent_depth = "", 0
    for tag in _TAG.finditer(html):
        closing, name = tag[1], tag[2]
        if silent_tag:
            if name == silent_tag:
                silent_depth += -1 if closing else 1
                if not silent_depth:
                    silent_tag = ""
        else:
            pieces.append(html[position : tag.start()])
            formula = _FORMULA_SOURCE.search(tag[3]) if name == "math" and not closing else None
            if formula:
                pieces.append(formula[1])
            if formula or (not closing and (name in _UNSPOKEN_TAGS or _UNSPOKEN_CLASS.search(tag[3]))):
                silent_tag, silent_depth = name, 1
            if name not in _INLINE:
                pieces.append(" ")
        position = tag.end()
    if not silent_tag:
        pieces.append(html[position:])
    return " ".join(unescape("".join(pieces)).split())


def _extends(character: str) -> bool:
    return (
        character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of regional flags
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _clusters(text: str) -> Iterator[str]:
    """The text by what a reader takes for one character."""
    start = 0
    while start < len(text):
        end = start + 1
        if _is_flag_half(text[start]) and end < len(text) and _is_flag_half(text[end]):
            end += 1
        while (
            end < len(text)
            and end - start < _MAX_CLUSTER
            and (_extends(text[end]) or (text[end - 1] == _JOINER and not text[end].isspace()))
        ):
            end += 1
        yield text[start:end]
        start = end


def _in_latin_word(character: str) -> bool:
    return character.isalnum() and character < "\u2e80"


def shorten(text: str, limit: int) -> str:
    """The first `limit` characters as a reader counts them, with an ellipsis where something was left out.

    Doesn't end within a word of an alphabet unless the word is most of the text, nor within an emoji sequence.
    """
    if len(text) <= limit:
        return text
    end = 0
    for count, cluster in enumerate(_clusters(text)):
        if count == limit:
            break
        end += len(cluster)
    if end >= len(text):
        return text
    if _in_latin_word(text[end]):
        start = end
        while start and _in_latin_word(text[start - 1]):
            start -= 1
        if start > end // 2:
            end = start
    return text[:end].rstrip() + ELLIPSIS


def reading_minutes(text: str) -> int:
    """Return how many minutes the text takes to read, at least 1.

    400 Chinese, Japanese or Korean characters a minute, 220 words of anything else: the middle of what studies of
    silent reading report (Brysbaert 2019 for English: 238; Chinese textbooks: 300 to 500 characters).
    """
    characters = len(_CJK.findall(text))
    words = len(_CJK.sub(" ", text).split())
    return max(1, round(characters / 400 + words / 220))


def excerpt(text: str, before_more: str = "") -> str:
    """Return a list's excerpt: the part before the author's `<!-- more -->`, else the beginning of the text."""
    if before_more:
        return shorten(before_more, AUTHOR_EXCERPT_CHARACTERS)
    return shorten(text, EXCERPT_CHARACTERS)
