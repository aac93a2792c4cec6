"""A WSGI application that tells what reached it, for tests of what stands in front of one.

`?answer={"status": 200, "headers": {…}}` says what to answer; the body is JSON: the path with its query, the request's
headers, and `number`, which is another one for each request.
"""

import json
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from urllib.parse import parse_qs

_numbers = count(1)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()  # left unread, it would make nginx see a broken connection
    query = environ["QUERY_STRING"]
    asked = json.loads(parse_qs(query).get("answer", ["{}"])[0])
    headers = {name[5:].lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    told = {"address": environ["RAW_URI"], "headers": headers, "number": next(_numbers)}
    body = json.dumps(told).encode()
    answered = {"Content-Type": "application/json", "Content-Length": str(len(body)), **asked.get("headers", {})}
    start_response(f"{asked.get('status', 200)} Answer", list(answered.items()))
    return [body]
