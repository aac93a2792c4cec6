import json
from typing import Any, NamedTuple

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.posts.metadata import is_indexable
from apps.posts.models import Post
from blog_xtg.client import BlogRequest

from ..avatars import identicon
from ..models_reactions import Reaction

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
    url: str  # its permanent address
    reply_floor: str  # blank: it answers no floor
    reply_text: str
    reply_url: str


@register.inclusion_tag("comments/_comments.html", takes_context=True)
def comments_of(context: dict[str, Any], post: Post, rows: list[list[Any]], page: int) -> dict[str, Any]:
    """Show that page of the post's comments, rows of CommentQuerySet.of_page(), and the way to write one."""
    return {
        **shown_comments(context["request"], post, rows),
        "request": context["request"],
        "page": page,
        "live_url": f"/ws/article/{post.pk}/",
        "floors_url": reverse("comments:floors", args=[post.pk]),
    }


def shown_comments(request: BlogRequest, post: Post, rows: list[list[Any]]) -> dict[str, Any]:
    """Return what comments/_comment.html takes for each of these rows of CommentQuerySet.of_page()."""
    return {
        "post": post,
        "comments": [_shown(post, *row) for row in rows],
        "open": post.comments_open and request.site.comments_open,
        "add_url": reverse("comments:add", args=[post.pk]),
        "user": request.user,
        # Once, not for each comment.
        "administrator": gettext("administrator"),
        "reply": gettext("Reply"),
    }


@register.inclusion_tag("comments/_feeds.html")
def comment_feeds(post: Post) -> dict[str, Any]:
    """The addresses of the feeds of the post's comments, for its page's head; none where not everybody may read it."""
    kinds = [("application/rss+xml", "", "post-feed"), ("application/atom+xml", " (Atom)", "post-feed-atom")]
    feeds = [(kind, end, reverse(f"comments:{name}", args=[post.pk])) for kind, end, name in kinds]
    return {"post": post, "feeds": feeds if is_indexable(post) else []}


@register.inclusion_tag("comments/_reactions.html")
def reactions_of(post: Post) -> dict[str, Any]:
    """The place for reactions to the post, and what the script needs for those to its comments (no query)."""
    kinds = [[kind.value, Reaction.SIGNS[kind], str(kind.label)] for kind in Reaction.Kind]
    return {"url": reverse("comments:reactions", args=[post.pk]), "kinds": json.dumps(kinds, ensure_ascii=False)}


def _shown(
    post: Post,
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
        post.floor_url(floor),
        str(reply_to or ""),
        gettext("Reply to floor %(floor)s") % {"floor": reply_to} if reply_to else "",
        _floor_link(post, reply_to, floor) if reply_to else "",
    )


def _floor_link(post: Post, floor: int, seen_from: int) -> str:
    """The way to a floor: within the page when both stand on it, else to the page on which it does."""
    same_page = (floor - 1) // post.FLOORS_PER_PAGE == (seen_from - 1) // post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if same_page else post.floor_url(floor)
