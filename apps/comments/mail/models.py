"""Subscriptions to replies, and a record of what has been sent to each receiver.

No address stands in these tables: a letter goes to the one its comment (or its account) has, and addresses are told
apart by `receiver`, a digest under the site's secret key (links.receiver_of).
"""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .querysets import NoticeQuerySet, ReceiverQuerySet

RECEIVER_LENGTH = 32


class Receiver(models.Model):
    """An address that has been asked whether it wants mail; it gets none before `confirmed_at`.

    After unsubscribing, and when nobody answers, the row stays for a week, so that nobody can have the question sent
    again and again.
    """

    receiver = models.CharField(max_length=RECEIVER_LENGTH, primary_key=True)
    asked_at = models.DateTimeField(default=timezone.now, db_index=True)
    confirmed_at = models.DateTimeField(null=True)

    objects = ReceiverQuerySet.as_manager()

    def __str__(self) -> str:
        return self.receiver


class Subscription(models.Model):
    """The comment's writer wants to hear of answers to it."""

    comment = models.OneToOneField("comments.Comment", models.CASCADE, primary_key=True, related_name="subscription")
    receiver = models.CharField(max_length=RECEIVER_LENGTH, db_index=True)

    def __str__(self) -> str:
        return self.receiver


class SilencedAuthor(models.Model):
    """An author who wants no mail about comments."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="silenced")

    def __str__(self) -> str:
        return str(self.user)


class Notice(models.Model):
    """One thing to tell one receiver, once: it is written with the comment, and tells for ever what has been sent.

    A letter carries one notice or several; these share its `letter`, a random name that is also its Message-ID.
    """

    class Kind(models.TextChoices):
        AUTHOR = "author", _("to the post's author")
        REPLY = "reply", _("to the writer of the comment answered")
        CONFIRM = "confirm", _("asks whether an address wants mail")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        CLAIMED = "claimed", _("claimed")  # by a worker that has not sent anything yet
        SENDING = "sending", _("being sent")  # from here on it may have arrived
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    comment = models.ForeignKey("comments.Comment", models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # Whose writer is told; None: the post's author.
    addressee = models.ForeignKey("comments.Comment", models.CASCADE, null=True, related_name="+")
    receiver = models.CharField(max_length=RECEIVER_LENGTH)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    letter = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)  # when the state was set
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "kind", "receiver"], name="notice_once")]
        indexes = [
            models.Index(fields=["state", "due_at"], name="notice_due"),
            models.Index(fields=["receiver", "kind", "moved_at"], name="notice_of_receiver"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.comment_id}: {self.state}"
