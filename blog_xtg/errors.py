"""Error pages: readable, and none of them needs the database to work."""

import logging
import sys

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.utils.translation import get_language

_logger = logging.getLogger(__name__)
_has_told = False  # of a name that the blog doesn't know


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


def unknown_host(request: HttpRequest) -> HttpResponse:
    """400 for a Host that is not the blog's; the log names what to set, once for each process."""
    global _has_told
    if not _has_told:
        _has_told = True
        _logger.warning(
            "The blog was asked for as %r, which is neither SITE_URL (%s) nor one of ALLOWED_HOSTS: answered 400. If it"
            " is a name of this blog, put it in SITE_URL, or in ALLOWED_HOSTS with its port. This is said once.",
            *(request.META.get("HTTP_HOST", "")[:100], settings.SITE_URL),
        )
    return _page(request, 400)


def cross_site(request: HttpRequest) -> HttpResponse:
    """403 for a form that another site has sent."""
    return _page(request, 403)


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """429 with the time after which it is worth trying again."""
    return _page(request, 429, headers={"Retry-After": str(seconds), "Cache-Control": "private, no-store"})


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, 403, expired=True)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The last chance of an address: known from an import (301), or 404 with a way on (2 queries)."""
    try:
        response: HttpResponse = import_string("apps.posts.views.not_found")(request)
    except DatabaseError:
        return _page(request, 404)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500; 503 when the database is away, for nginx then asks another host, which may have it."""
    away = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError))
    return _page(request, 503 if away else 500)


def _page(request: HttpRequest, status: int, headers: dict[str, str] | None = None, **context: object) -> HttpResponse:
    page = render_to_string("error.html", {"request": request, "status": status, "language": get_language(), **context})
    return HttpResponse(page, status=status, headers=headers)
