"""The posts that a post's page leads on to: those that share the most tags with it, then its category's earlier ones.

Which posts got a tag last is remembered by each process, tag by tag, until lists change, or for 10 s: a page asks for
nothing of that while the tags of its post are known, whichever post it is.
"""

import time
from collections import Counter
from typing import Any

from django.db.models import BigIntegerField, DateTimeField
from django.utils import timezone

from blog_xtg import replicas

from .models import Post
from .together import Given, Together

RELATED_POSTS = 4
# Of each of so many tags, the so many posts that got it last are looked at: the cost doesn't grow with the blog.
TAGS_FOLLOWED = 4
POSTS_OF_A_TAG = 9  # the post itself may be one of them
TAGS_REMEMBERED = 1000
MAX_AGE_SECONDS = 10  # of a change nobody announced

_AT = Given("at", DateTimeField())
_PLACES = [f"tag_{number}" for number in range(TAGS_FOLLOWED)]


def _part(place: str) -> Any:
    tag = Given(place, BigIntegerField())
    return lambda: Post.objects.last_tagged(tag, _AT, "published_at", "title", "slug")[:POSTS_OF_A_TAG]


_QUESTIONS = Together(**{place: _part(place) for place in _PLACES})

# Under one stamp of the lists, until time.monotonic() says so: rows of id and columns by the id of the tag.
_remembered: tuple[str, float, dict[int, list[list[Any]]]] = ("", 0.0, {})


def related(pk: int, tags: list[int], beside: list[list[Any]], lists_stamp: str) -> list[list[Any]]:
    """Return id, title and slug of up to 4 posts to read on: most shared tags first, the newest first; then `beside`.

    `tags` are the post's, in the order it got them; `beside` are rows of the same kind. 1 query for tags that are not
    remembered, else none.
    """
    tagged = [row for rows in _last_tagged(tags[:TAGS_FOLLOWED], lists_stamp) for row in rows if row[0] != pk]
    shared = Counter(other for other, _columns in tagged)
    columns = dict[int, Any](tagged)
    best = sorted(shared, key=lambda other: (shared[other], columns[other], other), reverse=True)
    found = {other: [other, title, slug] for other, title, slug in beside}
    found |= {other: [other, *columns[other][1:]] for other in best}
    return [found[other] for other in dict.fromkeys([*best, *(other for other, *_rest in beside)])][:RELATED_POSTS]


def _last_tagged(tags: list[int], lists_stamp: str) -> list[list[list[Any]]]:
    global _remembered
    stamp, good_until, known = _remembered
    if stamp != lists_stamp or time.monotonic() > good_until or len(known) > TAGS_REMEMBERED:
        known = {}
        _remembered = lists_stamp, time.monotonic() + MAX_AGE_SECONDS, known
    if missing := [tag for tag in tags if tag not in known]:
        given = dict.fromkeys(_PLACES) | dict(zip(_PLACES, missing, strict=False))
        with replicas.reading():  # from the primary: other pages use it by the lists' stamp
            found = _QUESTIONS.ask(at=timezone.now(), **given)
        for tag, place in zip(missing, _PLACES, strict=False):
            known[tag] = [row for row in found[place] if row[1]]
    return [known[tag] for tag in tags]
