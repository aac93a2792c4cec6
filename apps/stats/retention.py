"""Bound the tables that grow every day: replace old daily rows by monthly rows, and delete old ids of batches."""

import datetime
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from .models import DailyReferrer, FlushedBatch, PostDailyViews
from .querysets import Dated, DatedQuerySet

MONTHS_KEPT = 13  # full months with daily rows, besides the present month
BATCHES_KEPT_DAYS = 7  # much longer than a hanging flusher can hold a batch


def roll_up(today: datetime.date) -> int:
    """Replace the daily rows of months older than MONTHS_KEPT by one row on the first of each month.

    There is one row for each post and for each referrer; the sums stay the same. Return by how many rows the tables
    have shrunk. Each month is one transaction. Costs 1 query for a month that has been rolled up before.
    """
    by_post, by_referrer = PostDailyViews.objects.all(), DailyReferrer.objects.all()
    return _roll_up(by_post, ("post_id",), today) + _roll_up(by_referrer, ("kind", "name"), today)


def prune_batches() -> int:
    """Delete the ids of batches that no flusher can hold any more. Return how many (1 statement)."""
    before = timezone.now() - datetime.timedelta(days=BATCHES_KEPT_DAYS)
    return FlushedBatch.objects.filter(applied_at__lt=before).delete()[0]


def _roll_up(rows: DatedQuerySet[Dated], key: tuple[str, ...], today: datetime.date) -> int:
    saved = 0
    for first, following in _months(rows.oldest_day(), today):
        if rows.in_month(first + datetime.timedelta(days=1), following).exists():
            saved += _roll_up_month(rows, key, first, following)
    return saved


@transaction.atomic
def _roll_up_month(
    rows: DatedQuerySet[Dated], key: tuple[str, ...], first: datetime.date, following: datetime.date
) -> int:
    month = rows.in_month(first, following)
    # No view is counted in a month this old. A second run at the same time would write the same sums.
    sums = list(month.order_by().values(*key).annotate(total=Sum("views")))
    before: int = month._raw_delete(month.db)
    of_month = [month.model(day=first, views=row.pop("total"), **row) for row in sums]
    rows.bulk_create(of_month, batch_size=1000)
    return before - len(of_month)


def _months(oldest: datetime.date | None, today: datetime.date) -> Iterator[tuple[datetime.date, datetime.date]]:
    """Yield the first day of each month to roll up, with the first day of the following month."""
    number = today.year * 12 + today.month - 1 - MONTHS_KEPT
    start = number if oldest is None else oldest.year * 12 + oldest.month - 1
    for month in range(start, number):
        yield _first(month), _first(month + 1)


def _first(number: int) -> datetime.date:
    return datetime.date(number // 12, number % 12 + 1, 1)
