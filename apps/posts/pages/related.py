"""The posts that a post's page leads on to: its neighbours in time, and posts to read next.

Each process remembers the neighbours of posts, which posts came last in a category, and which got a tag last, while the
lists are the same, for 10 s at most. A page whose post, category and tags are remembered costs no query.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import BigIntegerField, DateTimeField, QuerySet
from django.utils import timezone

from apps.core.db import replicas
from apps.core.db.joined_queries import JoinedQueries, Param
from apps.core.resilience import StampedCache

from ..models import Post
from ..querysets import PostQuerySet

RELATED_POSTS = 4
# Of each of so many tags, the so many posts that got it last are looked at: the cost doesn't grow with the blog.
TAGS_FOLLOWED = 4
POSTS_LOOKED_AT = 9  # the post itself may be one of them
NEIGHBOURS_READ = 5  # on each side, so that the neighbours of most of these are known as well
REMEMBERED = 3000  # posts, categories and tags
MAX_AGE_SECONDS = 10  # of a change nobody announced

_AT, _MOMENT = Param("at", DateTimeField()), Param("moment", DateTimeField())
_POST, _CATEGORY = Param("post", BigIntegerField()), Param("category", BigIntegerField())
_SIDES = ("before", "after")
_TAGS = tuple(f"tag_{number}" for number in range(TAGS_FOLLOWED))
_COLUMNS = ("pk", "title", "slug", "language")


class OtherPost(NamedTuple):
    """A post as a link to it needs it."""

    pk: int
    title: str
    slug: str
    language: str


class TaggedPost(NamedTuple):
    """A post that shares a tag, with its publication time (ISO 8601)."""

    published_at: str
    post: OtherPost


class Neighbours(NamedTuple):
    """The posts before and after one in time, None where the list ends."""

    before: OtherPost | None
    after: OtherPost | None


@dataclass
class Known:
    """The part of the lists that this process has read under one stamp."""

    neighbours: dict[int, Neighbours] = field(default_factory=dict)  # by post
    in_category: dict[int | None, list[OtherPost]] = field(default_factory=dict)  # the newest first
    with_tag: dict[int, list[TaggedPost]] = field(default_factory=dict)  # the last to get the tag first

    def __len__(self) -> int:
        return len(self.neighbours) + len(self.in_category) + len(self.with_tag)


def _in_category() -> PostQuerySet:
    return Post.objects.in_order().until(_AT).in_category(_CATEGORY)


def _tagged(place: str) -> Callable[[], QuerySet]:
    tag = Param(place, BigIntegerField())
    return lambda: Post.objects.last_tagged(tag, _AT, "published_at", "title", "slug", "language")[:POSTS_LOOKED_AT]


_QUESTIONS = JoinedQueries(
    before=lambda: Post.objects.before(_MOMENT, _POST).values_list(*_COLUMNS)[:NEIGHBOURS_READ],
    after=lambda: Post.objects.after(_MOMENT, _POST, _AT).values_list(*_COLUMNS)[:NEIGHBOURS_READ],
    category=lambda: _in_category().values_list(*_COLUMNS)[:POSTS_LOOKED_AT],
    **{place: _tagged(place) for place in _TAGS},
)

_remembered = StampedCache[Known](MAX_AGE_SECONDS)  # under the stamp of the lists


def known_around(post: Post, tags: list[int], lists_stamp: str) -> Known:
    """Return what neighbours_of() and related_to() need of a listed post (1 query for what is not remembered).

    `tags` are the post's, in the order it got them.
    """
    known = _remembered.get(lists_stamp)
    if known is None or len(known) > REMEMBERED:
        known = Known()
        _remembered.put(known, lists_stamp)
    missing_tags = [tag for tag in tags[:TAGS_FOLLOWED] if tag not in known.with_tag]
    parts = () if post.pk in known.neighbours else _SIDES
    if post.category_id not in known.in_category:
        parts = (*parts, "category")
    if parts or missing_tags:
        _read(known, post, parts, missing_tags)
    return known


def neighbours_of(post: Post, known: Known) -> Neighbours:
    """Return the posts before and after it in time."""
    return known.neighbours[post.pk]


def related_to(post: Post, tags: list[int], known: Known) -> list[OtherPost]:
    """Return up to 4 posts: first those that share the most tags with it, the newest first, then its category's."""
    tagged = [row for tag in tags[:TAGS_FOLLOWED] for row in known.with_tag[tag]]
    shared = Counter(row.post.pk for row in tagged)
    best = sorted(tagged, key=lambda row: (shared[row.post.pk], row.published_at, row.post.pk), reverse=True)
    others = {other.pk: other for other in (*(row.post for row in best), *known.in_category[post.category_id])}
    others.pop(post.pk, None)
    return list(others.values())[:RELATED_POSTS]


def _read(known: Known, post: Post, parts: tuple[str, ...], tags: list[int]) -> None:
    """Add to what is known these parts of the question, and the tags (1 query)."""
    places = dict(zip(_TAGS, tags, strict=False))
    without = tuple(part for part in (*_SIDES, "category", *_TAGS) if part not in {*parts, *places})
    given = {"at": timezone.now(), "moment": post.published_at, "post": post.pk, "category": post.category_id}
    with replicas.reading():  # from the primary: other pages use it by the lists' stamp
        found = _QUESTIONS.ask(without, **given, **places)
    if "before" in parts:
        before, after = ([OtherPost(*row) for row in found[side]] for side in _SIDES)
        known.neighbours |= _lined_up(before, post, after)
    if "category" in parts:
        known.in_category[post.category_id] = [OtherPost(*row) for row in found["category"]]
    for place, tag in places.items():
        rows = ((pk, columns) for pk, columns in found[place] if columns is not None)  # None: no list shows it
        known.with_tag[tag] = [TaggedPost(columns[0], OtherPost(pk, *columns[1:])) for pk, columns in rows]


def _lined_up(before: list[OtherPost], post: Post, after: list[OtherPost]) -> dict[int, Neighbours]:
    """The neighbours of each of these posts of which both sides were read; `before` has the latest first."""
    line = [*reversed(before), OtherPost(post.pk, post.title, post.slug, post.language), *after]
    first = 0 if len(before) < NEIGHBOURS_READ else 1  # fewer than were asked for: there the list ends
    beyond = len(line) if len(after) < NEIGHBOURS_READ else len(line) - 1
    return {
        line[at].pk: Neighbours(line[at - 1] if at > 0 else None, line[at + 1] if at + 1 < len(line) else None)
        for at in range(first, beyond)
    }
