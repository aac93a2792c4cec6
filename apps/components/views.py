"""What needs every app: the first administrator's page, and the beacon that counts and brings pages to life."""

import json
import re
from typing import Any

from django.contrib.auth import login
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.posts.access import number_in
from apps.posts.addresses import REFERENCE
from apps.posts.models import Post
from apps.posts.rights import may_see_unpublished
from apps.stats.services import count_view
from blog_xtg.client import BlogRequest
from blog_xtg.collected import FOR_EVER
from blog_xtg.packing import accepted_encoding
from blog_xtg.public import public_page
from blog_xtg.security import from_own_pages

from . import known_posts
from .devices import remember
from .forms import SetupForm
from .languages import LANGUAGES, remember_language
from .services import SetupRefused, create_first_administrator, is_expired_setup_token, is_setup_token
from .stylesheet import stylesheet

BEACON_MAX_BYTES = 400  # a host has at most 253 characters
_REFERENCE = re.compile(REFERENCE)
# The smallest transparent GIF.
UNKEPT = {"Cache-Control": "private, no-store"}
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first administrator: 404 without the one-time token, and for ever once there is one.

    A token older than a day is answered 410, with the way to a new one.
    """
    token = request.POST.get("token") or request.GET.get("token", "")
    if not is_setup_token(token):
        if is_expired_setup_token(token):
            return render(request, "components/setup_expired.html", status=410)
        raise Http404("Not now.")
    form = SetupForm(request.POST or None, initial={"language": get_language()})
    if request.method == "POST" and form.is_valid():
        try:
            user = create_first_administrator(
                token=token,
                username=form.cleaned_data["username"],
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password1"],
                language=form.cleaned_data["language"],
            )
        except SetupRefused:
            raise Http404("Somebody was faster.") from None
        login(request, user)
        response = redirect("admin:index")
        remember(response, user)
        return response
    status = 422 if form.is_bound else 200
    return render(request, "components/setup.html", {"form": form, "token": token}, status=status)


@require_safe
def style(request: BlogRequest, digest: str) -> HttpResponse:
    """The site's style sheet; the address that names its content is fresh for ever, any other for a minute.

    With the database away the sheet comes without the owner's colour.
    """
    try:
        sheet = stylesheet(request.site.accent)
    except DatabaseError:
        sheet = stylesheet("")
    encoding = accepted_encoding(request)
    response = HttpResponse(sheet.packed.get(encoding, sheet.css), content_type="text/css; charset=utf-8")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = FOR_EVER if digest == sheet.digest else "public, max-age=60"
    return response


@require_safe
@public_page
def links(request: BlogRequest) -> HttpResponse:
    """The links of the sidebar's link boxes on a page of their own (no query)."""
    return render(request, "components/links.html", {"boxes": request.site.link_boxes})


@from_own_pages  # pages for all carry no token, and all it changes is this browser's cookie
@never_cache
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of the interface (`language`) and lead back to the page (`next`, a path of this site)."""
    back = request.POST.get("next", "")
    is_ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    response = HttpResponseRedirect(back if is_ours else reverse("posts:home"), status=303)
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES:
        remember_language(request, response, chosen)
    return response


@csrf_exempt  # it counts a view, and every reader may send one; asked for where it comes from, it would cost more
@require_http_methods(["GET", "POST"])
def view(request: BlogRequest) -> HttpResponse:
    """Count a view of the page that sends it; answer the numbers the page then shows.

    POST `{"post": id, "referrer": address}`, both optional, answers JSON; numbers that are not known just now are left
    out. GET `?post=id` is the pixel of a page without scripts and answers a GIF. An unlisted post is named by its
    reference. 400 for anything else, 404 for an unknown post, with nothing counted. With the database away every post
    is believed: the flush drops those that don't exist.
    """
    try:
        reference, referrer = _beacon(request)
    except ValueError:
        return JsonResponse({"error": 'Send {} or {"post": id}.'}, status=400, headers=UNKEPT)
    post_id = number_in(reference) if reference else None
    try:
        comments = _comments(request, reference) if reference else None
    except Post.DoesNotExist:
        return JsonResponse({"error": "No such post."}, status=404, headers=UNKEPT)
    numbers = count_view(request, post_id, referrer)
    if request.method == "GET":
        return HttpResponse(PIXEL, content_type="image/gif", headers=UNKEPT)
    statistics = known_posts.statistics()
    shown = {
        "pv_today": numbers.pv,
        "uv_today": numbers.uv,
        "posts": statistics and statistics.posts,
        "comments": statistics and statistics.comments,
        "views": numbers.views,
        "post_comments": comments,
    }
    told = json.dumps({name: number for name, number in shown.items() if number is not None})
    return HttpResponse(told, content_type="application/json", headers=UNKEPT)  # half of a JsonResponse's time


def _beacon(request: HttpRequest) -> tuple[str, object]:
    """Return the post's reference, blank for none, and the referrer. Raises ValueError for what is no beacon."""
    if request.method == "GET":
        asked: Any = request.GET.get("post")
        if asked is None:
            return "", ""
        if not _REFERENCE.fullmatch(asked):
            raise ValueError
        return asked, ""
    body = request.read(BEACON_MAX_BYTES + 1)
    if len(body) > BEACON_MAX_BYTES:
        raise ValueError
    message = json.loads(body or b"{}")
    if not isinstance(message, dict):
        raise ValueError
    asked = message.get("post")
    if type(asked) is int and 0 < asked < 2**63:
        asked = str(asked)
    elif asked is not None and not (isinstance(asked, str) and "-" in asked and _REFERENCE.fullmatch(asked)):
        raise ValueError
    return asked or "", message.get("referrer")


def _comments(request: HttpRequest, reference: str) -> int | None:
    """How many comments the post has that the reader may see, None when that isn't known. Raises Post.DoesNotExist."""
    user = getattr(request, "user", None)
    post_id, key = number_in(reference), reference.partition("-")[2]
    try:
        if user is not None and may_see_unpublished(user):
            return Post.objects.numbers(post_id)["post_comments"]
        return known_posts.known(post_id, key)
    except DatabaseError:
        return None
