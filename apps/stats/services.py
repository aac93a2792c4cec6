"""Counting a view and telling the day's numbers."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from wsgiref.types import WSGIEnvironment

from django.conf import settings
from django.utils import timezone

from apps.core.http.hosts import asked_as

from .counters import Numbers, View, counter
from .reconciling import correct_days, correct_posts
from .referrers import referrer_of
from .retention import prune_batches, roll_up
from .visitors import Who, visitor_hash, who


@dataclass(frozen=True, slots=True)
class Today:
    """The public numbers of a day."""

    pv: int
    uv: int


def site_day() -> datetime.date:
    """Return today's date in the site's time zone."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def count_view(meta: WSGIEnvironment, post_id: int | None, referrer: object = "", *, is_owner: bool = False) -> Numbers:
    """Count a view of the site, and of the post when one is named, unless the request doesn't count.

    `meta` is the request's WSGI environ, or Django's META; `post_id` is a post that exists; `referrer` is the address
    the reader says to have come from. Returns the numbers to show. Costs one round trip with Redis, 8 statements with
    the database (see the counters).
    """
    day = site_day()
    match who(meta, is_owner=is_owner):
        case Who.READER:
            visitor = visitor_hash(meta, counter().salt(day))
            return counter().hit(View(day, visitor, post_id, _referrer(meta, referrer)))
        case Who.ROBOT:
            return counter().hit(View(day, post_id=post_id))
        case Who.NOBODY:
            return counter().numbers(day, post_id)


def _referrer(meta: WSGIEnvironment, address: object) -> str:
    if not address:
        return ""
    return referrer_of(address, urlsplit(settings.SITE_URL).hostname or "", asked_as(meta).partition(":")[0])


def today(stored: Sequence[int] = (0, 0)) -> Today:
    """Return today's page views and unique visitors, `stored` being those in the tables (1 round trip with Redis)."""
    numbers = counter().newer_than_tables(site_day())
    if numbers.pv is None or numbers.uv is None:
        return Today(*stored)
    return Today(numbers.pv, numbers.uv)


def reconcile_views() -> int:
    """Put right, and log, what the totals say differently from what they are made of; return how many were off.

    What waits is flushed first. Then 3 queries, 1 for each 100 posts, and a few for each 500 posts that are off.
    """
    flush_views()
    corrected = correct_posts() + correct_days(site_day())
    counter().forget_totals()
    return corrected


def keep_bounded() -> int:
    """Roll up months long past, prune ids of batches; return how many rows that saved. Run it daily."""
    return roll_up(site_day()) + prune_batches()


def flush_views() -> int:
    """Bring what is counted into the tables; returns how many page views that were. Run it every minute."""
    return counter().drain()
