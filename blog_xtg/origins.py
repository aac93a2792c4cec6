"""Which pages may open a websocket here: our own."""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host


class OwnOrigin:
    """Refuse websockets (403) of pages that come from another origin than the one they connect to.

    Browsers put no limit of their own on websockets and send their cookies along.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        origin, host = (headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host"))
        answer = self.application if is_own(origin, host) else WebsocketDenier()
        return await answer(scope, receive, send)


def is_own(origin: str, host: str) -> bool:
    """Tell whether the Origin header is SITE_URL's, or that of the allowed Host asked for, under SITE_URL's scheme."""
    site = urlsplit(settings.SITE_URL)
    own = f"{site.scheme}://{site.netloc}"
    if origin.lower() == own.lower():
        return True
    name, _port = split_domain_port(host)
    return origin.lower() == f"{site.scheme}://{host}".lower() and validate_host(name, settings.ALLOWED_HOSTS)
