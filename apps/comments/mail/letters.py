"""The letters themselves: plain text and HTML, in the site's language."""

from dataclasses import dataclass
from email.utils import formataddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.http.hosts import absolute
from apps.core.pages.site import Snapshot
from apps.posts.pages.feed_formats import with_absolute_links
from apps.posts.rendering.plaintext import shorten
from apps.posts.rendering.words import one_line, readable_line

from .links import confirm_url, receivers_of, stop_url
from .models import Notice

SHOWN_MOST = 50  # comments in one letter
TEXT_CHARACTERS = 2000  # of a comment in the plain text
SUBJECT_CHARACTERS = 60  # of a name or title


@dataclass(frozen=True)
class Told:
    """A comment as a letter shows it, as Markdown and as HTML; without its words where they are behind a password."""

    name: str
    title: str
    url: str
    text: str
    html: SafeString
    pending: bool
    edited: bool


def letter_of(notices: list[Notice], site: Snapshot, letter: str) -> EmailMultiAlternatives | None:
    """Return the letter that tells these notices to their one receiver; None when there is no such address (any more).

    They come with their comments, posts and authors (NoticeQuerySet.for_letter): no query.
    """
    first = notices[0]
    post = first.comment.post
    author = post.author if first.kind == Notice.Kind.AUTHOR else None
    address = author.email if author else first.addressee.author_email if first.addressee else ""
    if first.receiver not in receivers_of(address):  # changed since
        return None
    with translation.override(site.language):
        if first.kind == Notice.Kind.CONFIRM:
            return _made("confirm", address, site, letter, _question(first, site))
        stop = stop_url(author.pk if author else first.receiver)
        told = [_told(notice) for notice in notices[:SHOWN_MOST]]
        context = {
            "told": told,
            "more": len(notices) - len(told),
            "to_author": bool(author),
            "subject": _subject(notices, told),
            "stop_url": stop,
        }
        headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        return _made("answers", address, site, letter, context, headers)


def _made(
    name: str,
    address: str,
    site: Snapshot,
    letter: str,
    context: dict[str, object],
    headers: dict[str, str] | None = None,
) -> EmailMultiAlternatives:
    subject = readable_line(str(context["subject"]))
    context = {**context, "subject": subject, "site": site, "home_url": absolute("/"), "language": site.language}
    sender = settings.DEFAULT_FROM_EMAIL
    if "<" not in sender:
        sender = formataddr((one_line(site.title), sender))
    message = EmailMultiAlternatives(
        subject,
        render_to_string(f"comments/mail/{name}.txt", context),
        sender,
        [address],
        headers={
            # Ours: Django's would name this machine.
            "Message-ID": f"<{letter}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
            **(headers or {}),
        },
    )
    message.attach_alternative(render_to_string(f"comments/mail/{name}.html", context), "text/html")
    return message


def _question(notice: Notice, site: Snapshot) -> dict[str, object]:
    """Nothing that the writer typed but the address: the letter may go to somebody who never was here."""
    return {
        "subject": _("Confirm reply notifications from %(site)s") % {"site": site.title},
        "title": notice.comment.post.title,
        "confirm_url": confirm_url(notice.receiver),
    }


def _subject(notices: list[Notice], told: list[Told]) -> str:
    if len(notices) > 1:
        number = len(notices)
        if notices[0].kind == Notice.Kind.AUTHOR:
            return ngettext("%(number)d new comment", "%(number)d new comments", number) % {"number": number}
        return ngettext("%(number)d new reply", "%(number)d new replies", number) % {"number": number}
    words = {"name": shorten(told[0].name, SUBJECT_CHARACTERS), "title": shorten(told[0].title, SUBJECT_CHARACTERS)}
    if notices[0].kind == Notice.Kind.REPLY:
        return _("%(name)s replied to your comment on “%(title)s”") % words
    if told[0].pending:
        return _("A comment on “%(title)s” is awaiting approval") % words
    return _("%(name)s commented on “%(title)s”") % words


def _told(notice: Notice) -> Told:
    comment, post = notice.comment, notice.comment.post
    pending = comment.state != comment.State.VISIBLE
    url = reverse("admin:comments_comment_change", args=[comment.pk]) if pending else post.floor_url(comment.floor)
    text, html = shorten(comment.body.strip(), TEXT_CHARACTERS), comment.html
    if post.password and notice.kind == Notice.Kind.REPLY:
        text = html = ""
    html = with_absolute_links(html, absolute(post.get_absolute_url()))
    name, edited = readable_line(comment.author_name), comment.edited_at is not None
    return Told(name, post.title, absolute(url), text, SafeString(html), pending, edited)
