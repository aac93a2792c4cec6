"""The answer to a saved post in the admin: its message, and the next page."""

import re
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from ..models import Draft, Post
from .forms import DRAFT

# Which copy of the text in which browser was sent with the form (static/js/draft.js): its slot and its time.
_COPY = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(\d{1,16})")


def saved_response(model_admin: admin.ModelAdmin, request: HttpRequest, post: Post) -> HttpResponse | None:
    """Forget the draft, say what was saved, with a link; return to the form when the button says so, else None."""
    copy = request.POST.get("copy", "")
    if sent := _COPY.fullmatch(copy):
        Draft.objects.of(request.user).in_slot(UUID(sent[1])).up_to(int(sent[2])).delete()
    model_admin.message_user(request, _message(post, copy), messages.SUCCESS)
    goes_on = DRAFT in request.POST or "_continue" in request.POST
    if goes_on and model_admin.has_view_or_change_permission(request, post):
        return HttpResponseRedirect(reverse("admin:posts_post_change", args=[post.pk]))
    return None


def _message(post: Post, copy: str) -> SafeString:
    if post.is_searchable:
        said = _("“{title}” is public.")
    elif post.status == Post.Status.PUBLISHED:
        said = _("“{title}” comes out on {time}.")
    elif post.status == Post.Status.DRAFT:
        said = _("The draft “{title}” is saved. Readers don't see it.")
    elif post.status == Post.Status.UNLISTED:
        said = _("“{title}” can be read by everybody who has its address.")
    else:
        said = _("“{title}” is saved as private. Readers don't see it.")
    title = format_html('<a href="{}">{}</a>', post.get_absolute_url(), post.title)
    time = date_format(localtime(post.published_at), "DATETIME_FORMAT") if post.published_at else ""
    text = format_html(said, title=title, time=time)
    # The browser forgets its copy when it hears that this very text is stored.
    return format_html('{}<i hidden data-stored="{}"></i>', text, copy) if _COPY.fullmatch(copy) else text
