"""Counting views: one interface, swapped backends."""

import datetime
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.posts.models import Post

from .models import DailySalt, DailyViews, DailyVisitor, PostDailyViews


@dataclass(frozen=True, slots=True)
class Today:
    """The public numbers of a day."""

    pv: int = 0
    uv: int = 0


class Counter(Protocol):
    def salt(self, day: datetime.date) -> bytes:
        """Return that day's secret, made at its first view and dropped with the day."""

    def hit(self, day: datetime.date, visitor: str, post_id: int | None) -> None:
        """Count one view. Raises Post.DoesNotExist for an unknown post, with nothing counted."""

    def today(self, day: datetime.date) -> Today:
        """Return that day's page views and unique visitors so far."""

    def drain(self) -> None:
        """Bring what has been counted into the database, where it is not there yet."""


class DatabaseCounter:
    """Counts straight into the database, in one transaction a view: exact, and quick enough for a blog of one."""

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

    def hit(self, day: datetime.date, visitor: str, post_id: int | None) -> None:
        """Count one view (5 statements, 3 without a post)."""
        with transaction.atomic():
            if post_id is not None:
                if not Post.objects.filter(pk=post_id).update(view_count=F("view_count") + 1):
                    raise Post.DoesNotExist
                _add_one(PostDailyViews, "views", post_id=post_id, day=day)
            _add_one(DailyViews, "pv", day=day)
            if _is_new(day, visitor):
                DailyViews.objects.filter(day=day).update(uv=F("uv") + 1)

    def today(self, day: datetime.date) -> Today:
        row = DailyViews.objects.filter(day=day).values_list("pv", "uv").first()
        return Today(*row) if row else Today()

    def drain(self) -> None:
        """Nothing waits outside the database."""


def forget_before(day: datetime.date) -> None:
    """Drop the salts and visitor hashes of earlier days: nobody can be followed from one day to the next."""
    DailySalt.objects.filter(day__lt=day).delete()
    DailyVisitor.objects.filter(day__lt=day).delete()


def _add_one(model: type[DailyViews] | type[PostDailyViews], field: str, **key: Any) -> None:
    """Add one to the field of the row with that key, making the row; safe against others doing the same."""
    if model.objects.filter(**key).update(**{field: F(field) + 1}):
        return
    try:
        with transaction.atomic():
            model.objects.create(**key, **{field: 1})
    except IntegrityError:
        model.objects.filter(**key).update(**{field: F(field) + 1})


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


counter: Counter = DatabaseCounter()
