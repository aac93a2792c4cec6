"""Views of posts, by day of the site's time zone."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.posts.models import Post

from .querysets import DailyReferrerQuerySet, DailyViewsQuerySet, PostDailyViewsQuerySet


class DailyViews(models.Model):
    """The whole site's day: page views (exact), unique visitors, and what robots asked for, which is in neither."""

    day = models.DateField(_("day"), primary_key=True)
    pv = models.PositiveBigIntegerField(_("page views"), default=0)
    uv = models.PositiveBigIntegerField(_("unique visitors"), default=0)
    robots = models.PositiveBigIntegerField(_("views by robots"), default=0)

    objects = DailyViewsQuerySet.as_manager()

    class Meta:
        verbose_name = _("views of a day")
        verbose_name_plural = _("overview")
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}: {self.pv} / {self.uv}"


class PostDailyViews(models.Model):
    """A post's views on a day; in months long past (see retention.py) one row on the first stands for the month."""

    post = models.ForeignKey(Post, models.CASCADE, verbose_name=_("post"), related_name="daily_views")
    day = models.DateField(_("day"))
    views = models.PositiveBigIntegerField(_("views"), default=0)

    objects = PostDailyViewsQuerySet.as_manager()

    class Meta:
        verbose_name = _("views of a post on a day")
        verbose_name_plural = _("views by post and day")
        ordering = ["-day", "-views"]
        constraints = [models.UniqueConstraint(fields=["post", "day"], name="post_day_once")]
        indexes = [models.Index(fields=["-day", "-views"], name="post_views_of_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.views}"


class DailyReferrer(models.Model):
    """How many views of a day came from one other site; months long past are rolled up as those of posts are."""

    class Kind(models.TextChoices):
        ENGINE = "engine", _("search engine")
        HOST = "host", _("site")
        OTHER = "other", _("other")

    NAME_MAX_LENGTH = 100

    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    name = models.CharField(_("referrer"), max_length=NAME_MAX_LENGTH, blank=True)
    views = models.PositiveBigIntegerField(_("views"), default=0)

    objects = DailyReferrerQuerySet.as_manager()

    class Meta:
        verbose_name = _("views from a referrer on a day")
        verbose_name_plural = _("referrers by day")
        ordering = ["-day", "-views"]
        constraints = [models.UniqueConstraint(fields=["day", "kind", "name"], name="referrer_day_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.name}"


class FlushedBatch(models.Model):
    """A batch of views that is in the tables: written with them, so that none is applied twice."""

    id = models.CharField(primary_key=True, max_length=32)
    applied_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.id


class DailySalt(models.Model):
    """The secret of one day that turns addresses into visitor hashes; dropped with the day, and with it the link."""

    day = models.DateField(primary_key=True)
    salt = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return str(self.day)


class DailyVisitor(models.Model):
    """One visitor hash of today; the rows of earlier days are deleted."""

    day = models.DateField()
    visitor = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "visitor"], name="visitor_day_once")]

    def __str__(self) -> str:
        return self.visitor
