"""One address that a worker answers before Django, which would be a fifth of the time of so small an answer."""

import time
from collections.abc import Callable, Iterable, Mapping
from http.client import responses
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import LimitedStream, WSGIRequest

from ..observability import metrics
from ..observability.logs import LogContext, log_context
from . import hosts, proxies
from .requests import identify

Headers = Iterable[tuple[str, str]]
Answer = Callable[[Mapping[str, object], object], tuple[int, Headers, bytes]]
METHODS = {"GET", "POST"}


class Shortcut:
    """A WSGI application in front of Django's: it answers one address of a reader without a session by itself.

    `answer` is called with the environ and the body; the address's view must answer the same, for all that is out of
    the ordinary goes to Django: who may be signed in, another method, another host, a reader to be led to https.
    What RequestMiddleware does for the others is done here. A database connection is left as it is found.
    """

    def __init__(self, django: Callable[..., Iterable[bytes]], path: str, view: str, answer: Answer) -> None:
        self._django = django
        self._path, self._view, self._answer = path, view, answer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != self._path or not _is_ordinary(environ):
            return self._django(environ, start_response)
        begun, queries = time.perf_counter(), metrics.queries_so_far()
        proxies.notice(environ)
        request_id = identify(environ)
        token = log_context.set(LogContext(request_id))
        try:
            status, headers, body = self._answer(environ, _body(environ))
        except Exception as error:
            status, headers, body = _fault(environ, error)
        finally:
            log_context.reset(token)
        environ["blog.told"] = f',"view":"{self._view}","queries":{metrics.queries_so_far() - queries}'
        metrics.observe_request(self._view, status, time.perf_counter() - begun)
        of_all = ("Content-Length", str(len(body))), ("X-Request-Id", request_id), ("X-Content-Type-Options", "nosniff")
        start_response(f"{status} {responses[status]}", [*headers, *of_all])
        return [body]


def _is_ordinary(environ: WSGIEnvironment) -> bool:
    return (
        environ["REQUEST_METHOD"] in METHODS
        and settings.SESSION_COOKIE_NAME not in environ.get("HTTP_COOKIE", "")
        and "HTTP_AUTHORIZATION" not in environ
        and (not settings.HTTPS or environ.get("HTTP_X_FORWARDED_PROTO") == "https")
        and hosts.is_asked_by_name(environ)
    )


def _body(environ: WSGIEnvironment) -> LimitedStream:
    return LimitedStream(environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0))


def _fault(environ: WSGIEnvironment, error: Exception) -> tuple[int, Headers, bytes]:
    """Log the error and answer it as Django would."""
    response = response_for_exception(WSGIRequest(environ), error)
    return response.status_code, response.items(), response.content
