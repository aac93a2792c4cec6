"""Questions to the index: the posts a reader looks for, and the titles offered while typing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString

from ..models import Post, SearchWord
from . import blocks, pinyin, tokens
from .blocks import Bits
from .marks import Marker
from .terms import Term, in_order, parse

if TYPE_CHECKING:
    from ..querysets.search import HitPost

SUGGESTIONS = 8
SUGGESTIONS_LOOKED_AT = 200
MANY = 500  # posts are not looked up one by one
# Twice as many posts are looked at as are wanted, and some more: some are hidden, and hits are not spread evenly.
SPARE = 20
PHRASES_READ = 50
NEARLY = 0.6  # of what was asked: enough when no post holds all of it
FIELDS = "tgb"
PINYIN_FIELDS = "pq"


@dataclass(frozen=True)
class Hit:
    """A post with the reason it was found, as HTML."""

    post: Post
    title: SafeString
    excerpt: SafeString | str


@dataclass(frozen=True)
class Results:
    total: int = 0
    hits: list[Hit] = field(default_factory=list)
    nearly: bool = False  # no post holds everything that was asked; these hold most of it


def search(text: str, *, offset: int = 0, limit: int = 10) -> Results:
    """Public posts and pages that hold every term, best first, and among equals the newest first.

    Best is a title that holds the terms in their order, then all of them in the title, in title and tags, at least one
    in the title, in tags and body, and last titles that sound like the letters typed.

    3 queries, whatever the text; none when it has no letter or digit. One more for a phrase in quotes, where only
    hidden posts hold all, and where the posts asked for are neither few nor among the newest.
    """
    terms = parse(text)
    if not terms:
        return Results()
    words = _Words(terms)
    wanted = offset + limit + (PHRASES_READ if any(term.quoted for term in terms) else 0)
    ranked: list[int] = []
    total = 0
    nearly = False
    for ways in (_whole, _with_short_initials, _most):
        nearly = ways is _most
        ranked, total = _visible(ways(terms, words), wanted)
        if not nearly:
            holding = _holding_phrases(ranked, terms, words)
            total -= len(ranked) - len(holding)
            ranked = holding
        if ranked:
            break
    marker = Marker(terms)
    posts = Post.objects.for_hits(ranked[offset : offset + limit])
    hits = [Hit(post, marker.title(post.title, post.reading or ""), _excerpt(post, marker)) for post in posts]
    return Results(total, hits, nearly and bool(ranked))


def suggest(text: str, *, limit: int = SUGGESTIONS) -> list[Post]:
    """Public posts and pages whose titles hold what is being typed, or sound like it, newest first (2 queries).

    Looks at the 200 posts made last of those whose title matches.
    """
    terms = parse(text, unfinished=True)
    if not terms:
        return []
    words = _Words(terms, fields="t", pinyin_fields="p", unfinished=True)
    literal = [words.holding(term, "t") for term in terms]
    anyhow = [blocks.union([words.holding(term, "t"), words.sounding(term, short=True)]) for term in terms]
    by_word = sorted(blocks.ids(blocks.intersection(literal)), reverse=True)[:SUGGESTIONS_LOOKED_AT]
    known = set(by_word)
    by_sound = [pk for pk in sorted(blocks.ids(blocks.intersection(anyhow)), reverse=True) if pk not in known]
    found = Post.objects.titled([*by_word, *by_sound][:SUGGESTIONS_LOOKED_AT])
    return sorted(found, key=lambda post: post.pk not in known)[:limit]


class _Words:
    """The rows of the index that the terms name, read in one query."""

    def __init__(
        self, terms: list[Term], *, fields: str = FIELDS, pinyin_fields: str = PINYIN_FIELDS, unfinished: bool = False
    ) -> None:
        self.unfinished = unfinished
        self.pinyin_fields = pinyin_fields
        exact = {letter + word for term in terms for letter in fields for word in term.needed}
        exact |= {f"t{word}" for word in in_order(terms)}
        begun = {letter + term.prefix for term in terms for letter in fields if term.prefix}
        for term in terms:
            for needed, prefix in self._readings(term):
                exact |= {letter + word for letter in pinyin_fields for word in needed}
                begun |= {letter + prefix for letter in pinyin_fields if prefix}
        self.bits: dict[str, Bits] = {}
        gathered: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        for token, block, posts in SearchWord.objects.named(exact, begun):
            if token in exact:
                self.bits.setdefault(token, {})[block] = blocks.unpack(posts)
            for prefix in begun:
                if token.startswith(prefix):
                    gathered[prefix, block].append(posts)
        for (prefix, block), stored in gathered.items():
            self.bits.setdefault(f"{prefix}*", {})[block] = blocks.unpack_any(stored)

    def of(self, word: str) -> Bits:
        return self.bits.get(word, {})

    def holding(self, term: Term, letter: str) -> Bits:
        """Posts of which this field holds the whole term."""
        if term.prefix:
            return self.of(f"{letter}{term.prefix}*")
        return blocks.intersection(self.of(letter + word) for word in term.needed)

    def sounding(self, term: Term, *, short: bool) -> Bits:
        """Posts whose title or tags sound like it; `short` takes two letters for initials as well."""
        found = []
        for needed, prefix in self._readings(term):
            if not short and needed and needed[0] == f"i{term.letters}" and len(term.letters) == 2:
                continue
            for letter in self.pinyin_fields:
                every = [self.of(letter + word) for word in needed]
                found.append(blocks.intersection([*every, self.of(f"{letter}{prefix}*")] if prefix else every))
        return blocks.union(found)

    def _readings(self, term: Term) -> Iterable[tuple[tuple[str, ...], str]]:
        """Words of which a sounding title holds all, and the beginning of one more."""
        if not term.letters:
            return
        yield pinyin.needed_initials(term.letters), ""
        for way in pinyin.segmentations(term.letters, unfinished=self.unfinished):
            needed = pinyin.needed(way)
            yield (needed[:-1], needed[-1]) if self.unfinished else (needed, "")


def _whole(terms: list[Term], words: _Words) -> list[Bits]:
    """Sets of posts that hold every term, the best set first."""
    titles, title_or_tags, literal, anyhow = [], [], [], []
    for term in terms:
        title, tags, body = (words.holding(term, letter) for letter in FIELDS)
        titles.append(title)
        title_or_tags.append(blocks.union([title, tags]))
        literal.append(blocks.union([title, tags, body]))
        anyhow.append(blocks.union([literal[-1], words.sounding(term, short=False)]))
    in_title, in_all = blocks.intersection(titles), blocks.intersection(literal)
    return [
        blocks.intersection([in_title, *(words.of(f"t{word}") for word in in_order(terms))]),
        in_title,
        blocks.intersection(title_or_tags),
        blocks.intersection([in_all, blocks.union(titles)]),
        in_all,
        blocks.intersection(anyhow),
    ]


def _with_short_initials(terms: list[Term], words: _Words) -> list[Bits]:
    """Two letters are the initials of too many titles to be tried before everything else has failed."""
    if not any(len(term.letters) == 2 for term in terms):
        return []
    anyhow = [
        blocks.union([*(words.holding(term, letter) for letter in FIELDS), words.sounding(term, short=True)])
        for term in terms
    ]
    return [blocks.intersection(anyhow)]


def _most(terms: list[Term], words: _Words) -> list[Bits]:
    """Posts that hold most words of a longer query, such as a whole question in Chinese."""
    in_title, anywhere = [], []
    for term in terms:
        sounding = words.sounding(term, short=False)
        for word in [word for word in term.needed if not word.startswith("x")] or [f"{term.prefix}*"]:
            fields = [words.of(letter + word) for letter in FIELDS]
            in_title.append(fields[0])
            anywhere.append(blocks.union([*fields, sounding]))
    if len(anywhere) < 3:
        return []
    enough = math.ceil(NEARLY * len(anywhere))
    return [blocks.at_least(enough, in_title), blocks.at_least(enough, anywhere)]


def _visible(tiers: list[Bits], wanted: int) -> tuple[list[int], int]:
    """The public ones of these posts, best set first, each newest first: the first `wanted` or more; how many in all.

    1 query that reads few rows however many posts there are, none without a post. One more, which reads the ids of all
    that is public, when the posts wanted are neither few nor among the newest.
    """
    apart: list[Bits] = []
    every: Bits = {}
    for bits in tiers:
        apart.append(blocks.difference(bits, every))
        every = blocks.union([every, bits])
    if not every:
        return [], 0
    if blocks.count(every) < MANY:
        ranked = _ranked(apart, Post.objects.searchable_ids(blocks.ids(every)))
        return ranked, len(ranked)
    newest, hidden = Post.objects.newest_searchable_ids(*_to_read(apart, wanted))
    known, without = blocks.of(newest), blocks.of(hidden)
    public = [blocks.difference(bits, without) for bits in apart]
    total = sum(map(blocks.count, public))
    certain = next((number for number, bits in enumerate(public, 1) if blocks.difference(bits, known)), len(public))
    ranked = _ranked([blocks.intersection([bits, known]) for bits in public[:certain]], newest)
    if len(ranked) >= min(wanted, total):
        return ranked, total
    ranked = _ranked(public, Post.objects.searchable_ids())
    return ranked, len(ranked)


def _to_read(tiers: list[Bits], wanted: int) -> tuple[int, list[int]]:
    """How many of the newest posts are likely to hold the first `wanted` of the tiers, and ids to look up besides."""
    missing = 2 * wanted + SPARE
    looked_up: list[int] = []
    for bits in tiers:
        size = blocks.count(bits)
        if len(looked_up) + size >= MANY:
            return missing * len(bits) * blocks.SIZE // size, looked_up
        looked_up += blocks.ids(bits)
        missing -= size
        if missing <= 0:
            break
    return 1, looked_up


def _ranked(tiers: list[Bits], order: list[int]) -> list[int]:
    tier_of = {pk: number for number, bits in enumerate(tiers) for pk in blocks.ids(bits)}
    ranked: list[list[int]] = [[] for _ in tiers]
    for pk in order:
        if (tier := tier_of.get(pk)) is not None:
            ranked[tier].append(pk)
    return [pk for of_tier in ranked for pk in of_tier]


def _holding_phrases(ranked: list[int], terms: list[Term], words: _Words) -> list[int]:
    """Those that really hold the quoted phrases; after the first 50, and in tags, the index is believed (1 query)."""
    quoted = [(term, set(blocks.ids(words.holding(term, "g")))) for term in terms if term.quoted]
    if not quoted or not ranked:
        return ranked
    texts = Post.objects.searched_texts(ranked[:PHRASES_READ])

    def holds(pk: int) -> bool:
        folded = [tokens.fold(text) for text in texts.get(pk, ())]
        return all(pk in tagged or any(term.stands_in(text) for text in folded) for term, tagged in quoted)

    return [pk for pk in ranked[:PHRASES_READ] if holds(pk)] + ranked[PHRASES_READ:]


def _excerpt(post: HitPost, marker: Marker) -> SafeString | str:
    text = "" if post.password else post.beginning
    return marker.excerpt(text) or marker.title(post.excerpt)
