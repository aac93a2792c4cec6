"""Views for the body's editor while a post is written: its preview, and a place for its pictures.

Both stand in for django-markdownx's own views, which anybody may call and which trust what they are sent.
"""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from apps.core.http import rates
from apps.core.http.security import from_own_pages

from ..media.images import ImageRejected, store_image
from ..rendering.left_out import in_words
from ..rendering.markdown import render
from ..visibility import may_write
from . import drafts as keeping
from .forms import BODY_MAX_BYTES

# The editor asks again half a second after each pause in writing: beyond this it would keep a process busy.
PREVIEW_MAX_BYTES = 256 * 1024
PREVIEWS_PER_MINUTE = 240
UPLOADS_PER_MINUTE = 60
SAVES_PER_MINUTE = 120
READINGS_PER_MINUTE = 300
DRAFT_MAX_BYTES = 2 * BODY_MAX_BYTES  # as JSON, in which some characters take two
# Room for the form's other fields beside the one that counts.
_FORM_MAX_BYTES = 64 * 1024

Answer = Callable[[str, int], HttpResponse]
View = Callable[..., HttpResponse]


def _preview_refused(message: str, status: int) -> HttpResponse:
    return HttpResponse(format_html("<p><em>{}</em></p>", message), status=status)


def _refused(message: str, status: int) -> HttpResponse:
    return JsonResponse({"error": message}, status=status)


def _for_writers(
    name: str, per_minute: int, max_bytes: Callable[[], int], refuse: Answer, *methods: str
) -> Callable[[View], View]:
    """Let through those who may write posts, at a writer's pace, with a body of bounded size.

    All three are asked before the body is read, which the check of the CSRF token begins with: a stranger makes the
    process store nothing. That is why the outer view is exempt and the inner one protected.
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: object) -> HttpResponse:
            user = request.user
            if not may_write(user):
                return refuse(_("Only those who may write posts can do this. Are you still signed in?"), 403)
            if _declared_bytes(request) > max_bytes() + _FORM_MAX_BYTES:
                return refuse(_("This is too large."), 413)
            if rates.is_one_too_many(f"editor:{name}:{user.pk}", per_minute, 60):
                response = refuse(_("Too many requests. Please wait a moment."), 429)
                response.headers["Retry-After"] = "60"
                return response
            return protected(request, **kwargs)

        return require_http_methods(methods or ["POST"])(never_cache(from_own_pages(guarded)))

    return decorate


def _declared_bytes(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0


@_for_writers("preview", PREVIEWS_PER_MINUTE, lambda: 8 * PREVIEW_MAX_BYTES, _preview_refused)
def preview(request: HttpRequest) -> HttpResponse:
    """POST `content`, answered with what the published page will show, in the element that gives it its look.

    A sentence before it names what the page won't show.

    The editor shows whatever is answered, whichever the status: so a refusal is a sentence.
    """
    content = request.POST.get("content")
    if content is None:
        return _preview_refused(_("There is nothing to show."), 400)
    if len(content.encode("utf-8", "replace")) > PREVIEW_MAX_BYTES:
        return _preview_refused(_("The text is too long for a preview while you write; it can be saved."), 413)
    rendered = render(content)
    words = in_words(rendered.left_out)
    note = format_html('<p class="left-out" role="status">{}</p>', words) if words else ""
    return HttpResponse(f'{note}<div class="prose">{rendered.html}</div>')


@_for_writers("upload", UPLOADS_PER_MINUTE, lambda: settings.UPLOAD_IMAGE_MAX_BYTES, _refused)
def upload(request: HttpRequest) -> HttpResponse:
    """POST the file `image`, answered with {"image_code": "![](address)"}, or {"error": "why not"} and a 4xx."""
    file = request.FILES.get("image")
    if file is None:
        return _refused(_("No picture has arrived."), 400)
    try:
        stored = store_image(file, name=file.name or "")
    except ImageRejected as error:
        return _refused(str(error), 400)
    return JsonResponse({"image_code": f"![]({stored.url})"})


@_for_writers("drafts", READINGS_PER_MINUTE, lambda: 0, _refused, "GET")
def drafts(request: HttpRequest) -> HttpResponse:
    """Answer with the user's drafts without their texts, and the token that forms have to send (1 query)."""
    listed = [keeping.entry(draft) for draft in keeping.drafts_of(request.user)]
    return JsonResponse({"user": request.user.pk, "token": get_token(request), "drafts": listed})


@from_own_pages  # both views below ask for the token, after the account
def draft(request: HttpRequest, slot: UUID) -> HttpResponse:
    """GET a draft with its text, POST its next state, DELETE it."""
    return (_read_draft if request.method == "GET" else _write_draft)(request, slot=slot)


@_for_writers("drafts", READINGS_PER_MINUTE, lambda: 0, _refused, "GET")
def _read_draft(request: HttpRequest, slot: UUID) -> HttpResponse:
    found = keeping.one_of(request.user, slot)
    return JsonResponse(keeping.whole(found)) if found else _refused(_("There is no such draft."), 404)


@_for_writers("draft", SAVES_PER_MINUTE, lambda: DRAFT_MAX_BYTES, _refused, "POST", "DELETE")
def _write_draft(request: HttpRequest, slot: UUID) -> HttpResponse:
    if request.method == "DELETE":
        keeping.throw_away(request.user, slot)
        return HttpResponse(status=204)
    try:
        kept = keeping.keep(request.user, slot, request.body)
    except keeping.Refused as refusal:
        return _refused(str(refusal), refusal.status)
    return JsonResponse({"sequence": kept.sequence, "saved_at": kept.saved_at.isoformat()})
