"""Write a batch of views from Redis to the tables, completely and exactly once."""

import datetime
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from apps.core.chunks import chunked
from apps.posts.models import Post

from .models import DailyReferrer, DailyViews, FlushedBatch, PostDailyViews

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """The counted views of a batch, read from the fields of its hash in Redis.

    d:DAY          page views of the site on a day
    b:DAY          views by robots on a day
    p:DAY:POST     views of a post on a day
    t:POST         views of a post on all days of the batch
    r:DAY:KIND:NAME  views from a referrer on a day
    """

    id: str
    pv: dict[datetime.date, int] = field(default_factory=dict)  # page views
    robots: dict[datetime.date, int] = field(default_factory=dict)
    posts: dict[datetime.date, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    totals: dict[int, int] = field(default_factory=dict)
    referrers: dict[tuple[datetime.date, str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> "Batch":
        batch = cls(fields[b"id"].decode())
        for name, number in fields.items():
            if name != b"id":
                batch._put(name.decode(), int(number))
        return batch

    def _put(self, name: str, number: int) -> None:
        kind, rest = name.split(":", 1)
        if kind == "t":
            self.totals[int(rest)] = number
            return
        day, _, rest = rest.partition(":")
        date = datetime.date.fromisoformat(day)
        match kind:
            case "d":
                self.pv[date] = number
            case "b":
                self.robots[date] = number
            case "p":
                self.posts[date][int(rest)] = number
            case "r":
                referrer, _, rest = rest.partition(":")
                self.referrers[date, referrer, rest] = number
            case _:
                logger.error("A batch of views has an unknown field: %r", name)

    @property
    def days(self) -> set[datetime.date]:
        return {*self.pv, *self.robots}


def apply(batch: Batch, visitors: Mapping[datetime.date, int]) -> bool:
    """Write the batch and its id in one transaction. Return False if the batch was written before.

    `visitors` is the number of unique visitors on each day of the batch so far. Costs about 6 statements and 2 for each
    day. Posts are updated in groups with the same number of views, so more statements are needed only for hundreds of
    posts or many different numbers. Every transaction locks rows in the same order: posts, their days, the site's days.
    """
    try:
        with transaction.atomic():
            FlushedBatch.objects.create(id=batch.id)  # a second flusher of the batch waits here for the first
            present = _count_posts(batch)
            for day, posts in sorted(batch.posts.items()):
                _count_day(day, {pk: views for pk, views in posts.items() if pk in present})
            DailyViews.objects.make(sorted(batch.days))
            for day in sorted(batch.days):
                DailyViews.objects.add(day, pv=batch.pv.get(day, 0), robots=batch.robots.get(day, 0))
                DailyViews.objects.filter(day=day).update(uv=Greatest("uv", visitors.get(day, 0)))
            _count_referrers(batch)
    except IntegrityError:
        if FlushedBatch.objects.filter(pk=batch.id).exists():
            return False
        raise
    return True


def _count_posts(batch: Batch) -> set[int]:
    """Add the views to the posts' totals. Lock the posts until the transaction ends, and return the ids that exist."""
    present: set[int] = set()
    for ids in chunked(sorted(batch.totals)):
        present.update(Post.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    for views, ids in _by_number({pk: views for pk, views in batch.totals.items() if pk in present}):
        Post.objects.filter(pk__in=ids).update(view_count=F("view_count") + views)
    return present


def _count_day(day: datetime.date, posts: Mapping[int, int]) -> None:
    for ids in chunked(sorted(posts)):
        PostDailyViews.objects.make(day, ids)
    for views, ids in _by_number(posts):
        PostDailyViews.objects.add(day, ids, views)


def _count_referrers(batch: Batch) -> None:
    rows = [DailyReferrer(day=day, kind=kind, name=name) for day, kind, name in sorted(batch.referrers)]
    DailyReferrer.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        DailyReferrer.objects.add(row.day, row.kind, row.name, batch.referrers[row.day, row.kind, row.name])


def _by_number(numbers: Mapping[int, int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Group ids by number, to update each group at once: in a minute most posts get one or two views."""
    together: dict[int, list[int]] = defaultdict(list)
    for pk, number in sorted(numbers.items()):
        together[number].append(pk)
    for number, ids in together.items():
        for some in chunked(ids):
            yield number, some
