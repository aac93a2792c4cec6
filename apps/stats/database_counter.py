"""Count views directly in the tables: exact, and fast enough for a blog of one process."""

import datetime
import secrets

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.posts.models import Post

from .counters import Numbers, View
from .models import DailyReferrer, DailySalt, DailyViews, DailyVisitor, PostDailyViews
from .referrers import NAMES_A_DAY, OTHER


class DatabaseCounter:
    """The counter of a single process. Each view is one transaction."""

    def __init__(self) -> None:
        self._salt: tuple[datetime.date, bytes] | None = None

    def salt(self, day: datetime.date) -> bytes:
        """Return the salt of that day (1 query, at the process's first view of the day)."""
        if self._salt is None or self._salt[0] != day:
            row, made = DailySalt.objects.get_or_create(day=day, defaults={"salt": secrets.token_bytes(32)})
            if made:
                forget_before(day)
            self._salt = (day, bytes(row.salt))
        return self._salt[1]

    def hit(self, view: View) -> Numbers:
        """Count one view and return the numbers to show.

        Costs 8 statements including BEGIN and COMMIT, 5 without a post; 1 more with a referrer, 4 more for a new
        visitor, and 11 to 19 more if a row for the day is missing. Missing rows are inserted outside the transaction
        that counts: inside, a duplicate key would leave a lock behind, and two such locks can deadlock on MariaDB.
        Every transaction locks rows in the same order: the post, the post's day, the site's day.
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
        """Count one view. Return False without counting it if one of its rows is missing."""
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
        """Return the numbers in the tables (1 query, 2 with a post)."""
        views = None
        if post_id is not None:
            views = Post.objects.filter(pk=post_id).values_list("view_count", flat=True).first()
        return Numbers(*DailyViews.objects.numbers(day), views)

    def newer_than_tables(self, day: datetime.date) -> Numbers:
        """Return no numbers: views are never pending here."""
        return Numbers()

    def drain(self) -> int:
        """Return 0: views are never pending here."""
        return 0

    def forget_totals(self) -> None:
        """Do nothing: totals are not cached here."""


def forget_before(day: datetime.date) -> None:
    """Delete the salts and visitor hashes of earlier days, so that no visitor can be recognised on another day."""
    DailySalt.objects.filter(day__lt=day).delete()
    DailyVisitor.objects.filter(day__lt=day).delete()


def _raise_total(post_id: int) -> bool:
    """Add a view to the post, which locks its row until the transaction ends. Return False if it no longer exists."""
    return bool(Post.objects.filter(pk=post_id).update(view_count=F("view_count") + 1))


def _make_referrer(view: View) -> None:
    """Insert the row of the view's referrer, or the row of "other" if the day has NAMES_A_DAY referrers already."""
    kind, _, name = view.referrer.partition(":")
    bounded = DailyReferrer.objects.bounded_of_day(view.day)
    if _is_bounded(kind) and bounded.count() >= NAMES_A_DAY and not bounded.filter(kind=kind, name=name).exists():
        kind, _, name = OTHER.partition(":")
    DailyReferrer.objects.bulk_create([DailyReferrer(day=view.day, kind=kind, name=name)], ignore_conflicts=True)


def _add_other(day: datetime.date) -> bool:
    """Count a new referrer as "other" if the day has NAMES_A_DAY already. Return False if it has fewer."""
    kind, _, name = OTHER.partition(":")
    full = DailyReferrer.objects.bounded_of_day(day).count() >= NAMES_A_DAY
    return full and DailyReferrer.objects.add(day, kind, name, 1)


def _is_bounded(kind: str) -> bool:
    """Whether clients can invent names of that kind. Search engines are a fixed list."""
    return kind != DailyReferrer.Kind.ENGINE


def _is_new(day: datetime.date, visitor: str) -> bool:
    """Store the hash of the visitor. Return whether it is new on that day."""
    if DailyVisitor.objects.filter(day=day, visitor=visitor).exists():
        return False
    try:
        with transaction.atomic():
            DailyVisitor.objects.create(day=day, visitor=visitor)
    except IntegrityError:
        return False
    return True
