"""Each question about mail, asked once and by name."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.utils import timezone

from apps.posts.models import Post

if TYPE_CHECKING:
    from .models import Notice, Receiver  # noqa: F401 (named in quotes below)

Moment = datetime.datetime


class ReceiverQuerySet(models.QuerySet["Receiver"]):
    def confirmed(self) -> ReceiverQuerySet:
        return self.filter(confirmed_at__isnull=False)

    def asked_since(self, moment: Moment) -> int:
        return self.filter(asked_at__gte=moment).count()

    def needs_no_question(self, receiver: str, since: Moment) -> bool:
        """Whether the receiver has confirmed, or was asked since then (1 query)."""
        return self.filter(Q(confirmed_at__isnull=False) | Q(asked_at__gte=since), receiver=receiver).exists()

    def ask(self, receiver: str, since: Moment) -> bool:
        """Note that the receiver is being asked; False when somebody has since then (1 statement, or 4)."""
        now = timezone.now()
        if self.filter(receiver=receiver, confirmed_at=None, asked_at__lt=since).update(asked_at=now):
            return True
        return self.get_or_create(receiver=receiver, defaults={"asked_at": now})[1]

    def confirm(self, receiver: str) -> bool:
        """Note that the receiver wants mail; tell whether it had been asked (1 statement)."""
        asked = self.filter(receiver=receiver)
        return bool(asked.update(confirmed_at=timezone.now()))

    def forget_unanswered(self, before: Moment) -> int:
        return self.filter(confirmed_at=None, asked_at__lt=before).delete()[0]


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self, at: Moment) -> NoticeQuerySet:
        """Return notices due by then: waiting, their time come, and everything readers are to know of them still true.

        A comment that is not visible is held back until it is, except that its post's author hears of pending ones; so
        is what an address has not asked for, and what stands under a post that is not everybody's to open.
        """
        from .models import Receiver, Subscription

        waiting = self.filter(state="waiting", due_at__lte=at)
        visible = Q(comment__state="visible")
        wanted = Exists(Subscription.objects.filter(comment=OuterRef("addressee"), receiver=OuterRef("receiver")))
        confirmed = Exists(Receiver.objects.confirmed().filter(receiver=OuterRef("receiver")))
        readable = Exists(Post.objects.reachable().filter(pk=OuterRef("comment__post")))
        author = Q(kind="author") & (visible | Q(comment__state="pending")) & Q(comment__post__author__silenced=None)
        reply = Q(kind="reply", addressee__state="visible") & visible & Q(wanted) & Q(confirmed) & Q(readable)
        confirm = Q(kind="confirm") & visible & Q(wanted) & ~Q(confirmed)
        return waiting.filter(author | reply | confirm).order_by("pk")

    def next_due_at(self, after: Moment) -> Moment | None:
        """When the first of what waits for a time after that one is due (1 query)."""
        waiting = self.filter(state="waiting", due_at__gt=after)
        found: Moment | None = waiting.aggregate(first=Min("due_at"))["first"]
        return found

    def first_claimed_at(self) -> Moment | None:
        """When the oldest of what is claimed, or being sent, was (1 query)."""
        held = self.filter(state__in=["claimed", "sending"])
        found: Moment | None = held.aggregate(first=Min("moved_at"))["first"]
        return found

    def waiting_for(self, receiver: str, kind: str) -> NoticeQuerySet:
        return self.filter(state="waiting", receiver=receiver, kind=kind)

    def waiting_under(self, post_ids: set[int]) -> bool:
        return self.filter(state="waiting", comment__post__in=post_ids).exists()

    def for_letter(self) -> NoticeQuerySet:
        return self.select_related("comment__post__author", "addressee")

    def letters_since(self, receiver: str, kind: str, moment: Moment) -> tuple[int, Moment | None]:
        """How many letters the receiver was sent since then, and when the first of them was (1 query)."""
        sent = self.filter(receiver=receiver, kind=kind, moved_at__gte=moment).exclude(letter="")
        found = sent.aggregate(letters=Count("letter", distinct=True), first=Min("moved_at"))
        return found["letters"], found["first"]

    def claim(self, ids: list[int], letter: str) -> int:
        """Take what is still waiting among these for that letter; whoever comes second gets nothing (1 statement)."""
        waiting = self.filter(pk__in=ids, state="waiting")
        return waiting.update(state="claimed", letter=letter, moved_at=timezone.now())

    def of_letter(self, letter: str) -> NoticeQuerySet:
        return self.filter(letter=letter)

    def move(self, letter: str, state: str, *, came_from: str) -> int:
        """Put the letter's notices into that state; 0 when somebody else has meanwhile (1 statement)."""
        return self.filter(letter=letter, state=came_from).update(state=state, moved_at=timezone.now())

    def put_back(self, letter: str, due_at: Moment) -> int:
        """Let the letter's notices, which have surely not been sent, wait until then (1 statement)."""
        held = self.filter(letter=letter, state__in=["claimed", "sending"])
        return held.update(state="waiting", letter="", due_at=due_at, attempts=F("attempts") + 1)

    def postpone(self, ids: list[int], due_at: Moment) -> int:
        return self.filter(pk__in=ids, state="waiting").update(due_at=due_at)

    def release_claims(self, before: Moment) -> int:
        """Give back what a worker claimed before then and had not begun to send: it must have died (1 statement)."""
        abandoned = self.filter(state="claimed", moved_at__lt=before)
        return abandoned.update(state="waiting", letter="")

    def give_up_unknown(self, before: Moment) -> int:
        """Close what a worker was sending when it died before then: it may have arrived (1 statement)."""
        return self.filter(state="sending", moved_at__lt=before).update(state="failed", moved_at=timezone.now())

    def give_up_old(self, before: Moment) -> int:
        """Close what has been held back since before then (1 statement)."""
        return self.filter(state="waiting", created_at__lt=before).update(state="failed", moved_at=timezone.now())
