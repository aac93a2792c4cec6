"""Who read what, by day of the site's time zone."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.posts.models import Post


class DailyViews(models.Model):
    """The whole site's day: page views (exact) and unique visitors."""

    day = models.DateField(_("day"), primary_key=True)
    pv = models.PositiveBigIntegerField(_("page views"), default=0)
    uv = models.PositiveBigIntegerField(_("unique visitors"), default=0)

    class Meta:
        verbose_name = _("views of a day")
        verbose_name_plural = _("views by day")
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}: {self.pv} / {self.uv}"


class PostDailyViews(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, verbose_name=_("post"), related_name="daily_views")
    day = models.DateField(_("day"))
    views = models.PositiveBigIntegerField(_("views"), default=0)

    class Meta:
        verbose_name = _("views of a post on a day")
        verbose_name_plural = _("views by post and day")
        ordering = ["-day", "-views"]
        constraints = [models.UniqueConstraint(fields=["post", "day"], name="post_day_once")]
        indexes = [models.Index(fields=["-day", "-views"], name="post_views_of_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.views}"


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
