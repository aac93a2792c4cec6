"""The sentence about what was decided, with a button that takes it back."""

from django.contrib import messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .services import Decision, Done

QUEUE = "admin:comments_comment_changelist"


def tell(request: HttpRequest, decision: str, done: Done, back: str) -> None:
    """Leave a message for the page at `back`: what was done, with a button that takes it back."""
    # Written out for each, so that they can be translated.
    text = {
        Decision.APPROVE: ngettext("%(count)d comment approved.", "%(count)d comments approved.", done.count),
        Decision.HIDE: ngettext("%(count)d comment hidden.", "%(count)d comments hidden.", done.count),
        Decision.SPAM: ngettext("%(count)d comment marked as spam.", "%(count)d comments marked as spam.", done.count),
        Decision.DELETE: ngettext("%(count)d comment deleted.", "%(count)d comments deleted.", done.count),
    }[Decision(decision)] % {"count": done.count}
    messages.success(
        request, format_html("{} {}", text, _undo_button(request, done, back)) if done.undo_token else text
    )


def _undo_button(request: HttpRequest, done: Done, back: str) -> SafeString:
    return format_html(
        '<form class="undo" method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="token" value="{}"><input type="hidden" name="next" value="{}">'
        '<button type="submit" class="button">{}</button></form>',
        reverse("comments:undo"),
        get_token(request),
        done.undo_token,
        back,
        _("Undo"),
    )
