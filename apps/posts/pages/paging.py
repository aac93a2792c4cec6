"""Numbered pages that answer 404 to any number that is none of them."""

import datetime
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import DateTimeField, Field, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone

from apps.core.db import replicas
from apps.core.db.joined_queries import JoinedQueries, Param
from apps.core.http.request_info import BlogRequest

from ..addresses import last_page
from ..models import Post
from ..querysets import ListKey, ListRow, PostQuerySet
from .post_meta import ListItem, list_items

POSTS_PER_PAGE = 10
POSTS_PER_KEY = 100
KEYS_PER_BLOCK = 50  # of the cache: what a page reads of it doesn't grow with the list
KEYS_KEPT_SECONDS = 24 * 3600
MAX_DIGITS = 9
ELLIPSIS = None

_AT = Param("at", DateTimeField())


def requested_page(request: HttpRequest) -> int:
    """Return the number in `?page=`, 1 when there is none. Raises Http404 for anything but plain digits above zero."""
    asked = request.GET.get("page", "1")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= MAX_DIGITS and int(asked) > 0):
        raise Http404("No such page.")
    return int(asked)


class Bounds(NamedTuple):
    """The page of a list: its number, the last page's, and where its first item stands, from 0."""

    number: int
    last: int
    start: int


def bounds(number: int, total: int, per_page: int = POSTS_PER_PAGE) -> Bounds:
    """Return where that page of so many things begins. Raises Http404 when there are fewer pages."""
    last = last_page(total, per_page)
    if number > last:
        raise Http404("No such page.")
    return Bounds(number, last, (number - 1) * per_page)


@dataclass(frozen=True)
class Page:
    """A page of a list: its number, the last one's, and what stands on it."""

    number: int
    last: int
    items: list[ListItem]


class PostList:
    """Lists of one kind, in numbered pages.

    `posts` makes the queryset of what tells a list from the others of its kind, which are named with their fields. The
    SQL of the first hundred posts is made once for all lists of the kind (see JoinedQueries).
    """

    def __init__(self, kind: str, posts: Callable[..., PostQuerySet], **told_by: Field) -> None:
        self._kind = kind
        self._posts = posts
        self._places = {name: Param(name, field) for name, field in told_by.items()}
        self._pages: dict[int, JoinedQueries] = {}

    def page(self, request: BlogRequest, total: int, **values: int | datetime.datetime) -> Page:
        """Return the page that `?page=` asks for, of `total` posts. Raises Http404 when there is no such page.

        1 query; deep in a list 1 round trip to the cache besides, and 1 more query for the first such page after a
        change of the lists.
        """
        at = bounds(requested_page(request), total)
        before = at.start
        if before < POSTS_PER_KEY:
            found = self._near_the_top(before).ask(at=timezone.now(), **values)["rows"]
            rows = starmap(ListRow, found)
        else:
            posts = self._posts(**values)
            name = "-".join(map(str, [request.site.lists_stamp, self._kind, *values.values()]))
            part = posts.between(*_keys_around(before // POSTS_PER_KEY, posts, name)).list_rows()
            before %= POSTS_PER_KEY
            rows = starmap(ListRow, part[before : before + POSTS_PER_PAGE])
        return Page(at.number, at.last, list_items(rows, request.site))

    def _near_the_top(self, before: int) -> JoinedQueries:
        def rows() -> QuerySet[Post, tuple]:
            return self._posts(**self._places).until(_AT).list_rows()[before : before + POSTS_PER_PAGE]

        return self._pages.setdefault(before, JoinedQueries(rows=rows))


def _keys_around(number: int, posts: PostQuerySet, name: str) -> tuple[ListKey, ListKey | None]:
    """Return where that part of the list begins and the next one does: to count the posts before would take longer."""
    address = f"list-keys-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    block, place = divmod(number, KEYS_PER_BLOCK)
    keys = cache.get(f"{address}-{block}")
    if keys is None:
        with replicas.reading():  # from the primary: others use it by the lists' stamp
            every = posts.until(timezone.now()).keys_at_every(POSTS_PER_KEY)
        starts = range(0, len(every), KEYS_PER_BLOCK)  # each block also has the key that the next one begins with
        blocks = {start // KEYS_PER_BLOCK: every[start : start + KEYS_PER_BLOCK + 1] for start in starts}
        cache.set_many({f"{address}-{at}": of_block for at, of_block in blocks.items()}, KEYS_KEPT_SECONDS)
        keys = blocks.get(block, [])
    if place >= len(keys):  # posts went away a moment ago
        raise Http404("No such page.")
    return keys[place], keys[place + 1] if place + 1 < len(keys) else None


def numbers(current: int, last: int) -> Iterator[int | None]:
    """Yield the numbers a pager shows: both ends, two around the current one, ELLIPSIS where others are left out."""
    shown = sorted({1, last, *range(max(1, current - 2), min(last, current + 2) + 1)})
    before = 0
    for number in shown:
        if number - before == 2:
            yield number - 1  # an ellipsis that hides one number is no shorter than the number
        elif number - before > 2:
            yield ELLIPSIS
        yield number
        before = number
