"""Parts of pages that comments need, for templates to call."""

import json
from html import escape
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.posts.addresses import numbered_address
from apps.posts.models import Post

from .avatars import identicon
from .items import moment_and_time, time_element
from .models import Comment
from .moderation.services import may_moderate
from .reactions.models import Reaction
from .spam.stamps import stamp
from .spam.submission import HONEYPOT, STAMP
from .verdict import Reason


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
    edited: SafeString  # when, blank for one that is as it was sent
    reasons: list[Reason]
    waiting: bool = True


def moderation_of(request: HttpRequest, post: Post) -> SafeString:
    """Show moderators what they did last and the first 20 comments that wait under the post (1 query)."""
    if not may_moderate(request.user):
        return SafeString()
    waiting = [_waiting(comment) for comment in Comment.objects.waiting_under(post)]
    context = {"post": post, "messages": get_messages(request), "waiting": waiting}
    return SafeString(render_to_string("comments/_moderation.html", context, request))


def _waiting(comment: Comment) -> Waiting:
    moment, time = moment_and_time(comment.created_at)
    return Waiting(
        str(comment.floor),
        gettext("#%(floor)s") % {"floor": comment.floor},
        comment.author_name,
        comment.author_email,
        comment.author_site,
        identicon(comment.author_name, comment.author_email),
        SafeString(comment.html),
        moment,
        time,
        time_element(comment.edited_at) if comment.edited_at else SafeString(),
        comment.why,
    )


def form_guard(post: Post, form: Any) -> SafeString:
    """Put into a comment form what tells people from programs: a field nobody sees, and when the form was opened.

    Somebody whose form comes back has typed already and may send it at once.
    """
    typed = settings.COMMENT_FORM_MIN_SECONDS if form.is_bound else 0
    context = {"honeypot": HONEYPOT, "stamp_name": STAMP, "stamp": stamp(post.pk, typed)}
    return SafeString(render_to_string("comments/_guard.html", context))


def comment_feeds(post: Post) -> SafeString:
    """The addresses of the feeds of the post's comments, for its page's head; none where not everybody may read it."""
    if not post.is_public:
        return SafeString()
    title = escape(gettext("Comments on “%(title)s”") % {"title": post.title})
    kinds = [
        ("application/rss+xml", title, numbered_address("comments:post-feed", post.pk)),
        ("application/atom+xml", f"{title} (Atom)", numbered_address("comments:post-feed-atom", post.pk)),
    ]
    feeds = (f'\n  <link rel="alternate" type="{kind}" title="{name}" href="{url}">' for kind, name, url in kinds)
    return SafeString("".join(feeds))


def reaction_kinds() -> str:
    """Name, sign and label of each kind of reaction, as JSON."""
    kinds = [[kind.value, Reaction.SIGNS[kind], str(kind.label)] for kind in Reaction.Kind]
    return json.dumps(kinds, ensure_ascii=False)
