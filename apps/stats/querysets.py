"""Each question about the numbers, asked once and by name."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from itertools import starmap
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import F, Min, Sum
from django.db.models.functions import Coalesce

from apps.core.chunks import chunked
from apps.posts.models import Post
from apps.posts.visibility import may_see_unpublished

if TYPE_CHECKING:
    from apps.posts.visibility import Account

    from .models import DailyReferrer, DailyViews, PostDailyViews  # noqa: F401 -- ruff doesn't read strings


def miscounted(posts: models.QuerySet[Post]) -> models.QuerySet[Post, tuple[int, int, int]]:
    """Id, stored and counted views of those of the posts whose total is not the sum of their days (1 query)."""
    counted = Coalesce(Sum("daily_views__views"), 0)
    off = posts.order_by().values("pk", "view_count").annotate(counted=counted).exclude(view_count=F("counted"))
    return off.values_list("pk", "view_count", "counted")


class DailyViewsQuerySet(models.QuerySet["DailyViews"]):
    def numbers(self, day: datetime.date) -> tuple[int, int]:
        """Page views and unique visitors of that day, 0 without a row (1 query)."""
        return self.filter(day=day).values_list("pv", "uv").first() or (0, 0)

    def since(self, day: datetime.date) -> DailyViewsQuerySet:
        """From that day on, oldest first."""
        return self.filter(day__gte=day).order_by("day")

    def make(self, days: Iterable[datetime.date]) -> None:
        """Make the rows that are missing, with nothing counted (1 statement)."""
        self.bulk_create([self.model(day=day) for day in days], ignore_conflicts=True)

    def add(self, day: datetime.date, **numbers: int) -> bool:
        """Count up pv, uv or robots; False when that day has no row (1 statement)."""
        raised: dict[str, object] = {name: F(name) + number for name, number in numbers.items()}
        return bool(self.filter(day=day).update(**raised))


Dated = TypeVar("Dated", bound=models.Model)


class DatedQuerySet(models.QuerySet[Dated]):
    """Rows with a `day`."""

    def in_month(self, first: datetime.date, following: datetime.date) -> Self:
        """Rows from the first day of a month to the day before the first of the following month."""
        return self.filter(day__gte=first, day__lt=following)

    def oldest_day(self) -> datetime.date | None:
        """Return the first day that has a row, None without rows (1 query)."""
        return self.aggregate(oldest=Min("day"))["oldest"]


class PostDailyViewsQuerySet(DatedQuerySet["PostDailyViews"]):
    def make(self, day: datetime.date, post_ids: Iterable[int]) -> None:
        """Make the rows that are missing, with nothing counted (1 statement)."""
        self.bulk_create([self.model(day=day, post_id=pk) for pk in post_ids], ignore_conflicts=True)

    def add(self, day: datetime.date, post_ids: Iterable[int], views: int) -> int:
        """Count up each of the posts by so many views; returns how many had a row (1 statement)."""
        return self.filter(day=day, post_id__in=post_ids).update(views=F("views") + views)

    def most_read(
        self, since: datetime.date, user: User | AnonymousUser, most: int | None = None
    ) -> Iterator[tuple[int, str, int]]:
        """Id, title and views from that day on of what was read, most views first (1 query, 1 more for each 500 posts).

        Posts that the user may not find are left out. Titles are looked up afterwards: joined to a year of days they
        cost more than all the rest.
        """
        by_post = self.filter(day__gte=since).order_by().values_list("post_id").annotate(total=Sum("views"))
        rows = list(by_post.order_by("-total", "-post_id")[:most])
        for some in chunked(rows):
            titles = dict(
                Post.objects.visible_to(user).filter(pk__in=[pk for pk, _ in some]).values_list("pk", "title")
            )
            yield from ((pk, titles[pk], total) for pk, total in some if pk in titles)

    def visible_to(self, user: Account) -> PostDailyViewsQuerySet:
        """The rows of posts that this user may find by number."""
        return self.all() if may_see_unpublished(user) else self.filter(post__in=Post.objects.visible_to(user))

    def by_day(self, since: datetime.date) -> dict[datetime.date, int]:
        """The views of all posts together, for each day from that one on (1 query)."""
        days = self.filter(day__gte=since).order_by().values_list("day")
        return dict(days.annotate(total=Sum("views")))

    def of_day(self, day: datetime.date) -> int:
        """The views of all posts together on that day (1 query)."""
        return self.filter(day=day).aggregate(total=Sum("views"))["total"] or 0


class ReferrerTotal(NamedTuple):
    kind: str
    name: str
    total: int


class DailyReferrerQuerySet(DatedQuerySet["DailyReferrer"]):
    def add(self, day: datetime.date, kind: str, name: str, views: int) -> bool:
        """Count up; False when there is no such row (1 statement)."""
        return bool(self.filter(day=day, kind=kind, name=name).update(views=F("views") + views))

    def bounded_of_day(self, day: datetime.date) -> DailyReferrerQuerySet:
        """Those of the day that there may be only so many of: all but the search engines."""
        return self.filter(day=day).exclude(kind="engine")

    def of_kind(self, kind: str) -> DailyReferrerQuerySet:
        return self.filter(kind=kind)

    def most(self, since: datetime.date, most: int | None = None) -> Iterator[ReferrerTotal]:
        """The referrers since that day with the number of views from each, most views first (1 query)."""
        by_name = self.filter(day__gte=since).order_by().values_list("kind", "name").annotate(total=Sum("views"))
        yield from starmap(ReferrerTotal, by_name.order_by("-total", "kind", "name")[:most].iterator())
