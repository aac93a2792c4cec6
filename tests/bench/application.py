"""The blog, and beside it in the same worker the smallest thing Django can do: a view of one line.

`/one-line` goes past the blog's middleware and addresses. With them it would measure the blog against itself; bare, it
says how much of a worker's time a page takes above what any Django page must.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings
from django.urls import path

from blog_xtg.wsgi import application as blog
from tests.bench import ONE_LINE


def one_line(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>One line</title><p>One line.")


urlpatterns = [path(ONE_LINE.lstrip("/"), one_line)]


class BareRequest(WSGIRequest):
    urlconf = __name__


class BareHandler(WSGIHandler):
    request_class = BareRequest

    def load_middleware(self, is_async: bool = False) -> None:
        with override_settings(MIDDLEWARE=[]):
            super().load_middleware(is_async)


bare = BareHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    answering = bare if environ["PATH_INFO"] == ONE_LINE else blog
    return answering(environ, start_response)  # type: ignore[return-value]
