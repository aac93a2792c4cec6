"""Comments as pages show them: items of a list, made here because a page has twenty and a template takes longer."""

import datetime
from collections.abc import Callable
from html import escape
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.core.http.request_info import BlogRequest
from apps.posts.addresses import numbered_address
from apps.posts.languages import lang
from apps.posts.models import Post

from .avatars import identicon
from .moderation.services import may_moderate, may_see_hidden


def items(request: BlogRequest, post: Post, rows: list[list]) -> list[SafeString]:
    """Return an HTML list item for each of these rows of CommentQuerySet.of_page() (no query).

    Those who may also see hidden comments, and moderators have the buttons for it.
    """
    foot = _reply_link(post) if is_open(request, post) else None
    buttons = _buttons(request, post) if may_moderate(request.user) else None
    words = _Words(floor=gettext("#%(floor)s"), author=escape(gettext("Author")), edited=escape(gettext("edited")))
    language, sees_all = lang(request.site), may_see_hidden(request.user)
    return [_item(post, sees_all, words, language, foot, buttons, *row) for row in rows]


class _Words(NamedTuple):
    """The words of all items, translated once."""

    floor: str
    author: str
    edited: str


def is_open(request: BlogRequest, post: Post) -> bool:
    """Tell whether readers may write a comment under the post."""
    return bool(post.comments_open and request.site.comments_open)


def moment_and_time(at: datetime.datetime) -> tuple[str, str]:
    """Return the time for HTML's time element, and for people."""
    local = timezone.localtime(at, timezone.get_default_timezone())
    return f"{local:%Y-%m-%dT%H:%M:%S%z}", f"{local:%Y-%m-%d %H:%M}"


def time_element(at: datetime.datetime) -> SafeString:
    """Return HTML's time element."""
    moment, time = moment_and_time(at)
    return SafeString(f'<time datetime="{moment}">{time}</time>')


def _item(
    post: Post,
    sees_all: bool,
    words: _Words,
    language: str,
    foot: Callable[[int], str] | None,
    buttons: Callable[[int, bool], str] | None,
    floor: int,
    name: str,
    email: str,
    site: str,
    html: str,
    reply_to: int | None,
    state: str,
    by_administrator: bool,
    created_at: datetime.datetime,
    edited_at: datetime.datetime | None,
) -> SafeString:
    hidden = state != "visible"
    badge = f'\n      <span class="badge">{words.author}</span>' if by_administrator else ""
    head = [_author(name, site) + badge, time_element(created_at)]
    if edited_at:
        head.append(f'<small class="edited">{words.edited} {time_element(edited_at)}</small>')
    label = escape(words.floor % {"floor": floor})
    head.append(f'<a class="floor" href="{escape(post.floor_url(floor))}">{label}</a>')
    body = ["\n      ".join(['<p class="comment-head">', *head]) + "\n    </p>"]
    if reply_to:
        reply = escape(gettext("In reply to #%(floor)s") % {"floor": reply_to})
        body.append(f'<p class="reply-to"><a href="{escape(_way_to(post, reply_to, floor))}">{reply}</a></p>')
    if hidden:
        notice = escape(gettext("This comment has been hidden."))
        body.append(f'<p class="quiet">{notice}</p>')
    if sees_all or not hidden:
        body.append(f'<div class="prose"{language}>{html}</div>')
    if foot:
        body.append(foot(floor))
    if buttons:
        body.append(buttons(floor, hidden))
    answers = f' data-answers="{reply_to}"' if reply_to else ""
    begin = f'<li class="comment{" comment-hidden" if hidden else ""}" id="floor-{floor}"{answers}>'
    inside = "\n    ".join(['<div class="comment-body">', *body])
    return SafeString(f"{begin}\n  {identicon(name, email)}\n  {inside}\n  </div>\n</li>\n")


def _author(name: str, site: str) -> str:
    if site:
        return f'<a class="comment-author" href="{escape(site)}" rel="nofollow ugc noopener">{escape(name)}</a>'
    return f'<span class="comment-author">{escape(name)}</span>'


def _way_to(post: Post, floor: int, seen_from: int) -> str:
    """The way to a floor: within the page when both stand on it, else to the page on which it does."""
    same_page = (floor - 1) // post.FLOORS_PER_PAGE == (seen_from - 1) // post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if same_page else post.floor_url(floor)


def _reply_link(post: Post) -> Callable[[int], str]:
    address, words = escape(numbered_address("comments:add", post.reference)), escape(gettext("Reply"))
    return lambda floor: (
        f'<p class="comment-foot"><a class="reply" data-floor="{floor}" href="{address}?reply_to={floor}" '
        f'rel="nofollow">{words}</a></p>'
    )


def _buttons(request: BlogRequest, post: Post) -> Callable[[int, bool], str]:
    def of_floor(floor: int, hidden: bool) -> str:
        comment = {"floor": floor, "hidden": hidden}
        return render_to_string("comments/_moderate.html", {"post": post, "comment": comment}, request)

    return of_floor
