"""The handlers of Django's errors. None but that of 404 asks the database."""

import sys

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from apps.core.http.errors import error_page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(request, 403, expired=True)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The last chance of an address: known from an import (301), or 404 with a way on (2 queries)."""
    try:
        response: HttpResponse = import_string("apps.posts.pages.views.not_found")(request)
    except DatabaseError:
        return error_page(request, 404)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500; 503 when the database is away, for nginx then asks another host, which may have it."""
    away = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError))
    return error_page(request, 503 if away else 500)
