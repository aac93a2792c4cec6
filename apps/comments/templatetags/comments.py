import json
from html import escape
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.posts.addresses import numbered_address
from apps.posts.metadata import is_indexable
from apps.posts.models import Post

from ..avatars import identicon
from ..items import is_open, items, moment_and_time
from ..models import Comment
from ..moderation.services import may_moderate
from ..reactions.models import Reaction
from ..screening.stamps import stamp
from ..screening.submission import HONEYPOT, STAMP
from ..verdict import Reason

register = template.Library()


@register.inclusion_tag("comments/_comments.html", takes_context=True)
def comments_of(context: dict[str, Any], post: Post, rows: list[list[Any]], page: int) -> dict[str, Any]:
    """Show that page of the post's comments, rows of CommentQuerySet.of_page(), and the way to write one."""
    request = context["request"]
    return {
        "post": post,
        "comments": items(request, post, rows),
        "open": is_open(request, post),
        "add_url": numbered_address("comments:add", post.pk),
        "user": request.user,
        "request": request,
        "site": context["site"],
        "page": page,
        "live_url": f"/ws/article/{post.pk}/",
        "floors_url": numbered_address("comments:floors", post.pk),
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
    moment, time = moment_and_time(comment.created_at)
    return Waiting(
        str(comment.floor),
        gettext("floor %(floor)s") % {"floor": comment.floor},
        comment.author_name,
        comment.author_email,
        comment.author_site,
        identicon(comment.author_name, comment.author_email),
        SafeString(comment.html),
        moment,
        time,
        comment.why,
    )


@register.inclusion_tag("comments/_guard.html")
def form_guard(post: Post, form: Any) -> dict[str, Any]:
    """Put into a comment form what tells people from programs: a field nobody sees, and when the form was opened.

    Somebody whose form comes back has typed already and may send it at once.
    """
    typed = settings.COMMENT_FORM_MIN_SECONDS if form.is_bound else 0
    return {"honeypot": HONEYPOT, "stamp_name": STAMP, "stamp": stamp(post.pk, typed)}


@register.simple_tag
def comment_feeds(post: Post) -> SafeString:
    """The addresses of the feeds of the post's comments, for its page's head; none where not everybody may read it."""
    if not is_indexable(post):
        return SafeString()
    title = escape(gettext("Comments on “%(title)s”") % {"title": post.title})
    kinds = [
        ("application/rss+xml", title, numbered_address("comments:post-feed", post.pk)),
        ("application/atom+xml", f"{title} (Atom)", numbered_address("comments:post-feed-atom", post.pk)),
    ]
    feeds = (f'\n  <link rel="alternate" type="{kind}" title="{name}" href="{url}">' for kind, name, url in kinds)
    return SafeString("".join(feeds))


@register.simple_tag
def reactions_address(post: Post) -> str:
    """Where a reader's reactions to the post and its comments are asked for and sent."""
    return numbered_address("comments:reactions", post.pk)


@register.simple_tag
def reaction_kinds() -> str:
    """Name, sign and label of each kind of reaction, as JSON."""
    kinds = [[kind.value, Reaction.SIGNS[kind], str(kind.label)] for kind in Reaction.Kind]
    return json.dumps(kinds, ensure_ascii=False)
