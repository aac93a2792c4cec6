from typing import Any, NamedTuple

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.posts.models import Post

from ..avatars import identicon
from ..models import Comment
from ..querysets import SHOWN_FIELDS

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
    edited_moment: str  # blank: never
    edited_time: str
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
    }


@register.inclusion_tag("comments/_comment.html", takes_context=True)
def comment_of(context: dict[str, Any], post: Post, comment: Comment) -> dict[str, Any]:
    """Show one comment as the page it stands on does."""
    page = -(-comment.floor // post.FLOORS_PER_PAGE)
    return {
        "comment": _shown(post, page, *(getattr(comment, name) for name in SHOWN_FIELDS)),
        "administrator": gettext("administrator"),
        "reply": gettext("Reply"),
        "open": True,
        "add_url": reverse("comments:add", args=[post.pk]),
        "user": context["user"],
    }


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
    edited_at: Any,
) -> Shown:
    moment, time = _times(created_at)
    edited_moment, edited_time = _times(edited_at) if edited_at else ("", "")
    return Shown(
        str(floor),
        gettext("floor %(floor)s") % {"floor": floor},
        name,
        site,
        identicon(name, email),
        SafeString(html),
        state != "visible",
        by_administrator,
        moment,
        time,
        edited_moment,
        edited_time,
        gettext("Reply to floor %(floor)s") % {"floor": reply_to} if reply_to else "",
        _floor_link(post, reply_to, page) if reply_to else "",
    )


def _times(at: Any) -> tuple[str, str]:
    """For machines, for people."""
    moment = timezone.localtime(at)
    return f"{moment:%Y-%m-%dT%H:%M:%S%z}", f"{moment:%Y-%m-%d %H:%M}"


def _floor_link(post: Post, floor: int, page: int) -> str:
    """The way to a floor: within this page when it stands here, else to the page on which it does."""
    first = (page - 1) * post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if first < floor <= first + post.FLOORS_PER_PAGE else post.floor_url(floor)
