"""Proof of who wrote a comment, for the ten minutes in which it may be changed: a signed cookie for each.

It is sent to the comment form and what lies below that address, never with a page, so that pages stay the same for all;
and no script can read it. Its value is worth nothing for any other comment.
"""

import re
from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from apps.posts.models import Post

from .models import Comment
from .services import OWN_SECONDS, may_still_change

MOST_COMMENTS = 20  # looked at, however many cookies are sent

_signer = Signer(salt="apps.comments.ownership")
_NAME = re.compile(r"comment-([1-9][0-9]{0,8})")


def remember(response: HttpResponse, post: Post, comment: Comment) -> None:
    """Let the reader who gets this response change the comment, as long as that may be."""
    left = comment.created_at + timedelta(seconds=OWN_SECONDS) - timezone.now()
    response.set_cookie(
        f"comment-{comment.floor}",
        _signer.sign(str(comment.pk)),
        max_age=max(0, int(left.total_seconds())),
        path=reverse("comments:add", args=[post.reference]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse, post: Post, comment: Comment) -> None:
    """Take back what remember() gave."""
    response.delete_cookie(f"comment-{comment.floor}", path=reverse("comments:add", args=[post.reference]))


def own_comments(request: HttpRequest, post: Post) -> list[Comment]:
    """Return the comments under the post that this reader may change now, by floor (1 query, none without a cookie)."""
    floors = [int(found[1]) for name in request.COOKIES if (found := _NAME.fullmatch(name))][:MOST_COMMENTS]
    if not floors:
        return []
    comments = Comment.objects.on_floors(post, floors)
    return [comment for comment in comments if _is_signed(request, comment) and may_still_change(comment)]


def _is_signed(request: HttpRequest, comment: Comment) -> bool:
    try:
        return _signer.unsign(request.COOKIES.get(f"comment-{comment.floor}", "")) == str(comment.pk)
    except BadSignature:
        return False
