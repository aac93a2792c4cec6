"""Static files and uploads, for a blog that has no nginx in front; with one, these views are never reached."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import SuspiciousFileOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils._os import safe_join
from django.utils.http import http_date
from django.views.decorators.http import require_safe
from django.views.static import was_modified_since

from .storage import FOR_EVER, HASHED_NAME, packed_beside
from ..http.compression import accepted_encoding

_AN_HOUR = "public, max-age=3600"
_ASK_EACH_TIME = "no-cache"


@require_safe
def static(request: HttpRequest, path: str) -> HttpResponse:
    """A collected file: for ever under its hashed name, for an hour under its plain one; packed if the reader likes.

    A source that was not collected as it is now is answered as it lies and asked for each time, as all are with DEBUG.
    """
    collected = _inside(settings.STATIC_ROOT, path)
    if HASHED_NAME.search(path) and _is_file(collected):
        return _answer(request, collected, FOR_EVER)
    source = _source(path)
    if not settings.DEBUG and staticfiles_storage.is_collected(path):  # type: ignore[attr-defined]
        return _answer(request, collected, _AN_HOUR)
    return _answer(request, source, _ASK_EACH_TIME)


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponse:
    """An upload; its name is made from its content, so it is fresh for ever."""
    return _answer(request, _inside(settings.MEDIA_ROOT, path), FOR_EVER)


def _source(path: str) -> Path:
    try:
        found = finders.find(path)
    except SuspiciousFileOperation:
        found = None
    if not isinstance(found, str):
        raise Http404
    return Path(found)


def _inside(folder: Path | str, path: str) -> Path:
    try:
        return Path(safe_join(folder, path))
    except SuspiciousFileOperation:
        raise Http404 from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the file system takes
        return False


def _answer(request: HttpRequest, file: Path, cache_control: str) -> HttpResponse:
    # Read whole: the files are pictures and styles of bounded size, and a streamed file under ASGI costs more.
    if not _is_file(file):
        raise Http404
    modified = int(file.stat().st_mtime)
    packed = packed_beside(file)
    if not was_modified_since(request.headers.get("If-Modified-Since"), modified):
        response: HttpResponse = HttpResponseNotModified()
    else:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        encoding = accepted_encoding(request, packed)
        response = HttpResponse(packed.get(encoding, file).read_bytes(), content_type=kind)
        if encoding:
            response.headers["Content-Encoding"] = encoding
    if packed:
        response.headers["Vary"] = "Accept-Encoding"
    response.headers["Last-Modified"] = http_date(modified)
    response.headers["Cache-Control"] = cache_control
    return response
