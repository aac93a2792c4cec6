"""Websocket addresses, by app; named by string so that the site imports no app."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from channels.routing import URLRouter
from django.urls import path, re_path
from django.utils.module_loading import import_string


async def refuse(
    scope: object, receive: Callable[[], Awaitable[object]], send: Callable[[object], Awaitable[None]]
) -> None:
    """Close what asks for an address that isn't one; without this the server logs a traceback and answers 500."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


websocket_urlpatterns = [
    path("", URLRouter(import_string("apps.comments.routing.websocket_urlpatterns"))),
    re_path(r"", cast(Any, refuse)),
]
