"""The share image of a post that has no cover, for those who share its address: /article/<id>/card.png.

An image is drawn once and kept in the storage as cards/<id / 1000>/<id>-<digest>.png. The digest names everything that
stands on it, so that a new title makes a new image and takes the old one away.
"""

import datetime
import hashlib
import threading
from typing import cast

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import quote_etag
from django.views.decorators.http import condition, require_safe

from apps.core.http.cache_policy import OWN, is_anonymous
from apps.core.http.request_info import BlogRequest
from apps.core.pages.site import Snapshot

from ..addresses import numbered_address
from ..models import Post
from .images import write_in_one_step
from .share_drawing import DRAWING_VERSION, can_draw, draw

IMAGES_PER_FOLDER = 1000
_drawing = threading.Lock()  # one at a time: readers who ask for a new image at once are served the same one


def share_image_url(post: Post, site: Snapshot) -> str:
    """Return the image's address; another title makes another address, so that old images are soon out of use."""
    return f"{numbered_address('posts:share-image', post.pk)}?v={_digest(post, site)[:8]}"


@require_safe
def share_image(request: HttpRequest, pk: int) -> HttpResponse:
    """The image (1 query; 0.2 to 0.4 seconds of drawing when it is new). A post with a cover leads there instead."""
    post = get_object_or_404(Post.objects.for_share_image(), pk=pk)
    if post.cover:
        return HttpResponseRedirect(post.cover.url)
    if not can_draw():
        raise Http404("No images are drawn here.")
    site = cast(BlogRequest, request).site
    digest = _digest(post, site)

    @condition(etag_func=lambda _request: quote_etag(digest))
    def respond(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(_stored(post, site, digest), content_type="image/png")

    response = respond(request)
    if not is_anonymous(request):
        response.headers["Cache-Control"] = OWN
    return response


def _date(post: Post) -> datetime.date | None:
    if post.published_at is None:
        return None
    return timezone.localtime(post.published_at, timezone.get_default_timezone()).date()


def _digest(post: Post, site: Snapshot) -> str:
    shown = repr((DRAWING_VERSION, post.title, site.title, site.accent, _date(post)))
    return hashlib.sha256(shown.encode()).hexdigest()[:20]


def _stored(post: Post, site: Snapshot, digest: str) -> bytes:
    folder = f"cards/{post.pk // IMAGES_PER_FOLDER}"
    path = f"{folder}/{post.pk}-{digest}.png"
    if picture := _read(path):
        return picture
    with _drawing:
        if picture := _read(path):  # somebody was faster
            return picture
        picture = draw(post.title, site.title, _date(post), site.accent)
        write_in_one_step(path, picture)
    for name in default_storage.listdir(folder)[1]:
        if name.startswith(f"{post.pk}-") and digest not in name:
            default_storage.delete(f"{folder}/{name}")
    return picture


def _read(path: str) -> bytes:
    try:
        with default_storage.open(path) as file:
            picture: bytes = file.read()
    except OSError:
        return b""
    return picture
