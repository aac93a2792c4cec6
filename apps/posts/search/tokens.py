"""Text -> the words it is found by. Pure functions: no database, no settings.

A word of the index is ASCII and at most 60 characters long, so that no collation has a say in what equals what:

    wdjango wc++ w.net        a word of letters or digits; with its signs it is a word of its own, beside the bare one
    u0043804...               a word of another alphabet, five hexadecimal digits for a character
    z0657004 ...              two neighbouring characters of a script without spaces (Chinese, Japanese, Korean, Thai)
    z06570                    the last character of such a run, so that each character begins one word
    x1f3a                     two neighbours of which one is a word, as one of 65,536 numbers: narrows down phrases

In the table a letter for the field stands before it: t title, g tags, b body; see pinyin.py for p and q.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from zlib import crc32

VERSION = 1  # of what stands in the index; another number, and every post is indexed anew
MAX_TEXT_CHARACTERS = 200_000  # of a body, a novel (2 s to index); what comes after is not found
MAX_WORD_CHARACTERS = 40
MAX_ENCODED_CHARACTERS = 10

DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
UNIT = re.compile(rf"([{DENSE}]+)|(\.?)([^\W_{DENSE}]+)(\+\+|[+#])?")

_ACCENTED = re.compile("[\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]")
_ACCENTS = re.compile("([a-z])[\u0300-\u036f]+")
# All but ASCII, common Chinese characters and their punctuation, which NFKC leaves alone.
_COMPATIBLE = re.compile("[^\u0000-\u007f\u2014\u2018-\u201d\u3001-\u3011\u4e00-\u9fff]+")


def fold(text: str) -> str:
    """The text without what readers don't tell apart: case, full and half width, accents of Latin letters."""
    if text.isascii():
        return text.lower()
    text = _normalized(text).casefold()
    if _ACCENTED.search(text):
        text = unicodedata.normalize("NFC", _ACCENTS.sub(r"\1", unicodedata.normalize("NFD", text)))
    return text


def _normalized(text: str) -> str:
    """NFKC, of Chinese in a fifth of the time."""
    return _COMPATIBLE.sub(lambda part: unicodedata.normalize("NFKC", part[0]), text)


def words(text: str) -> set[str]:
    """All words the text is found by (1.5 ms for 600 words)."""
    found: set[str] = set()
    before = ""
    for unit in UNIT.finditer(fold(text[:MAX_TEXT_CHARACTERS])):
        run, dot, word, sign = unit.groups()
        if run:
            found.update(bigrams(run))
            found.add(single(run[-1]))
            first, last = run[0], run[-1]
        else:
            found.add(encoded(word))
            if dot:
                found.add(encoded(dot + word))
            if sign:
                found.add(encoded(word + sign))
            first = last = word
        if before:
            found.add(pair(before, first))
        before = last
    return found


def bigrams(run: str) -> list[str]:
    codes = [f"{ord(character):05x}" for character in run]
    return [f"z{one}{two}" for one, two in pairwise(codes)]


def single(character: str) -> str:
    return f"z{ord(character):05x}"


def encoded(word: str) -> str:
    if word.isascii():
        return f"w{word[:MAX_WORD_CHARACTERS]}"
    return "u" + "".join(f"{ord(character):05x}" for character in word[:MAX_ENCODED_CHARACTERS])


def pair(one: str, two: str) -> str:
    return f"x{crc32(f'{one} {two}'.encode('utf-8', 'replace')) & 0xFFFF:04x}"


def pairs(units: list[tuple[str, str]]) -> Iterator[str]:
    """The pairs between units, each given by its first and its last part."""
    for (_first, last), (first, _last) in pairwise(units):
        yield pair(last, first)
