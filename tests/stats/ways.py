"""The two ways a beacon is answered: by Django's view, and by a worker of a fleet before Django is asked."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from apps.core.http.shortcut import Shortcut
from apps.stats.beacon.answer import answer

ADDRESS = "/stats/view"


class _WorkerHandler(ClientHandler):
    def __call__(self, environ: dict[str, Any]) -> Any:
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        shortcut = Shortcut(lambda *_: [], ADDRESS, "stats:beacon", answer)
        body = b"".join(shortcut(environ, lambda status, headers: begun.append((status, headers))))
        if not begun:
            return super().__call__(environ)
        ((status, headers),) = begun
        response: Any = HttpResponse(body, status=int(status[:3]), headers=dict(headers))
        response.wsgi_request, response.is_shortcut = WSGIRequest(environ), True
        return response


class Worker(Client):
    """Asks as a worker of a fleet is asked; `response.is_shortcut` where Django was not."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.handler = _WorkerHandler(enforce_csrf_checks=False)


WAYS = {"django": Client, "shortcut": Worker}
