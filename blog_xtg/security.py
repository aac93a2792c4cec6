"""The way to https, and headers that tell the browser what a page may do."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect

from . import proxies

# Pictures and films an author links to may come from anywhere; scripts, styles, fonts and connections from here alone.
_POLICY = (
    "default-src 'self'; img-src 'self' data: http: https:; media-src 'self' http: https:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Mermaid writes style elements into the diagrams it draws.
DIAGRAM_POLICY = f"{_POLICY}; style-src 'self' 'unsafe-inline'"
# Django's admin and the Markdown editor set style attributes.
_ADMIN_POLICY = DIAGRAM_POLICY


class HttpsMiddleware:
    """Lead a reader who came by http to https, where SITE_URL is: only when a proxy in front has said so.

    A request without X-Forwarded-Proto is answered as it came: the proxy that ends TLS needs no redirect from here, or
    there is none yet and the owner reads on this machine. So there is no way to come back to where one was led from.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.HTTPS and proxies.leads_to_https(request.META):
            return HttpResponsePermanentRedirect(f"{settings.SITE_URL}{request.get_full_path()}")
        return self.get_response(request)


class ContentSecurityPolicyMiddleware:
    """Give every response a Content-Security-Policy without nonces, so that a cached page carries the same one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = _ADMIN_POLICY if request.path.startswith("/admin/") else _POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
