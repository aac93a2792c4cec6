"""The blog, and beside it in the same worker the smallest thing Django can do: a view of one line.

`/page-cache` tells how many bytes this worker's page cache holds, and which worker it is.

`/one-line` goes past the blog's middleware and addresses. With them it would measure the blog against itself; bare, it
says how much of a worker's time a page takes above what any Django page must.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test.utils import override_settings
from django.urls import path

from apps.core.pages.page_cache import pages
from blog_xtg.wsgi import application as blog
from tests.bench import ONE_LINE, PAGE_CACHE


def one_line(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>One line</title><p>One line.")


def page_cache(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"worker": os.getpid(), "size_bytes": pages.size_bytes})


urlpatterns = [path(ONE_LINE.lstrip("/"), one_line), path(PAGE_CACHE.lstrip("/"), page_cache)]


class BareRequest(WSGIRequest):
    urlconf = __name__


class BareHandler(WSGIHandler):
    request_class = BareRequest

    def load_middleware(self, is_async: bool = False) -> None:
        with override_settings(MIDDLEWARE=[]):
            super().load_middleware(is_async)


bare = BareHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    answering = bare if environ["PATH_INFO"] in {ONE_LINE, PAGE_CACHE} else blog
    return answering(environ, start_response)
