"""What needs every app: the first administrator's page, and the beacon that counts and brings pages to life."""

import json
from typing import Any

from django.contrib.auth import login
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from apps.posts.models import Post
from apps.stats.services import count_view
from blog_xtg.client import BlogRequest
from blog_xtg.collected import FOR_EVER
from blog_xtg.packing import accepted_encoding
from blog_xtg.public import public_page

from . import known_posts
from .forms import SetupForm
from .services import SetupRefused, create_first_administrator, is_expired_setup_token, is_setup_token
from .stylesheet import stylesheet

BEACON_MAX_BYTES = 400  # a host has at most 253 characters
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
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = create_first_administrator(
                token=token,
                username=form.cleaned_data["username"],
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password1"],
            )
        except SetupRefused:
            raise Http404("Somebody was faster.") from None
        login(request, user)
        return redirect("admin:index")
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


@csrf_exempt
@require_http_methods(["GET", "POST"])
def view(request: BlogRequest) -> HttpResponse:
    """Count a view of the page that sends it; answer the numbers the page then shows.

    POST `{"post": id, "referrer": address}`, both optional, answers JSON; numbers that are not known just now are left
    out. GET `?post=id` is the pixel of a page without scripts and answers a GIF. 400 for anything else, 404 for an
    unknown post, with nothing counted. With the database away every post is believed: the flush drops those that don't
    exist.
    """
    try:
        post_id, referrer = _beacon(request)
    except ValueError:
        return JsonResponse({"error": 'Send {} or {"post": id}.'}, status=400, headers=UNKEPT)
    try:
        comments = None if post_id is None else _comments(request, post_id)
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


def _beacon(request: HttpRequest) -> tuple[int | None, object]:
    """Return the post's id and the referrer a beacon names. Raises ValueError for what is no beacon."""
    if request.method == "GET":
        asked: Any = request.GET.get("post")
        if asked is None:
            return None, ""
        if not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
            raise ValueError
        return int(asked), ""
    body = request.read(BEACON_MAX_BYTES + 1)
    if len(body) > BEACON_MAX_BYTES:
        raise ValueError
    message = json.loads(body or b"{}")
    if not isinstance(message, dict):
        raise ValueError
    asked = message.get("post")
    if asked is not None and (type(asked) is not int or not 0 < asked < 2**63):
        raise ValueError
    return asked, message.get("referrer")


def _comments(request: HttpRequest, post_id: int) -> int | None:
    """How many comments the post has that the reader may see, None when that isn't known. Raises Post.DoesNotExist."""
    user = getattr(request, "user", None)
    is_staff = user is not None and user.is_staff
    try:
        if is_staff:  # drafts, too
            return Post.objects.readable_by(user).numbers(post_id)["post_comments"]
        return known_posts.known(post_id)
    except DatabaseError:
        return None
