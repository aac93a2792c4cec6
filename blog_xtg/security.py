"""Headers that tell the browser what a page may do."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Pictures and films an author links to may come from anywhere; scripts, styles, fonts and connections from here alone.
_POLICY = (
    "default-src 'self'; img-src 'self' data: http: https:; media-src 'self' http: https:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Mermaid writes style elements into the diagrams it draws.
DIAGRAM_POLICY = f"{_POLICY}; style-src 'self' 'unsafe-inline'"
# Django's admin and the Markdown editor set style attributes.
_ADMIN_POLICY = DIAGRAM_POLICY


class ContentSecurityPolicyMiddleware:
    """Give every response a Content-Security-Policy without nonces, so that a cached page carries the same one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = _ADMIN_POLICY if request.path.startswith("/admin/") else _POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
