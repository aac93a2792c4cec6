"""Error pages: readable, and none of them needs the database to work."""

import sys

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string
from django.utils.translation import get_language


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


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


def _page(request: HttpRequest, status: int, **context: object) -> HttpResponse:
    return HttpResponse(
        render_to_string("error.html", {"request": request, "status": status, "language": get_language(), **context}),
        status=status,
    )
