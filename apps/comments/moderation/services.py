"""Decisions of moderators about comments: learned from, announced, counted, and undone if they think better of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.contrib.auth import get_user_model
from django.core import serializers, signing
from django.db import IntegrityError, models, transaction
from django.db.models.deletion import Collector
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.chunks import chunked
from apps.posts.models import Post
from apps.posts.visibility import may_see_unpublished

from ..live.notifications import notify_added
from ..models import Comment
from ..querysets import recount
from ..spam.classifier import teach
from ..spam.models import Lesson, Moderation

if TYPE_CHECKING:
    from apps.posts.visibility import Account

COMMENTS_AT_ONCE = 1000  # in one transaction; an action on more can't be undone
UNDO_SECONDS = 24 * 3600
_SALT = "comments.undo"


class Decision(models.TextChoices):
    APPROVE = "approve", _("Approve")
    HIDE = "screen", _("Hide")
    SPAM = "spam", _("Mark as spam")
    DELETE = "delete", _("Delete")


_STATES = {
    Decision.APPROVE: Comment.State.VISIBLE,
    Decision.HIDE: Comment.State.HIDDEN,
    Decision.SPAM: Comment.State.SPAM,
}
# Decisions that the classifier learns from. A hidden comment may be anything but advertising.
_LESSONS = {Comment.State.VISIBLE: False, Comment.State.HIDDEN: None, Comment.State.SPAM: True}
UNSEEN = {Comment.State.PENDING, Comment.State.SPAM}


class CannotUndo(Exception):
    """It is too late, was done by somebody else, or has been undone already."""


@dataclass(frozen=True)
class Done:
    count: int
    undo_token: str = ""  # for undo(); blank: it can't be undone


def held_url(post: Post) -> str:
    """Where the writer of a comment that is held is led."""
    return reverse("comments:held", args=[post.reference])


def may_see_hidden(user: Account) -> bool:
    """Whether the user reads hidden comments, under posts that they may read: a moderator, or who may read all."""
    return may_moderate(user) or may_see_unpublished(user)


def may_moderate(user: Account, decision: str = Decision.HIDE) -> bool:
    """Whether the user is staff and may change comments, or delete them."""
    permission = "delete" if decision == Decision.DELETE else "change"
    return bool(user.is_active and user.is_staff and user.has_perm(f"comments.{permission}_comment"))


def decide(ids: Sequence[int], decision: str, user: Account) -> Done:
    """Approve, hide, mark as spam or delete these comments; counts stay exact, the classifier learns.

    A comment that nobody could see before is announced as a new one. Costs some 20 statements for each 1000 comments,
    a transaction each. Raises ValueError for no Decision.
    """
    decision = Decision(decision)
    Moderation.objects.older_than(timezone.now() - datetime.timedelta(seconds=UNDO_SECONDS)).delete()
    parts = list(chunked(ids, COMMENTS_AT_ONCE))
    count, token = 0, ""
    for part in parts:
        with transaction.atomic():
            comments = list(Comment.objects.by_ids(part).select_for_update().order_by("pk"))
            before = _deleted(comments) if decision == Decision.DELETE else _changed(comments, _STATES[decision])
            count += len(comments)
            if comments and len(parts) == 1:
                made = Moderation.objects.create(
                    user_id=cast(int, user.pk), state=_STATES.get(decision, ""), before=before
                )
                token = signing.dumps(made.pk, salt=_SALT)
    return Done(count, token)


def undo(token: str, user: Account) -> int:
    """Take back what decide() did; return how many comments are as they were before.

    Those that have been changed since stay as they are. What was deleted comes back with all that hung on it, on its
    own floor. Raises CannotUndo.
    """
    try:
        pk = signing.loads(token, salt=_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature as error:
        raise CannotUndo from error
    with transaction.atomic():
        done = Moderation.objects.of(user.pk, pk).select_for_update().first()
        if done is None:
            raise CannotUndo
        done.delete()
        return _change_back(done) if done.state else _bring_back(done.before)


def _changed(comments: list[Comment], state: str) -> list[object]:
    lessons = {lesson.pk: lesson.is_spam for lesson in Lesson.objects.filter(pk__in=[one.pk for one in comments])}
    before: list[object] = [[comment.pk, comment.state, lessons.get(comment.pk)] for comment in comments]
    Comment.objects.by_ids([comment.pk for comment in comments]).set_state(state)
    teach(comments, _LESSONS[Comment.State(state)])
    for comment in comments:
        if state == Comment.State.VISIBLE and comment.state in UNSEEN:
            notify_added(comment.post_id, comment.floor)
    return before


def _change_back(done: Moderation) -> int:
    now = {comment.pk: comment for comment in Comment.objects.by_ids([pk for pk, *_rest in done.before])}
    unchanged = [
        (now[pk], state, lesson) for pk, state, lesson in done.before if pk in now and now[pk].state == done.state
    ]
    for state in {state for _comment, state, _lesson in unchanged}:
        Comment.objects.by_ids([comment.pk for comment, was, _lesson in unchanged if was == state]).set_state(state)
    for lesson in {lesson for *_rest, lesson in unchanged}:
        teach([comment for comment, _state, learned in unchanged if learned is lesson], lesson)
    return len(unchanged)


def _deleted(comments: list[Comment]) -> list[object]:
    found = Comment.objects.by_ids([comment.pk for comment in comments])
    collector = Collector(using=found.db)
    collector.collect(found)
    hanging_on: list[Iterable[models.Model]] = [
        *(rows for model, rows in collector.data.items() if model is not Comment),
        *(rows for rows in collector.fast_deletes if rows.model is not Comment),
    ]
    rows = [*comments, *(row for some in hanging_on for row in some)]
    found.delete()
    kept: list[object] = json.loads(serializers.serialize("json", rows))
    return kept


def _bring_back(rows: list[object]) -> int:
    back = list(serializers.deserialize("python", rows))
    comments = [row.object for row in back if isinstance(row.object, Comment)]
    posts = {comment.post_id for comment in comments}
    if set(Post.objects.filter(pk__in=posts).select_for_update().values_list("pk", flat=True)) != posts:
        raise CannotUndo
    accounts = get_user_model()._default_manager.in_bulk({comment.user_id for comment in comments if comment.user_id})
    for comment in comments:
        comment.user_id = comment.user_id if comment.user_id in accounts else None
    try:
        with transaction.atomic():
            for row in back:
                row.save()
    except IntegrityError as error:
        raise CannotUndo from error
    recount(posts)
    return len(comments)
