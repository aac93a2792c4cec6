"""Parts of the HTML of pages that show comments: the list, its forms and its feeds."""

import datetime
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.conf import settings
from django.contrib.messages import get_messages
from django.forms import Form
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.core.http.request_info import BlogRequest
from apps.posts.addresses import numbered_address
from apps.posts.models import Post

from .avatars import identicon
from .models import Comment
from .moderation.services import may_moderate, may_see_hidden
from .querysets import CommentRow
from .reactions.models import Reaction
from .spam.stamps import stamp
from .spam.submission import HONEYPOT, STAMP
from .verdict import VISIBLE, Reason


class Moment(NamedTuple):
    """A time for HTML's time element, and for people."""

    machine: str
    text: str


class ListedComment(NamedTuple):
    """A comment as the pages of its post show it."""

    floor: int
    label: str
    url: str
    name: str
    site: str
    avatar: SafeString
    html: SafeString | None  # None for those who may not read it
    is_hidden: bool
    by_administrator: bool
    written: Moment
    edited: Moment | None
    reply_to: int | None
    reply_label: str
    reply_url: str


class WaitingComment(NamedTuple):
    """A comment that awaits approval, as moderators see it above the others."""

    floor: int
    name: str
    email: str
    site: str
    avatar: SafeString
    html: SafeString
    written: Moment
    edited: Moment | None
    reasons: list[Reason]
    is_waiting: bool = True


class FeedLink(NamedTuple):
    """A feed of a post's comments, for the head of its page."""

    kind: str
    title: str
    url: str


def listed_comments(request: BlogRequest, post: Post, rows: Iterable[Sequence]) -> list[ListedComment]:
    """Return the comments of these rows of CommentQuerySet.of_page() (no query).

    The text of a hidden one only for those who may see it.
    """
    sees_hidden = may_see_hidden(request.user)
    labels = gettext("#%(floor)s"), gettext("In reply to #%(floor)s")
    return [_listed(post, CommentRow(*row), sees_hidden, *labels) for row in rows]


def _listed(post: Post, row: CommentRow, sees_hidden: bool, label: str, reply_label: str) -> ListedComment:
    is_hidden = row.state != VISIBLE
    return ListedComment(
        floor=row.floor,
        label=label % {"floor": row.floor},
        url=post.floor_url(row.floor),
        name=row.author_name,
        site=row.author_site,
        avatar=identicon(row.author_name, row.author_email),
        html=SafeString(row.html) if sees_hidden or not is_hidden else None,
        is_hidden=is_hidden,
        by_administrator=row.by_administrator,
        written=moment(row.created_at),
        edited=moment(row.edited_at) if row.edited_at else None,
        reply_to=row.reply_to_floor,
        reply_label=reply_label % {"floor": row.reply_to_floor} if row.reply_to_floor else "",
        reply_url=_reply_url(post, row.reply_to_floor, row.floor) if row.reply_to_floor else "",
    )


def _reply_url(post: Post, floor: int, seen_from: int) -> str:
    """Return the address of a floor: within the page when both stand on it, else of the page on which it does."""
    same_page = (floor - 1) // post.FLOORS_PER_PAGE == (seen_from - 1) // post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if same_page else post.floor_url(floor)


def comments_html(request: BlogRequest, post: Post, rows: Iterable[Sequence]) -> str:
    """Return the list items of these comments, as the post's page has them, for pages that lie open."""
    return render_to_string("comments/_items.html", {"post": post, "rows": rows}, request)


def is_open(request: BlogRequest, post: Post) -> bool:
    """Tell whether readers may write a comment under the post."""
    return bool(post.comments_open and request.site.comments_open)


def moment(at: datetime.datetime) -> Moment:
    """Return the time in the site's time zone."""
    local = timezone.localtime(at, timezone.get_default_timezone())
    machine = f"{local:%Y-%m-%dT%H:%M:%S%z}"
    return Moment(machine, machine[:16].replace("T", " "))


def moderation_of(request: BlogRequest, post: Post) -> SafeString:
    """Show moderators what they did last and the first 20 comments that wait under the post (1 query)."""
    if not may_moderate(request.user):
        return SafeString()
    waiting = [_waiting(comment) for comment in Comment.objects.waiting_under(post)]
    context = {"post": post, "messages": get_messages(request), "waiting": waiting}
    return SafeString(render_to_string("comments/_moderation.html", context, request))


def _waiting(comment: Comment) -> WaitingComment:
    return WaitingComment(
        floor=comment.floor,
        name=comment.author_name,
        email=comment.author_email,
        site=comment.author_site,
        avatar=identicon(comment.author_name, comment.author_email),
        html=SafeString(comment.html),
        written=moment(comment.created_at),
        edited=moment(comment.edited_at) if comment.edited_at else None,
        reasons=comment.why,
    )


def form_guard(post: Post, form: Form) -> SafeString:
    """Put into a comment form what tells people from programs: a field nobody sees, and when the form was opened.

    Somebody whose form comes back has typed already and may send it at once.
    """
    typed = settings.COMMENT_FORM_MIN_SECONDS if form.is_bound else 0
    context = {"honeypot": HONEYPOT, "stamp_name": STAMP, "stamp": stamp(post.pk, typed)}
    return SafeString(render_to_string("comments/_guard.html", context))


def comment_feeds(post: Post) -> list[FeedLink]:
    """Return the feeds of the post's comments; none where not everybody may read it."""
    if not post.is_public:
        return []
    title = gettext("Comments on “%(title)s”") % {"title": post.title}
    return [
        FeedLink("application/rss+xml", title, numbered_address("comments:post-feed", post.pk)),
        FeedLink("application/atom+xml", f"{title} (Atom)", numbered_address("comments:post-feed-atom", post.pk)),
    ]


def reaction_kinds() -> str:
    """Name, sign and label of each kind of reaction, as JSON."""
    kinds = [[kind.value, Reaction.SIGNS[kind], str(kind.label)] for kind in Reaction.Kind]
    return json.dumps(kinds, ensure_ascii=False)
