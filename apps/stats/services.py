"""Counting a view and telling the day's numbers."""

import datetime

from django.http import HttpRequest
from django.utils import timezone

from .counters import Today, counter
from .visitors import counts, visitor_hash


def site_day() -> datetime.date:
    """Return today's date in the site's time zone."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def count_view(request: HttpRequest, post_id: int | None) -> None:
    """Count a view of the site, and of the post when one is named, unless the request doesn't count.

    Raises Post.DoesNotExist for an unknown post. Costs up to 6 statements with the database backend.
    """
    if counts(request):
        day = site_day()
        counter.hit(day, visitor_hash(request, counter.salt(day)), post_id)


def today() -> Today:
    """Return today's page views and unique visitors (1 query with the database backend)."""
    return counter.today(site_day())
