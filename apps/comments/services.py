"""The one door by which a comment enters."""

from __future__ import annotations

import datetime
import hashlib
import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from apps.core.chunks import chunked
from apps.posts.models import Post
from apps.posts.people import display_name
from apps.posts.rendering.words import readable
from apps.posts.visibility import may_write

from .live.notifications import notify_added
from .mail.services import plan_mail
from .models import NAME_MAX_LENGTH, Comment
from .querysets import miscounted
from .signals import comments_changed
from .verdict import Verdict

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

POSTS_AT_ONCE = 500  # in one statement
RENDERED_AT_ONCE = 500
OWN_SECONDS = 10 * 60  # so long who wrote a comment may change it
LOGGED_MOST = 100  # of posts that were put right; the rest is only counted

logger = logging.getLogger(__name__)


class CommentsClosed(Exception):
    """The post takes no comments."""


class TooLate(Exception):
    """The comment can no longer be changed by who wrote it: its time is over, or a moderator has hidden it."""


class _SentBefore(Exception):
    """Rolls back what a second submit had begun."""


def may_still_change(comment: Comment) -> bool:
    """Whether who wrote the comment may edit or delete it now."""
    open_until = comment.created_at + datetime.timedelta(seconds=OWN_SECONDS)
    return timezone.now() < open_until and comment.state in (Comment.State.VISIBLE, Comment.State.PENDING)


def reconcile_counts() -> int:
    """Compare every post's comment_count and last_floor with its comments; return how many posts were put right.

    A last_floor above the highest floor is right: that comment was deleted. Costs 1 grouped query, and 3 statements for
    each 500 posts that are off. A post's row is locked before its comments are counted, as a new comment does.
    """
    corrected = 0
    suspects = [pk for pk, *_ in miscounted(Post.objects.all())]
    for suspected in chunked(suspects, POSTS_AT_ONCE):
        with transaction.atomic():
            some = Post.objects.filter(pk__in=suspected)
            ids = list(some.select_for_update().order_by("pk").values_list("pk", flat=True))
            # A query of its own: it sees what was committed while the locks were waited for.
            off = list(miscounted(some))
            for pk, comments, floor, counted, highest in off:
                Post.objects.filter(pk=pk).update(comment_count=counted, last_floor=max(floor, highest))
                corrected += 1
                if corrected <= LOGGED_MOST:
                    logger.warning(
                        "Comments of post %d: stored %d up to floor %d, counted %d up to floor %d; put right.",
                        *(pk, comments, floor, counted, highest),
                    )
            if off:
                comments_changed.send(Comment, post_ids=set(ids))
    if corrected > LOGGED_MOST:
        logger.warning("Comments of %d more posts were put right.", corrected - LOGGED_MOST)
    return corrected


def rerender_stale() -> int:
    """Render the comments that another version of the renderer has left behind; return how many.

    In batches of 500, their rows locked, so that an edit made meanwhile is not lost; stopping half-way loses nothing.
    3 statements a batch and about 0.5 ms a comment; 1 query when nothing is stale.
    """
    done = 0
    while True:
        with transaction.atomic():
            behind = list(Comment.objects.stale().select_for_update()[:RENDERED_AT_ONCE])
            for comment in behind:
                comment.render()
            if not behind:
                return done
            Comment.objects.bulk_update(behind, Comment.RENDERED, batch_size=100)
            comments_changed.send(Comment, post_ids={comment.post_id for comment in behind})
            done += len(behind)


def add_comment(
    *,
    post: Post,
    body: str,
    user: User | AnonymousUser | None = None,
    author_name: str = "",
    author_email: str = "",
    author_site: str = "",
    reply_to_floor: int | None = None,
    submission: str = "",
    verdict: Verdict = Verdict(),  # noqa: B008  # frozen
    notify_replies: bool = False,
) -> Comment:
    """Store a comment on the post's next floor and return it.

    `user` is the signed-in account, if any: it alone decides the administrator's badge, which readers take for the
    author's and which goes to those who may write posts; its person's name stands when none is typed. A
    `reply_to_floor` nobody has commented on is dropped. What the `verdict` of the spam filter holds takes its floor, is
    not counted and told to nobody. `notify_replies`: the writer wants mail about answers.

    `submission` is the key of the form it was written in. The same text sent again under that key, by a second click or
    because the answer was lost, stores nothing and uses no floor: the comment that stands already is returned.

    Whether the site takes comments at all is the caller's to ask (the site components stand above this app).

    The floor comes from one UPDATE that locks the post's row until commit, so no two comments get the same and none is
    given twice (4 statements). Raises CommentsClosed when the post takes none, Post.DoesNotExist when it is gone.
    """
    sent = _submission(submission, body, reply_to_floor)
    try:
        with transaction.atomic():
            floor = _next_floor(post, sent, verdict)
            account = user if user is not None and user.is_authenticated else None
            if reply_to_floor is not None and not Comment.objects.answerable(post, reply_to_floor):
                reply_to_floor = None
            comment = Comment(
                post=post,
                floor=floor,
                user=account,
                by_administrator=account is not None and may_write(account),
                author_name=(author_name or (display_name(account) if account else ""))[:NAME_MAX_LENGTH],
                author_email=author_email or (account.email if account else ""),
                author_site=author_site,
                body=body,
                reply_to_floor=reply_to_floor,
                submission=sent,
                **verdict.columns(),
            )
            comment.save(force_insert=True)
            plan_mail(comment, notify_replies=notify_replies)
            comments_changed.send(Comment, post_ids={post.pk})
            if verdict.is_visible:
                notify_added(post.pk, floor)
            return comment
    except _SentBefore:
        return Comment.objects.sent(post, sent).get()


def sent_before(*, post: Post, body: str, submission: str, reply_to_floor: int | None = None) -> Comment | None:
    """Return the comment that stands already of what is sent now, None when it is new (1 query).

    For what must not be asked a second time, as whether it is spam; add_comment looks again by itself.
    """
    return Comment.objects.sent(post, _submission(submission, body, reply_to_floor)).first()


def _submission(key: str, body: str, reply_to_floor: int | None) -> str | None:
    """Return a digest of this submit: a reader who goes back in the browser sends another text under the same key."""
    if not key:
        return None
    said = f"{key}\0{reply_to_floor or ''}\0{body}"
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:32]


def _next_floor(post: Post, sent: str | None, verdict: Verdict) -> int:
    """Count the comment and take its floor; the post's row stays locked. Raises _SentBefore, CommentsClosed."""
    before = Comment.objects.sent(OuterRef("pk"), sent)
    row = Post.objects.filter(pk=post.pk)
    taken = row.filter(comments_open=True).update(
        last_floor=F("last_floor") + 1, comment_count=F("comment_count") + verdict.is_visible
    )
    # Asked with the lock held: who was sent first has committed.
    floor, already = row.annotate(already=Subquery(before.values("floor"))).values_list("last_floor", "already").get()
    if already is not None:
        raise _SentBefore
    if not taken:
        raise CommentsClosed
    return int(floor)


def edit_comment(comment: Comment, body: str, verdict: Verdict = Verdict()) -> Comment:  # noqa: B008  # frozen
    """Give the comment another text, on behalf of who wrote it; return it as it is now (5 statements).

    A text that the `verdict` of the spam filter objects to is held, as a new comment would be. Raises TooLate,
    Comment.DoesNotExist.
    """
    with transaction.atomic():
        comment = _changeable(comment)
        if comment.body != (said := readable(body)):
            comment.body = said
            comment.edited_at = timezone.now()
            changed = ["body", "edited_at"]
            if not verdict.is_visible:
                for name, value in verdict.columns().items():
                    setattr(comment, name, value)
                    changed.append(name)
            comment.save(update_fields=changed)
    return comment


def withdraw_comment(comment: Comment) -> None:
    """Delete the comment on behalf of who wrote it; its floor stays empty (4 statements).

    Raises TooLate, Comment.DoesNotExist.
    """
    with transaction.atomic():
        _changeable(comment).delete()


def _changeable(comment: Comment) -> Comment:
    """The comment as it stands, its row locked."""
    locked = Comment.objects.select_for_update().get(pk=comment.pk)
    if not may_still_change(locked):
        raise TooLate
    return locked
