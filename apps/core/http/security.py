"""The way to https, what a page may do in the browser, and which forms are taken without a token."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect

from . import errors, hosts, proxies

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}

# Pictures and films an author links to may come from anywhere; scripts, styles, fonts and connections from here alone.
_POLICY = (
    "default-src 'self'; img-src 'self' data: http: https:; media-src 'self' http: https:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Mermaid writes style elements into the diagrams it draws.
DIAGRAM_POLICY = f"{_POLICY}; style-src 'self' 'unsafe-inline'"
# Django's admin and the Markdown editor set style attributes.
_ADMIN_POLICY = DIAGRAM_POLICY
# Features that no page here needs. Players in frames keep what they need: fullscreen, autoplay, encrypted media.
_PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=(), browsing-topics=()"


def from_own_pages(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Take a POST without Django's token, but not from another site's page: that is answered 403.

    Browsers say where a form comes from (Sec-Fetch-Site, before it Origin). What says nothing is no page of another
    site: a mail program's one-click unsubscribe (RFC 8058), or a browser of before 2020.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method not in SAFE_METHODS and is_cross_site(request):
            return errors.cross_site(request)
        return view(request, *args, **kwargs)

    answer.csrf_exempt = True  # type: ignore[attr-defined]
    answer.is_from_own_pages = True  # type: ignore[attr-defined]
    return answer


def is_cross_site(request: HttpRequest) -> bool:
    """Whether the browser says that another site's page sends this request; a sibling under one domain is another."""
    site, origin = request.META.get("HTTP_SEC_FETCH_SITE"), request.META.get("HTTP_ORIGIN")
    if site == "same-origin":
        return False
    return site not in {None, "none"} or (origin is not None and not hosts.is_own_origin(request, origin))


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
    """Give every response a Content-Security-Policy without nonces, so that a cached page carries the same one.

    And a Permissions-Policy, the same for all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = _ADMIN_POLICY if request.path.startswith("/admin/") else _POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["Permissions-Policy"] = _PERMISSIONS
        return response
