"""Answers that refuse a request, as readable pages; none of them needs the database."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language

from ..resilience import Once

_logger = logging.getLogger(__name__)
_is_first_unknown_host = Once()


def unknown_host(request: HttpRequest) -> HttpResponse:
    """400 for a Host that is not the blog's; the log names what to set, once for each process."""
    if _is_first_unknown_host():
        _logger.warning(
            "The blog was asked for as %r, which is neither SITE_URL (%s) nor one of ALLOWED_HOSTS: answered 400. If it"
            " is a name of this blog, put it in SITE_URL, or in ALLOWED_HOSTS with its port. This is said once.",
            *(request.META.get("HTTP_HOST", "")[:100], settings.SITE_URL),
        )
    return error_page(request, 400)


def cross_site(request: HttpRequest) -> HttpResponse:
    """403 for a form that another site has sent."""
    return error_page(request, 403)


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """429 with the time after which it is worth trying again."""
    return error_page(request, 429, headers={"Retry-After": str(seconds), "Cache-Control": "private, no-store"})


def error_page(
    request: HttpRequest, status: int, headers: dict[str, str] | None = None, **context: object
) -> HttpResponse:
    """Render error.html for that status; `context` chooses among its texts (`expired`: a form's token is too old)."""
    page = render_to_string("error.html", {"request": request, "status": status, "language": get_language(), **context})
    return HttpResponse(page, status=status, headers=headers)
