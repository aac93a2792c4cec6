"""A batch of views that Redis has collected, and its way into the tables: whole, and once."""

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
    """The counted views, read from the fields of a hash.

    d:DAY views of the site, b:DAY of robots, p:DAY:POST of a post, t:POST the same over all days, r:DAY:KIND:NAME from
    a referrer.
    """

    id: str
    pv: dict[datetime.date, int] = field(default_factory=dict)
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
                logger.error("A batch of views holds %r, which nobody knows.", name)

    @property
    def days(self) -> set[datetime.date]:
        return {*self.pv, *self.robots}


def apply(batch: Batch, visitors: Mapping[datetime.date, int]) -> bool:
    """Write the batch and its id in one transaction; False when that was done before.

    `visitors`: unique visitors of its days so far. Costs about 6 statements and 2 a day, more only by the hundreds of
    posts and by how different their numbers are. Locks in the order everybody keeps: posts, their days, the site's.
    """
    try:
        with transaction.atomic():
            FlushedBatch.objects.create(id=batch.id)  # a second flusher waits here until this one is through
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
    """Raise the posts' totals and return the ids of those that still exist, locked until the transaction ends."""
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
    """Ids that have the same number, together: most posts of a minute were read once or twice."""
    together: dict[int, list[int]] = defaultdict(list)
    for pk, number in sorted(numbers.items()):
        together[number].append(pk)
    for number, ids in together.items():
        for some in chunked(ids):
            yield number, some
