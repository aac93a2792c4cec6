"""Who is on the other end of a request.

Headers are read from META: `request.headers` copies them all first, which a kept page or a view would pay for.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


class BlogRequest(HttpRequest):
    """A request once it has passed SiteMiddleware: `site` is the snapshot of the site components."""

    asked_at: float  # when, in seconds since 1970; of anonymous readers' pages alone
    answered_by: str  # what has answered it without being asked for by its address
    site: Any  # the apps below components can't name its type
    replica: str  # the database that may make the answer, blank for the primary; of anonymous readers' pages alone


def client_address(request: HttpRequest) -> str:
    """Return the reader's IP address.

    X-Forwarded-For is believed only for as many entries from its right end as TRUSTED_PROXIES says there are proxies:
    what stands further left was written by the client.
    """
    peer = request.META.get("REMOTE_ADDR") or ""
    if settings.TRUSTED_PROXIES:
        forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        if len(forwarded) >= settings.TRUSTED_PROXIES:
            return forwarded[-settings.TRUSTED_PROXIES]
    return peer
