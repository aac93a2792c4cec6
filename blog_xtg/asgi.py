"""The ASGI application: pages by Django, websockets by channels."""

import os
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO

from django.core.asgi import get_asgi_application

from apps.core.environment import one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
os.environ["CONN_MAX_AGE"] = "0"  # threads come and go here, and each would leave one behind
with one_sentence():
    django_application = get_asgi_application()  # before anything that imports models

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.core.handlers.asgi import ASGIRequest

from apps.core.http import hosts

from .routing import websocket_urlpatterns


class OwnPagesOnly:
    """Around websockets: a handshake from another site's page, or from no page, is refused with 403."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(
        self, scope: Mapping[str, object], receive: Callable[..., object], send: Callable[..., object]
    ) -> None:
        request = ASGIRequest({**scope, "type": "http", "method": "GET"}, BytesIO())
        meta = request.META
        is_own = hosts.is_asked_by_name(meta) and hosts.is_own_origin(request, meta.get("HTTP_ORIGIN", ""))
        await (self._application if is_own else WebsocketDenier())(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": OwnPagesOnly(URLRouter(websocket_urlpatterns)),
    }
)
