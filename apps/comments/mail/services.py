"""The receivers of mail about a new comment: written down in the transaction that stores it, sent afterwards."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from apps.posts.models import Post

from ..models import Comment
from . import dispatcher
from .links import ASK_AGAIN, receiver_of, receivers_of
from .models import Notice, Receiver, SilencedAuthor, Subscription


def plan_mail(comment: Comment, *, notify_replies: bool) -> None:
    """Write down who is to hear of the comment, and that its writer wants to hear of answers (2 to 6 statements).

    Called in the transaction that adds it. What must not be told yet (a comment that awaits approval, an address not
    confirmed) is written down all the same; what is sent when is decided when it is sent (delivery.py).
    """
    writer = receiver_of(comment.author_email)
    notices = []
    if notify_replies and writer:
        Subscription.objects.create(comment=comment, receiver=writer)
        if not Receiver.objects.needs_no_question(writer, timezone.now() - ASK_AGAIN):
            notices.append(Notice(comment=comment, kind=Notice.Kind.CONFIRM, addressee=comment, receiver=writer))
    author = _author_to_tell(comment)
    if author:
        notices.append(Notice(comment=comment, kind=Notice.Kind.AUTHOR, receiver=receiver_of(author)))
    if comment.reply_to_floor:
        answered = Subscription.objects.filter(
            comment__post=comment.post_id, comment__floor=comment.reply_to_floor
        ).exclude(receiver__in=receivers_of(comment.author_email) + receivers_of(author))
        notices += [
            Notice(comment=comment, kind=Notice.Kind.REPLY, addressee_id=found.pk, receiver=found.receiver)
            for found in answered
        ]
    Notice.objects.bulk_create(notices)


def _author_to_tell(comment: Comment) -> str:
    """The address of the post's author; blank when there is none to be told (1 query)."""
    told = get_user_model()._default_manager.filter(posts=comment.post_id, is_active=True, silenced=None)
    email = told.exclude(pk=comment.user_id or 0).values_list("email", flat=True).first()
    return (email or "").strip()


def forget_public_readers(*, instance: Post, **kwargs: Any) -> None:
    """When a public post becomes unlisted, end the mail about answers under it: a letter would tell its new address.

    On post_save, before the post forgets what it was (1 statement).
    """
    if instance.becomes_unlisted():
        Subscription.objects.filter(comment__post=instance.pk).delete()


def wake_when_changed(*, post_ids: set[int], **kwargs: Any) -> None:
    """After the commit, say so when mail waits about comments of these posts (1 query)."""

    def wake() -> None:
        if Notice.objects.waiting_under(post_ids):
            dispatcher.call()

    transaction.on_commit(wake, robust=True)


def confirm(receiver: str) -> bool:
    """Let this receiver have mail from now on; False when it was not asked, or its week is over (1 statement)."""
    confirmed = Receiver.objects.confirm(receiver)
    if confirmed:
        dispatcher.call()
    return confirmed


@transaction.atomic
def stop(who: str | int) -> None:
    """End the mail: to a receiver about answers, or to the author of that account's id; safe to do twice.

    Nothing of a receiver stays but the digest, for a week, so that nobody can have the question sent again at once.
    """
    if isinstance(who, int):
        if get_user_model()._default_manager.filter(pk=who).exists():
            SilencedAuthor.objects.get_or_create(user_id=who)
        return
    Subscription.objects.filter(receiver=who).delete()
    Notice.objects.waiting_for(who, Notice.Kind.REPLY).delete()
    Receiver.objects.filter(receiver=who).update(confirmed_at=None, asked_at=timezone.now())


def author_state(user_id: int) -> str:
    """Return "told" or "silenced" for an account that has written posts, else blank (2 queries)."""
    if not Post.objects.filter(author=user_id).exists():
        return ""
    return "silenced" if SilencedAuthor.objects.filter(user=user_id).exists() else "told"


def resume(user_id: int) -> None:
    """Let the author have mail about comments again."""
    SilencedAuthor.objects.filter(user=user_id).delete()
