"""Error pages: readable, and none of them needs the database to work."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, 403, expired=True)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The last chance of an address: known from an import (301), or 404 (1 query)."""
    moved = import_string("apps.posts.old_addresses.imported")(request)
    return moved or _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(request, 500)


def _page(request: HttpRequest, status: int, **context: object) -> HttpResponse:
    return HttpResponse(
        render_to_string("error.html", {"status": status, "path": request.path, **context}), status=status
    )
