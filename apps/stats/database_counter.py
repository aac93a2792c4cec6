"""Views counted straight into the tables: exact, and quick enough for a blog of one."""

import datetime
import secrets

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.posts.models import Post

from .counters import Numbers, View
from .models import DailyReferrer, DailySalt, DailyViews, DailyVisitor, PostDailyViews
from .referrers import NAMES_A_DAY, OTHER


class DatabaseCounter:
    """One transaction a view."""

    def __init__(self) -> None:
        self._salt: tuple[datetime.date, bytes] | None = None

    def salt(self, day: datetime.date) -> bytes:
        """Return that day's secret (a query at the process's first view of the day)."""
        if self._salt is None or self._salt[0] != day:
            row, made = DailySalt.objects.get_or_create(day=day, defaults={"salt": secrets.token_bytes(32)})
            if made:
                forget_before(day)
            self._salt = (day, bytes(row.salt))
        return self._salt[1]

    def hit(self, view: View) -> Numbers:
        """Count one view and return its numbers (8 statements, BEGIN and COMMIT among them, 5 without a post).

        1 more for a referrer, 4 for a visitor who is new today, and 11 to 19 for what the day hasn't seen before.
        Rows are made outside the transaction that counts: a duplicate key inside it would leave a lock behind, and on
        MariaDB two of those are a deadlock. Inside, everybody locks in the same order: post, its day, the site's day.
        """
        if not self._count(view):
            DailyViews.objects.make([view.day])
            if view.post_id is not None and Post.objects.filter(pk=view.post_id).exists():
                PostDailyViews.objects.make(view.day, [view.post_id])
            if view.referrer:
                _make_referrer(view)
            self._count(view)
        return self.numbers(view.day, view.post_id)

    def _count(self, view: View) -> bool:
        """Count one view; False, with nothing counted, when one of its rows is not made yet."""
        with transaction.atomic():
            counted = self._count_reader(view) if view.visitor else DailyViews.objects.add(view.day, robots=1)
            if not counted:
                transaction.set_rollback(True)
        return counted

    def _count_reader(self, view: View) -> bool:
        day, post_id = view.day, view.post_id
        if post_id is not None and _raise_total(post_id) and not PostDailyViews.objects.add(day, [post_id], 1):
            return False
        if not DailyViews.objects.add(day, pv=1):
            return False
        if view.referrer:
            kind, _, name = view.referrer.partition(":")
            if not (DailyReferrer.objects.add(day, kind, name, 1) or (_is_bounded(kind) and _add_other(day))):
                return False
        if _is_new(day, view.visitor):
            DailyViews.objects.add(day, uv=1)
        return True

    def numbers(self, day: datetime.date, post_id: int | None = None) -> Numbers:
        """Return the numbers as the tables have them (1 query, 2 with a post)."""
        views = None
        if post_id is not None:
            views = Post.objects.filter(pk=post_id).values_list("view_count", flat=True).first()
        return Numbers(*DailyViews.objects.numbers(day), views)

    def newer_than_tables(self, day: datetime.date) -> Numbers:
        """Return none: the tables are all there is."""
        return Numbers()

    def drain(self) -> int:
        """Return 0: nothing waits."""
        return 0

    def forget_totals(self) -> None:
        """Nothing is kept."""


def forget_before(day: datetime.date) -> None:
    """Drop the salts and visitor hashes of earlier days: nobody can be followed from one day to the next."""
    DailySalt.objects.filter(day__lt=day).delete()
    DailyVisitor.objects.filter(day__lt=day).delete()


def _raise_total(post_id: int) -> bool:
    """Count the post's view, its row locked until the transaction ends; False when the post is gone."""
    return bool(Post.objects.filter(pk=post_id).update(view_count=F("view_count") + 1))


def _make_referrer(view: View) -> None:
    """Make the row of the view's referrer; that of "other" when the day has as many as it may."""
    kind, _, name = view.referrer.partition(":")
    bounded = DailyReferrer.objects.bounded_of_day(view.day)
    if _is_bounded(kind) and bounded.count() >= NAMES_A_DAY and not bounded.filter(kind=kind, name=name).exists():
        kind, _, name = OTHER.partition(":")
    DailyReferrer.objects.bulk_create([DailyReferrer(day=view.day, kind=kind, name=name)], ignore_conflicts=True)


def _add_other(day: datetime.date) -> bool:
    """Count an unknown referrer as "other" on a day that is full; False when the day has room."""
    kind, _, name = OTHER.partition(":")
    full = DailyReferrer.objects.bounded_of_day(day).count() >= NAMES_A_DAY
    return full and DailyReferrer.objects.add(day, kind, name, 1)


def _is_bounded(kind: str) -> bool:
    """Whether anybody could invent names of that kind: not engines, which are those we know."""
    return kind != DailyReferrer.Kind.ENGINE


def _is_new(day: datetime.date, visitor: str) -> bool:
    """Remember the visitor; True when the day had not seen it."""
    if DailyVisitor.objects.filter(day=day, visitor=visitor).exists():
        return False
    try:
        with transaction.atomic():
            DailyVisitor.objects.create(day=day, visitor=visitor)
    except IntegrityError:
        return False
    return True
