"""The answer to a beacon, whether Django asks or a worker does before it (apps/core/http/shortcut.py)."""

import json
import re
from typing import NamedTuple, Protocol
from wsgiref.types import WSGIEnvironment

from django.contrib.auth.models import AnonymousUser, User
from django.db import DatabaseError
from django.http import QueryDict

from apps.posts.addresses import REFERENCE
from apps.posts.models import Post
from apps.posts.references import number_in
from apps.posts.visibility import may_see_unpublished
from apps.stats.services import count_view

from . import cache

MAX_BYTES = 400  # a host has at most 253 characters
METHODS = "GET, POST"
_REFERENCE = re.compile(REFERENCE)
# The smallest transparent GIF.
_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_UNKEPT = ("Cache-Control", "private, no-store")
_JSON = (("Content-Type", "application/json"), _UNKEPT)
_GIF = (("Content-Type", "image/gif"), _UNKEPT)
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), ("Allow", METHODS), _UNKEPT)


class Answer(NamedTuple):
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Body(Protocol):
    """A request's body, as far as it goes."""

    def read(self, size: int, /) -> bytes: ...


def answer(meta: WSGIEnvironment, body: Body, user: User | AnonymousUser | None = None) -> Answer:
    """Count a view of the page that sends it; answer the numbers the page then shows.

    POST `{"post": id, "referrer": address}`, both optional, answers JSON; numbers that are not known just now are left
    out. GET `?post=id` is the pixel of a page without scripts and answers a GIF. An unlisted post is named by its
    reference. 400 for anything else, 404 for an unknown post, with nothing counted. With the database away every post
    is believed: the flush drops those that don't exist. `meta` is the request's WSGI environ, or Django's META;
    `user` is the one signed in. Costs what count_view() does, and a query every 10 s for each post (see cache.py).
    """
    method = meta["REQUEST_METHOD"]
    if method not in {"GET", "POST"}:
        return Answer(405, _TEXT, b"")
    try:
        reference, referrer = _pixel(meta) if method == "GET" else _message(body)
    except (ValueError, OSError):  # the latter when the reader has left
        return Answer(400, _JSON, b'{"error": "Send {} or {\\"post\\": id}."}')
    post_id = number_in(reference) if reference else None
    try:
        comments = _comments(reference, user) if reference else None
    except Post.DoesNotExist:
        return Answer(404, _JSON, b'{"error": "No such post."}')
    numbers = count_view(meta, post_id, referrer, is_owner=user is not None and user.is_staff)
    if method == "GET":
        return Answer(200, _GIF, _PIXEL)
    site = cache.site_numbers()
    shown = {
        "pv_today": numbers.pv,
        "uv_today": numbers.uv,
        "posts": site and site.posts,
        "comments": site and site.comments,
        "views": numbers.views,
        "post_comments": comments,
    }
    # All are whole numbers: json.dumps() takes six times as long.
    told = ", ".join([f'"{name}": {number}' for name, number in shown.items() if number is not None])
    return Answer(200, _JSON, f"{{{told}}}".encode())


def _pixel(meta: WSGIEnvironment) -> tuple[str, object]:
    """Return the post's reference, blank for none, and no referrer. Raises ValueError for what is no beacon."""
    asked = QueryDict(meta.get("QUERY_STRING", "")).get("post")
    if asked is None:
        return "", ""
    if not _REFERENCE.fullmatch(asked):
        raise ValueError
    return asked, ""


def _message(body: Body) -> tuple[str, object]:
    """Return the post's reference, blank for none, and the referrer. Raises ValueError for what is no beacon."""
    text = body.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError
    message = json.loads(text or b"{}")
    if not isinstance(message, dict):
        raise ValueError
    asked = message.get("post")
    if type(asked) is int and 0 < asked < 2**63:
        asked = str(asked)
    elif asked is not None and not (isinstance(asked, str) and "-" in asked and _REFERENCE.fullmatch(asked)):
        raise ValueError
    return asked or "", message.get("referrer")


def _comments(reference: str, user: User | AnonymousUser | None) -> int | None:
    """How many comments the post has that the reader may see, None when that isn't known. Raises Post.DoesNotExist."""
    post_id, key = number_in(reference), reference.partition("-")[2]
    try:
        if user is not None and may_see_unpublished(user):
            return Post.objects.numbers(post_id)["post_comments"]
        return cache.comments_of(post_id, key)
    except DatabaseError:
        return None
