"""The one door by which a comment enters."""

import logging
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.posts.models import Post

from .live import tell_added
from .mail import plan_mail
from .models import Comment
from .querysets import miscounted
from .signals import comments_changed

POSTS_AT_ONCE = 500  # in one statement
LOGGED_MOST = 100  # of posts that were put right; the rest is only counted

logger = logging.getLogger(__name__)


class CommentsClosed(Exception):
    """The post takes no comments."""


def reconcile_counts() -> int:
    """Compare every post's comment_count and last_floor with its comments; return how many posts were put right.

    A last_floor above the highest floor is right: that comment was deleted. Costs 1 grouped query, and 3 statements for
    each 500 posts that are off. A post's row is locked before its comments are counted, as a new comment does.
    """
    corrected = 0
    suspects = [pk for pk, *_ in miscounted(Post.objects.all())]
    for start in range(0, len(suspects), POSTS_AT_ONCE):
        with transaction.atomic():
            some = Post.objects.filter(pk__in=suspects[start : start + POSTS_AT_ONCE])
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


@transaction.atomic
def add_comment(
    *,
    post: Post,
    body: str,
    user: Any = None,
    author_name: str = "",
    author_email: str = "",
    author_site: str = "",
    reply_to_floor: int | None = None,
    notify_replies: bool = False,
) -> Comment:
    """Store a comment on the post's next floor and return it.

    `user` is the signed-in account, if any: it alone decides the administrator's badge, and the account's name stands
    when none is typed. A `reply_to_floor` nobody has commented on is dropped. `notify_replies`: the writer wants mail
    about answers.

    Whether the site takes comments at all is the caller's to ask (the site components stand above this app).

    The floor comes from one UPDATE that locks the post's row until commit, so no two comments get the same and none is
    given twice (4 statements). Raises CommentsClosed when the post takes none, Post.DoesNotExist when it is gone.
    """
    taken = Post.objects.filter(pk=post.pk, comments_open=True).update(
        last_floor=F("last_floor") + 1, comment_count=F("comment_count") + 1
    )
    if not taken:
        Post.objects.only("pk").get(pk=post.pk)
        raise CommentsClosed
    floor = Post.objects.values_list("last_floor", flat=True).get(pk=post.pk)
    signed_in = user is not None and user.is_authenticated
    if reply_to_floor is not None and not Comment.objects.answerable(post, reply_to_floor):
        reply_to_floor = None
    comment = Comment(
        post=post,
        floor=floor,
        user=user if signed_in else None,
        by_administrator=signed_in and user.is_staff,
        author_name=author_name or (user.get_username() if signed_in else ""),
        author_email=author_email or (user.email if signed_in else ""),
        author_site=author_site,
        body=body,
        reply_to_floor=reply_to_floor,
    )
    comment.save(force_insert=True)
    plan_mail(comment, notify_replies=notify_replies)
    comments_changed.send(Comment, post_ids={post.pk})
    tell_added(post.pk, floor)
    return comment
