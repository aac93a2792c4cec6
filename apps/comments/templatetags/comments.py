import json
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.contrib.auth.context_processors import PermWrapper
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.posts.addresses import numbered_address
from apps.posts.metadata import is_indexable
from apps.posts.models import Post
from blog_xtg.client import BlogRequest

from ..avatars import identicon
from ..models import Comment
from ..moderation.services import may_moderate
from ..reactions.models import Reaction
from ..screening.stamps import stamp
from ..screening.submission import HONEYPOT, STAMP
from ..verdict import Reason

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
        "site": context["site"],
        "page": page,
        "live_url": f"/ws/article/{post.pk}/",
        "floors_url": numbered_address("comments:floors", post.pk),
    }


def shown_comments(request: BlogRequest, post: Post, rows: list[list[Any]]) -> dict[str, Any]:
    """Return what comments/_comment.html takes for each of these rows of CommentQuerySet.of_page()."""
    return {
        "post": post,
        "comments": [_shown(post, *row) for row in rows],
        "open": post.comments_open and request.site.comments_open,
        "add_url": numbered_address("comments:add", post.pk),
        "user": request.user,
        "moderates": may_moderate(request.user),
        "perms": PermWrapper(request.user),
        # Once, not for each comment.
        "administrator": gettext("administrator"),
        "reply": gettext("Reply"),
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


@register.inclusion_tag("comments/_feeds.html")
def comment_feeds(post: Post) -> dict[str, Any]:
    """The addresses of the feeds of the post's comments, for its page's head; none where not everybody may read it."""
    kinds = [("application/rss+xml", "", "post-feed"), ("application/atom+xml", " (Atom)", "post-feed-atom")]
    feeds = [(kind, end, numbered_address(f"comments:{name}", post.pk)) for kind, end, name in kinds]
    return {"post": post, "feeds": feeds if is_indexable(post) else []}


@register.simple_tag
def reactions_address(post: Post) -> str:
    """Where a reader's reactions to the post and its comments are asked for and sent."""
    return numbered_address("comments:reactions", post.pk)


@register.simple_tag
def reaction_kinds() -> str:
    """Name, sign and label of each kind of reaction, as JSON."""
    kinds = [[kind.value, Reaction.SIGNS[kind], str(kind.label)] for kind in Reaction.Kind]
    return json.dumps(kinds, ensure_ascii=False)


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
        post.floor_url(floor),
        str(reply_to or ""),
        gettext("Reply to floor %(floor)s") % {"floor": reply_to} if reply_to else "",
        _floor_link(post, reply_to, floor) if reply_to else "",
    )


def _times(at: Any) -> tuple[str, str]:
    """For machines, for people."""
    moment = timezone.localtime(at)
    return f"{moment:%Y-%m-%dT%H:%M:%S%z}", f"{moment:%Y-%m-%d %H:%M}"


def _floor_link(post: Post, floor: int, seen_from: int) -> str:
    """The way to a floor: within the page when both stand on it, else to the page on which it does."""
    same_page = (floor - 1) // post.FLOORS_PER_PAGE == (seen_from - 1) // post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if same_page else post.floor_url(floor)
