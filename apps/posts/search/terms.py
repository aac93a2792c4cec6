"""Turn what a reader typed into the terms a post has to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from . import pinyin, tokens

QUERY_MAX_LENGTH = 100
MAX_TERMS = 24

_QUOTED = re.compile(r'"([^"]*)"|“([^”]*)”|「([^」]*)」|『([^』]*)』|«([^»]*)»')
# Looked at where a term was found, and compiled once: in a pattern of each term they would take 5 ms a word to compile.
_OF_A_WORD = re.compile(rf"[^\W_{tokens.DENSE}]")
_BETWEEN_WORDS = re.compile(r"[\W_]*")

Span = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """A text to find in a folded text as it is written here, alone or as a part of a longer word."""

    written: str
    begins: bool = False  # no letter of a word stands before it
    ends: bool = False  # nor after it

    def ends_at(self, text: str, start: int) -> int:
        """Return where the piece that begins there ends, -1 when none does."""
        end = start + len(self.written)
        if not text.startswith(self.written, start):
            return -1
        if self.begins and start and _OF_A_WORD.match(text, start - 1):
            return -1
        return -1 if self.ends and _OF_A_WORD.match(text, end) else end


@dataclass(frozen=True)
class Term:
    """A word, a run of Chinese, or a phrase in quotes."""

    needed: tuple[str, ...]  # a field that holds the term holds all these words of the index
    first: str  # its first and last unit, for the pairs with its neighbours
    last: str
    pieces: tuple[Piece, ...]  # what it is in folded text, nothing but signs between them
    prefix: str = ""  # or: any word of the index that begins so
    letters: str = ""  # may be pinyin
    parts: str = ""  # finds what is left of it where it doesn't stand whole
    quoted: bool = False  # the words alone don't prove that they stand side by side

    def spans(self, text: str) -> Iterator[Span]:
        """Where the term stands in folded text, from the left (no pattern is compiled)."""
        first, *others = self.pieces
        start = text.find(first.written)
        while start >= 0:
            end = first.ends_at(text, start)
            for piece in others:
                if end < 0:
                    break
                end = _next_end(piece, text, end)
            if end > start:
                yield start, end
            start = text.find(first.written, end if end > start else start + 1)

    def stands_in(self, text: str) -> bool:
        return next(self.spans(text), None) is not None


def _next_end(piece: Piece, text: str, after: int) -> int:
    """Where the piece ends that comes next, nothing but signs before it; -1 when another thing does."""
    gap = _BETWEEN_WORDS.match(text, after)
    start = gap.end() if gap else after
    if piece.written.startswith(".") and start > after:  # the sign belongs to it, as in .net
        start -= 1
    return piece.ends_at(text, start)


def parse(text: str, *, unfinished: bool = False) -> list[Term]:
    """The terms of the first 100 characters; none when there is no letter or digit.

    `unfinished` takes the last word as the beginning of one, as while it is being typed.
    """
    text = tokens.fold(text[:QUERY_MAX_LENGTH])[: 2 * QUERY_MAX_LENGTH]
    terms: list[Term] = []
    position = 0
    for quoted in _QUOTED.finditer(text):
        terms += _plain(text[position : quoted.start()])
        terms += _phrase(next((group for group in quoted.groups() if group), ""))
        position = quoted.end()
    rest = text[position:]
    terms += _plain(rest)
    if unfinished and terms and rest and tokens.UNIT.search(rest[-1]):
        terms[-1] = _begun(terms[-1])
    return list(dict.fromkeys(terms))[:MAX_TERMS]


def _plain(text: str) -> list[Term]:
    return [_term(unit) for unit in tokens.UNIT.finditer(text)]


def _term(unit: re.Match[str]) -> Term:
    run, dot, word, sign = unit.groups()
    if run:
        prefix = "" if len(run) > 1 else tokens.single(run)
        pieces = [run[index : index + 2] for index in range(len(run) - 1)]
        return Term(
            needed=tuple(tokens.bigrams(run)),
            first=run[0],
            last=run[-1],
            pieces=(Piece(run),),
            prefix=prefix,
            parts="|".join(map(re.escape, pieces)),
        )
    written = word + sign if sign else dot + word
    return Term(
        needed=(tokens.encoded(written),),
        first=word,
        last=word,
        pieces=(Piece(written, begins=not written.startswith("."), ends=written[-1] not in "+#"),),
        letters=written if pinyin.is_typed(written) else "",
    )


def _phrase(text: str) -> list[Term]:
    terms = _plain(text)
    if len(terms) < 2 and (not terms or len(terms[0].needed) < 2):
        return terms
    joined = tokens.pairs([(term.first, term.last) for term in terms])
    needed = dict.fromkeys(word for term in terms if not term.prefix for word in term.needed)
    return [
        Term(
            needed=(*needed, *dict.fromkeys(joined)),
            first=terms[0].first,
            last=terms[-1].last,
            pieces=tuple(piece for term in terms for piece in term.pieces),
            quoted=True,
        )
    ]


def _begun(term: Term) -> Term:
    """The term as the beginning of a longer one; a run of Chinese needs no more than it says."""
    if term.quoted or term.prefix or len(term.needed) > 1 or term.needed[0].startswith("z"):
        return term
    pieces = (replace(term.pieces[0], ends=False),)
    return Term((), term.first, term.last, pieces, prefix=term.needed[0], letters=term.letters)


def in_order(terms: list[Term]) -> list[str]:
    """The pairs that a title holds when the terms stand in it one after the other."""
    return [tokens.pair(one.last, two.first) for one, two in pairwise(terms)]
