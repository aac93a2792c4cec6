"""The numbers as CSV files that spreadsheets open."""

import csv
import datetime
from collections.abc import Callable, Iterable, Iterator

from django.contrib.auth.models import AnonymousUser, User

from .models import DailyReferrer, PostDailyViews
from .report import days, first_day

BOM = "\ufeff"  # without it Excel takes UTF-8 for something older
# A cell that begins so is a formula to a spreadsheet; titles and hosts come from others.
_FORMULA = tuple("=+-@＝＋－＠\t\r\n")


def _days(today: datetime.date, period: int, user: User | AnonymousUser) -> Iterator[Iterable[object]]:
    yield ("day", "page views", "unique visitors")
    yield from ((row.day, row.pv, row.uv) for row in days(today, period))


def _robots(today: datetime.date, period: int, user: User | AnonymousUser) -> Iterator[Iterable[object]]:
    yield ("day", "views by robots")
    yield from ((row.day, row.robots) for row in days(today, period))


def _posts(today: datetime.date, period: int, user: User | AnonymousUser) -> Iterator[Iterable[object]]:
    yield ("id", "title", "views")
    yield from PostDailyViews.objects.most_read(first_day(today, period), user)


def _referrers(today: datetime.date, period: int, user: User | AnonymousUser) -> Iterator[Iterable[object]]:
    yield ("kind", "referrer", "views")
    yield from DailyReferrer.objects.most(first_day(today, period))


EXPORTS: dict[str, Callable[[datetime.date, int, User | AnonymousUser], Iterator[Iterable[object]]]] = {
    "days": _days,
    "posts": _posts,
    "referrers": _referrers,
    "robots": _robots,
}


class _Line:
    def write(self, text: str) -> str:
        return text


def csv_lines(name: str, today: datetime.date, period: int, user: User | AnonymousUser) -> Iterator[str]:
    """Yield the lines of one of EXPORTS, read from the database as they are sent (1 query; posts 1 more for each 500).

    Posts that the user may not find are left out.

    The columns' names are English whatever the page's language is, so that a program can rely on them.
    """
    writer = csv.writer(_Line())
    yield BOM
    for row in EXPORTS[name](today, period, user):
        yield writer.writerow([_harmless(cell) for cell in row])


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
