"""The content of the statistics page."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User

from .models import DailyReferrer, DailyViews, PostDailyViews
from .querysets import ReferrerTotal

PERIODS = (7, 30, 365)  # days, today among them
ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Day:
    day: datetime.date
    pv: int = 0
    uv: int = 0
    robots: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    days: Sequence[Day]  # without a gap, oldest first
    posts: Sequence[tuple[int, str, int]]  # id, title, views
    engines: Sequence[ReferrerTotal]
    hosts: Sequence[ReferrerTotal]
    from_others: int

    @property
    def pv(self) -> int:
        return sum(day.pv for day in self.days)

    @property
    def uv(self) -> int:
        return sum(day.uv for day in self.days)

    @property
    def robots(self) -> int:
        return sum(day.robots for day in self.days)


def report(today: datetime.date, period: int, user: User | AnonymousUser) -> Report:
    """Return the last `period` days, today among them, with the posts that the user may find (6 queries)."""
    since = first_day(today, period)
    engines, hosts, others = (DailyReferrer.objects.of_kind(kind) for kind in ("engine", "host", "other"))
    return Report(
        days=days(today, period),
        posts=list(PostDailyViews.objects.most_read(since, user, ROWS_SHOWN)),
        engines=list(engines.most(since, ROWS_SHOWN)),
        hosts=list(hosts.most(since, ROWS_SHOWN)),
        from_others=sum(row.total for row in others.most(since)),
    )


def days(today: datetime.date, period: int) -> list[Day]:
    """Return each of the days, also those on which nobody came (1 query)."""
    since = first_day(today, period)
    known = {row.day: Day(row.day, row.pv, row.uv, row.robots) for row in DailyViews.objects.since(since)}
    wanted = [since + datetime.timedelta(days=number) for number in range(period)]
    return [known.get(day, Day(day)) for day in wanted]


def first_day(today: datetime.date, period: int) -> datetime.date:
    return today - datetime.timedelta(days=period - 1)
