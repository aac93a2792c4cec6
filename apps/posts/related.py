"""The posts that a post's page leads on to: those that share the most tags with it, then the last of its category.

Which posts got a tag last, and came last in a category, is remembered by each process until lists change, or for 10 s:
a page asks for nothing of that while the tags and the category of its post are known, whichever post it is.
"""

import time
from collections import Counter
from typing import Any

from django.db.models import BigIntegerField, DateTimeField
from django.utils import timezone

from blog_xtg import replicas

from .models import Post
from .querysets import PostQuerySet
from .together import Given, Together

RELATED_POSTS = 4
# Of each of so many tags, the so many posts that got it last are looked at: the cost doesn't grow with the blog.
TAGS_FOLLOWED = 4
POSTS_LOOKED_AT = 9  # the post itself may be one of them
SHELVES_REMEMBERED = 1000
MAX_AGE_SECONDS = 10  # of a change nobody announced

_AT, _CATEGORY = Given("at", DateTimeField()), Given("category", BigIntegerField())
_TAGS = [f"tag_{number}" for number in range(TAGS_FOLLOWED)]

Shelf = tuple[str, int | None]  # "tag" or "category", and its id
Rows = list[list[Any]]  # of a tag: ids of posts, beside each when it came, title and slug; of a category without when


def _in_category() -> PostQuerySet:
    return Post.objects.in_order().until(_AT).in_category(_CATEGORY)


def _tagged(place: str) -> Any:
    tag = Given(place, BigIntegerField())
    return lambda: Post.objects.last_tagged(tag, _AT, "published_at", "title", "slug")[:POSTS_LOOKED_AT]


_QUESTIONS = Together(
    category=lambda: _in_category().values_list("pk", "title", "slug")[:POSTS_LOOKED_AT],
    **{place: _tagged(place) for place in _TAGS},
)

# Under one stamp of the lists, until time.monotonic() says so.
_remembered: tuple[str, float, dict[Shelf, Rows]] = ("", 0.0, {})


def related(pk: int, tags: list[int], category: int | None, lists_stamp: str) -> list[list[Any]]:
    """Return id, title and slug of up to 4 posts to read on: most shared tags first, the newest first.

    `tags` and `category` are the post's, the tags in the order it got them. 1 query for what is not remembered of them,
    else none.
    """
    shelves: list[Shelf] = [*(("tag", tag) for tag in tags[:TAGS_FOLLOWED]), ("category", category)]
    *tagged, beside = _last_on(shelves, lists_stamp)
    shared = Counter(other for rows in tagged for other, _columns in rows)
    columns = dict[int, Any](row for rows in tagged for row in rows)
    best = sorted(shared, key=lambda other: (shared[other], columns[other], other), reverse=True)
    found: dict[int, list[Any]] = {}
    for row in (*([other, *columns[other][1:]] for other in best), *beside):
        found.setdefault(row[0], row)
    found.pop(pk, None)
    return list(found.values())[:RELATED_POSTS]


def _last_on(shelves: list[Shelf], lists_stamp: str) -> list[Rows]:
    global _remembered
    stamp, good_until, known = _remembered
    if stamp != lists_stamp or time.monotonic() > good_until or len(known) > SHELVES_REMEMBERED:
        known = {}
        _remembered = lists_stamp, time.monotonic() + MAX_AGE_SECONDS, known
    if missing := [shelf for shelf in shelves if shelf not in known]:
        known.update(_asked(missing))
    return [known[shelf] for shelf in shelves]


def _asked(shelves: list[Shelf]) -> dict[Shelf, Rows]:
    tags = iter(_TAGS)
    places = {shelf: next(tags) if shelf[0] == "tag" else "category" for shelf in shelves}
    given = {place: pk for (_kind, pk), place in places.items()}
    without = tuple(place for place in ("category", *_TAGS) if place not in given)
    with replicas.reading():  # from the primary: other pages use it by the lists' stamp
        found = _QUESTIONS.ask(without, at=timezone.now(), **given)
    return {shelf: [row for row in found[place] if row[1] is not None] for shelf, place in places.items()}
