"""What a reader typed -> the terms a post has to hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from . import pinyin, tokens

QUERY_MAX_LENGTH = 100
MAX_TERMS = 24

_QUOTED = re.compile(r'"([^"]*)"|“([^”]*)”|「([^」]*)」|『([^』]*)』|«([^»]*)»')
_NO_WORD_BEFORE = rf"(?<![^\W_{tokens.DENSE}])"
_NO_WORD_AFTER = rf"(?![^\W_{tokens.DENSE}])"


@dataclass(frozen=True)
class Term:
    """A word, a run of Chinese, or a phrase in quotes."""

    needed: tuple[str, ...]  # a field that holds the term holds all these words of the index
    first: str  # its first and last unit, for the pairs with its neighbours
    last: str
    pattern: str  # finds it in folded text
    prefix: str = ""  # or: any word of the index that begins so
    letters: str = ""  # may be pinyin
    parts: str = ""  # finds what is left of it where it doesn't stand whole
    quoted: bool = False  # the words alone don't prove that they stand side by side


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
            pattern=re.escape(run),
            prefix=prefix,
            parts="|".join(map(re.escape, pieces)),
        )
    written = word + sign if sign else dot + word
    return Term(
        needed=(tokens.encoded(written),),
        first=word,
        last=word,
        pattern=_word_pattern(written),
        letters=written if pinyin.is_typed(written) else "",
    )


def _word_pattern(written: str) -> str:
    before = "" if written.startswith(".") else _NO_WORD_BEFORE
    after = "" if written[-1] in "+#" else _NO_WORD_AFTER
    return f"{before}{re.escape(written)}{after}"


def _phrase(text: str) -> list[Term]:
    terms = _plain(text)
    if len(terms) < 2 and (not terms or len(terms[0].needed) < 2):
        return terms
    joined = tokens.pairs([(term.first, term.last) for term in terms])
    pattern = terms[0].pattern + "".join(rf"[\W_]*{term.pattern}" for term in terms[1:])
    needed = dict.fromkeys(word for term in terms if not term.prefix for word in term.needed)
    return [
        Term(
            needed=(*needed, *dict.fromkeys(joined)),
            first=terms[0].first,
            last=terms[-1].last,
            pattern=pattern,
            quoted=True,
        )
    ]


def _begun(term: Term) -> Term:
    """The term as the beginning of a longer one; a run of Chinese needs no more than it says."""
    if term.quoted or term.prefix or len(term.needed) > 1 or term.needed[0].startswith("z"):
        return term
    pattern = f"{term.pattern.removesuffix(_NO_WORD_AFTER)}"
    return Term((), term.first, term.last, pattern, prefix=term.needed[0], letters=term.letters)


def in_order(terms: list[Term]) -> list[str]:
    """The pairs that a title holds when the terms stand in it one after the other."""
    return [tokens.pair(one.last, two.first) for one, two in pairwise(terms)]
