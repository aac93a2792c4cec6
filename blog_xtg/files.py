"""Static files and uploads, for a blog that has no nginx in front; with one, these views are never reached."""

import gzip
import mimetypes
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils._os import safe_join
from django.utils.http import http_date
from django.views.decorators.http import require_safe
from django.views.static import was_modified_since

_HOUR_SECONDS = 3600
_YEAR_SECONDS = 365 * 24 * 3600
_COMPRESSIBLE = {"text/css", "text/javascript", "application/javascript", "image/svg+xml"}


@require_safe
def static(request: HttpRequest, path: str) -> HttpResponse:
    """A collected static file, or the file as it lies in the source; an hour fresh, then asked for again.

    Scripts and styles travel compressed, which is done once per process (0.2 s for the largest, mermaid).
    """
    found = _inside(settings.STATIC_ROOT, path)
    if not _is_file(found):
        source = finders.find(path)
        if not isinstance(source, str):
            raise Http404
        found = Path(source)
    return _answer(request, found, _HOUR_SECONDS, compress=True)


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponse:
    """An upload; its name is made from its content, so it is fresh for ever."""
    return _answer(request, _inside(settings.MEDIA_ROOT, path), _YEAR_SECONDS)


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


@lru_cache(maxsize=128)
def _compressed(file: Path, _modified: int) -> bytes:
    return gzip.compress(file.read_bytes(), compresslevel=6, mtime=0)


def _answer(request: HttpRequest, file: Path, max_age_seconds: int, *, compress: bool = False) -> HttpResponse:
    # Read whole: the files are pictures and styles of bounded size, and a streamed file under ASGI costs more.
    if not _is_file(file):
        raise Http404
    modified = int(file.stat().st_mtime)
    if not was_modified_since(request.headers.get("If-Modified-Since"), modified):
        return HttpResponseNotModified()
    kind, _encoding = mimetypes.guess_type(file.name)
    if compress and kind in _COMPRESSIBLE and "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(_compressed(file, modified), content_type=kind)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(file.read_bytes(), content_type=kind or "application/octet-stream")
    if compress and kind in _COMPRESSIBLE:
        response.headers["Vary"] = "Accept-Encoding"
    response.headers["Last-Modified"] = http_date(modified)
    response.headers["Cache-Control"] = f"public, max-age={max_age_seconds}"
    return response
