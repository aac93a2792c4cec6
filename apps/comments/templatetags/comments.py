from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.posts.models import Post

from ..avatars import identicon
from ..models import Comment
from ..moderation import may_moderate
from ..screening import Reason
from ..screening.stamps import stamp
from ..screening.submission import HONEYPOT, STAMP

register = template.Library()


class Shown(NamedTuple):
    """A comment as the page shows it: words and addresses, so that the template has nothing left to look up."""

    floor: str
    floor_text: str
    name: str
    site: str
    avatar: SafeString
    html: SafeString
    screened: bool
    by_administrator: bool
    moment: str  # as HTML's time element wants it
    time: str
    reply_text: str  # blank: it answers no floor
    reply_url: str


@register.inclusion_tag("comments/_comments.html", takes_context=True)
def comments_of(context: dict[str, Any], post: Post, rows: list[list[Any]], page: int) -> dict[str, Any]:
    """Show that page of the post's comments, rows of CommentQuerySet.of_page(), and the way to write one."""
    return {
        "request": context["request"],
        "post": post,
        "page": page,
        "comments": [_shown(post, page, *row) for row in rows],
        "open": post.comments_open and context["site"].comments_open,
        "add_url": reverse("comments:add", args=[post.pk]),
        "user": context["user"],
        "perms": context["perms"],
        "moderates": may_moderate(context["user"]),
    }


class Waiting(NamedTuple):
    """A comment that awaits approval, as moderators see it above the others."""

    floor: str
    floor_text: str
    name: str
    email: str
    site: str
    avatar: SafeString
    html: SafeString
    moment: str
    time: str
    reasons: list[Reason]
    waiting: bool = True


@register.inclusion_tag("comments/_moderation.html", takes_context=True)
def moderation_of(context: dict[str, Any], post: Post) -> dict[str, Any]:
    """Show moderators what they did last and the first 20 comments that wait under the post (1 query)."""
    moderates = may_moderate(context["user"])
    return {
        "post": post,
        "messages": context.get("messages"),
        "perms": context["perms"],
        "moderates": moderates,
        "waiting": [_waiting(comment) for comment in Comment.objects.waiting_under(post)] if moderates else [],
    }


def _waiting(comment: Comment) -> Waiting:
    moment = timezone.localtime(comment.created_at)
    return Waiting(
        str(comment.floor),
        gettext("floor %(floor)s") % {"floor": comment.floor},
        comment.author_name,
        comment.author_email,
        comment.author_site,
        identicon(comment.author_name, comment.author_email),
        SafeString(comment.html),
        f"{moment:%Y-%m-%dT%H:%M:%S%z}",
        f"{moment:%Y-%m-%d %H:%M}",
        comment.why,
    )


@register.inclusion_tag("comments/_guard.html")
def form_guard(post: Post, form: Any) -> dict[str, Any]:
    """Put into a comment form what tells people from programs: a field nobody sees, and when the form was opened.

    Somebody whose form comes back has typed already and may send it at once.
    """
    typed = settings.COMMENT_FORM_MIN_SECONDS if form.is_bound else 0
    return {"honeypot": HONEYPOT, "stamp_name": STAMP, "stamp": stamp(post.pk, typed)}


def _shown(
    post: Post,
    page: int,
    floor: int,
    name: str,
    email: str,
    site: str,
    html: str,
    reply_to: int | None,
    state: str,
    by_administrator: bool,
    created_at: Any,
) -> Shown:
    moment = timezone.localtime(created_at)
    return Shown(
        str(floor),
        gettext("floor %(floor)s") % {"floor": floor},
        name,
        site,
        identicon(name, email),
        SafeString(html),
        state != "visible",
        by_administrator,
        f"{moment:%Y-%m-%dT%H:%M:%S%z}",
        f"{moment:%Y-%m-%d %H:%M}",
        gettext("Reply to floor %(floor)s") % {"floor": reply_to} if reply_to else "",
        _floor_link(post, reply_to, page) if reply_to else "",
    )


def _floor_link(post: Post, floor: int, page: int) -> str:
    """The way to a floor: within this page when it stands here, else to the page on which it does."""
    first = (page - 1) * post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if first < floor <= first + post.FLOORS_PER_PAGE else post.floor_url(floor)
