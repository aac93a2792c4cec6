"""The WSGI application, for gunicorn's threads."""

import os
from collections.abc import Callable
from typing import Any

import django

from .environment import one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
with one_sentence():
    django.setup(set_prefix=False)

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse

from .public import is_anonymous


class Handler(WSGIHandler):
    """Django's own; but a beacon that Redis counts passes no signals.

    They look after the database's connections, which such a view has no need of, and took a quarter of the time between
    gunicorn and Redis. Where it asks the database after all, apps/stats/patience.py looks after them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._beacon = reverse("components:beacon") if settings.REDIS_URL else ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if self._beacon and environ.get("PATH_INFO") == self._beacon:
            request = self.request_class(environ)
            if is_anonymous(request):
                response = self._middleware_chain(request)  # type: ignore[attr-defined]
                start_response(f"{response.status_code} {response.reason_phrase}", [*response.items()])
                return [response.content]
        return super().__call__(environ, start_response)


application = Handler()
