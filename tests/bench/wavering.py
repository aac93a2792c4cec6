"""A page that is right whenever the benchmark looks at it and, as `?wrong=` says, every tenth time wrong in between."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

RIGHT = b"<!doctype html><title>Right</title>" + b"<p>A paragraph." * 200
OTHER = b"<!doctype html><title>Other</title>" + b"<p>A paragraph." * 300
WRONG = {"redirect": ("302 Found", b""), "empty": ("200 OK", b""), "other": ("200 OK", OTHER)}

_numbers = count(1)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    # The looking client says where it comes from; wrk doesn't.
    is_wrong = "HTTP_X_FORWARDED_FOR" not in environ and next(_numbers) % 10 == 0
    kind = environ["QUERY_STRING"].partition("wrong=")[2]
    status, body = WRONG.get(kind, ("200 OK", RIGHT)) if is_wrong else ("200 OK", RIGHT)
    start_response(status, [("Content-Type", "text/html"), ("Content-Length", str(len(body))), ("Location", "/")])
    return [body]
