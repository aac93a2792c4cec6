"""The posts that a post's page leads on to: the one before and the one after it in time, those that share the most tags
with it, then the last of its category.

What stands beside a post, and which posts got a tag last, or came last in a category, is remembered by each process
until lists change, or for 10 s: a page asks for nothing of that while the post's place, tags and category are known,
whichever post it is.
"""

from collections import Counter
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, DateTimeField
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
NEIGHBOURS_READ = 5  # on each side, so that what stands beside most of these is known as well
REMEMBERED = 3000  # tags, categories and places
MAX_AGE_SECONDS = 10  # of a change nobody announced

_AT, _MOMENT = Param("at", DateTimeField()), Param("moment", DateTimeField())
_POST, _CATEGORY = Param("post", BigIntegerField()), Param("category", BigIntegerField())
_TAGS = [f"tag_{number}" for number in range(TAGS_FOLLOWED)]
_COLUMNS = ("pk", "title", "slug", "language")

Row = list[Any]  # of a post: id, title, slug and language
Shelf = tuple[str, int | None]  # "tag", "category" or "beside", and the id of the tag, the category or the post
# Of a tag: ids of posts, beside each when it came, title, slug and language; of a category: posts; beside a post: two
# or None.
Rows = list[Any]


class Onward(NamedTuple):
    """Where a post leads to."""

    before: Row | None
    after: Row | None
    related: list[Row]  # at most 4


def _in_category() -> PostQuerySet:
    return Post.objects.in_order().until(_AT).in_category(_CATEGORY)


def _tagged(place: str) -> Any:
    tag = Param(place, BigIntegerField())
    return lambda: Post.objects.last_tagged(tag, _AT, "published_at", "title", "slug", "language")[:POSTS_LOOKED_AT]


_QUESTIONS = JoinedQueries(
    before=lambda: Post.objects.before(_MOMENT, _POST).values_list(*_COLUMNS)[:NEIGHBOURS_READ],
    after=lambda: Post.objects.after(_MOMENT, _POST, _AT).values_list(*_COLUMNS)[:NEIGHBOURS_READ],
    category=lambda: _in_category().values_list(*_COLUMNS)[:POSTS_LOOKED_AT],
    **{place: _tagged(place) for place in _TAGS},
)

_remembered = StampedCache[dict[Shelf, Rows]](MAX_AGE_SECONDS)  # under the stamp of the lists


def onward(post: Post, tags: list[int], lists_stamp: str) -> Onward:
    """Return the public post's neighbours, and up to 4 to read on: most shared tags first, the newest first.

    `tags` are the post's, in the order it got them. 1 query for what is not remembered, else none.
    """
    tag_shelves: list[Shelf] = [("tag", tag) for tag in tags[:TAGS_FOLLOWED]]
    found = _found([("beside", post.pk), ("category", post.category_id), *tag_shelves], post, lists_stamp)
    (before, after), in_category, *tagged = found
    shared = Counter(other for rows in tagged for other, _columns in rows)
    columns = dict[int, Any](row for rows in tagged for row in rows)
    best = sorted(shared, key=lambda other: (shared[other], columns[other], other), reverse=True)
    others: dict[int, Row] = {}
    for row in (*([other, *columns[other][1:]] for other in best), *in_category):
        others.setdefault(row[0], row)
    others.pop(post.pk, None)
    return Onward(before, after, list(others.values())[:RELATED_POSTS])


def _found(shelves: list[Shelf], post: Post, lists_stamp: str) -> list[Rows]:
    known = _remembered.get(lists_stamp)
    if known is None or len(known) > REMEMBERED:
        known = {}
        _remembered.put(known, lists_stamp)
    if missing := [shelf for shelf in shelves if shelf not in known]:
        known.update(_asked(missing, post))
    return [known[shelf] for shelf in shelves]


def _asked(shelves: list[Shelf], post: Post) -> dict[Shelf, Rows]:
    tags = iter(_TAGS)
    places = {shelf: next(tags) if shelf[0] == "tag" else "category" for shelf in shelves if shelf[0] != "beside"}
    sides = ("before", "after") if len(places) < len(shelves) else ()
    given = {place: pk for (_kind, pk), place in places.items()}
    without = tuple(part for part in ("before", "after", "category", *_TAGS) if part not in (*sides, *given))
    with replicas.reading():  # from the primary: other pages use it by the lists' stamp
        found = _QUESTIONS.ask(without, at=timezone.now(), moment=post.published_at, post=post.pk, **given)
    beside = _beside(found["before"], post, found["after"]) if sides else {}
    return beside | {shelf: [row for row in found[place] if row[1] is not None] for shelf, place in places.items()}


def _beside(before: list[Row], post: Post, after: list[Row]) -> dict[Shelf, Rows]:
    """What stands beside each of these posts of which both sides were seen."""
    line: list[Any] = [*reversed(before), [post.pk, post.title, post.slug, post.language], *after]
    if len(before) < NEIGHBOURS_READ:
        line.insert(0, None)
    if len(after) < NEIGHBOURS_READ:
        line.append(None)
    return {("beside", row[0]): [one, other] for one, row, other in zip(line, line[1:], line[2:], strict=False)}
