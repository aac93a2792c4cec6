"""The page for the writer of a held comment, and where the buttons of those who moderate lead."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.core.http.request_info import BlogRequest
from apps.posts.passwords import is_unlocked
from apps.posts.references import referred_post

from ..models import Comment
from .messages import QUEUE, tell
from .services import CannotUndo, Decision, decide, may_moderate, undo


@require_safe
@never_cache
def held(request: BlogRequest, reference: str) -> HttpResponse:
    """Thank for a comment that awaits approval. The same for everybody: it tells nothing of the comment."""
    post = referred_post(request, reference)
    if not is_unlocked(request, post):
        return redirect(post)
    return render(request, "comments/held.html", {"post": post})


@require_POST
@never_cache
def moderate(request: HttpRequest, reference: str, floor: str) -> HttpResponse:
    """POST `decision` about the comment on that floor, and come back to the page of comments on which it stands.

    404 for a post that this moderator may not read.
    """
    decision = request.POST.get("decision", "")
    if decision not in Decision.values:
        return HttpResponseBadRequest()
    if not may_moderate(request.user, decision):
        raise PermissionDenied
    post = referred_post(request, reference)
    if not is_unlocked(request, post):
        raise Http404("A password is needed.")
    comment = get_object_or_404(Comment, post=post, floor=int(floor))
    back = post.floor_url(comment.floor).partition("#")[0] + "#moderation"
    tell(request, decision, decide([comment.pk], decision, request.user), back)
    return redirect(back)


@require_POST
@never_cache
def take_back(request: HttpRequest) -> HttpResponse:
    """POST the `token` of an Undo button, and come back to the page on which it stood."""
    if not may_moderate(request.user):
        raise PermissionDenied
    try:
        count = undo(request.POST.get("token", ""), request.user)
    except CannotUndo:
        messages.error(request, _("This can no longer be undone."))
    else:
        text = ngettext("%(count)d comment restored.", "%(count)d comments restored.", count)
        messages.success(request, text % {"count": count})
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if allowed else reverse(QUEUE))
