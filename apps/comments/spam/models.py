"""What the spam filter remembers: blocklists, what the classifier has learned, and what a moderator may take back."""

import ipaddress
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.posts.rendering.words import one_line

from .querysets import BlocklistQuerySet, LearnedQuerySet, ModerationQuerySet


class BlocklistEntry(models.Model):
    """Something that comments are held for, or taken for spam."""

    class Kind(models.TextChoices):
        WORD = "word", _("word or phrase")
        ADDRESS = "address", _("IP address or network")
        EMAIL = "email", _("e-mail address or domain")
        SITE = "site", _("site")

    class Outcome(models.TextChoices):
        HOLD = "hold", _("hold the comment")
        SPAM = "spam", _("it is spam")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.WORD)
    value = models.CharField(
        _("value"),
        max_length=200,
        help_text=_("A phrase as it is written; 203.0.113.7 or 203.0.113.0/24; me@example.com or example.com."),
    )
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, default=Outcome.HOLD)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("made at"), auto_now_add=True)

    objects: ClassVar = BlocklistQuerySet.as_manager()

    class Meta:
        verbose_name = _("blocklist entry")
        verbose_name_plural = _("blocklist")
        ordering = ["kind", "value"]
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="blocklist_value_once")]

    def __str__(self) -> str:
        return self.value

    def clean(self) -> None:
        self.value = one_line(self.value)
        if self.kind == self.Kind.ADDRESS:
            try:
                self.value = str(ipaddress.ip_network(self.value, strict=False))
            except ValueError as error:
                raise ValidationError({"value": _("An address or a network, such as 203.0.113.0/24.")}) from error
        elif self.kind != self.Kind.WORD:
            self.value = self.value.lower().removeprefix("https://").removeprefix("http://").strip("@/")
        if not self.value:
            raise ValidationError({"value": _("There is nothing to look for.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.value = one_line(self.value)
        super().save(*args, **kwargs)


class LearnedToken(models.Model):
    """In how many comments of each kind a word stood; the word is known by its hash alone, which bounds the rows."""

    bucket = models.IntegerField(primary_key=True)
    spam = models.IntegerField(default=0)
    ham = models.IntegerField(default=0)

    objects: ClassVar = LearnedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.bucket}: {self.spam}/{self.ham}"


class LearnedTotals(models.Model):
    """The sums over all that was learned: one row, primary key 1. Whoever learns locks it first."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    spam_comments = models.IntegerField(default=0)
    ham_comments = models.IntegerField(default=0)
    spam_tokens = models.IntegerField(default=0)
    ham_tokens = models.IntegerField(default=0)
    vocabulary = models.IntegerField(default=0)  # rows of LearnedToken

    def __str__(self) -> str:
        return f"{self.spam_comments}/{self.ham_comments}"


class Lesson(models.Model):
    """The lesson learned from a comment, so that exactly it can be forgotten, whatever became of the text."""

    comment = models.OneToOneField("comments.Comment", models.CASCADE, primary_key=True, related_name="lesson")
    is_spam = models.BooleanField()
    buckets = models.JSONField()

    def __str__(self) -> str:
        return f"{self.comment_id}: {'spam' if self.is_spam else 'ham'}"


class Moderation(models.Model):
    """The last action of a moderator, kept for a day so that it can be undone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, blank=True)  # that the comments were given; blank: they were deleted
    before = models.JSONField()  # [id, state, lesson] of each; of deleted ones the rows, serialized
    made_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects: ClassVar = ModerationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.state or 'deleted'} {self.made_at}"
