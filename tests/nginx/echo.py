"""A WSGI application that tells what reached it, for tests of what stands in front of one.

`?answer={"status": 200, "headers": {…}, "seconds": 0}`, or the same in base64 after a `~` in the path, says what to answer,
and after how long; `in_turn`, a list of such, what to answer each time, the last for ever. The body is JSON: the path with its query, the request's headers, and `number`,
which is another one for each request.
"""

import json
import time
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from urllib.parse import parse_qs

_numbers = count(1)
_asked: Counter[str] = Counter()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()  # left unread, it would make nginx see a broken connection
    _path, _tilde, wish = environ["PATH_INFO"].partition("~")
    said = urlsafe_b64decode(wish) if wish else parse_qs(environ["QUERY_STRING"]).get("answer", ["{}"])[0]
    asked = json.loads(said)
    if turns := asked.get("in_turn"):
        asked = turns[min(_asked[wish], len(turns) - 1)]
        _asked[wish] += 1
    time.sleep(asked.get("seconds", 0))
    headers = {name[5:].lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    told = {"address": environ["RAW_URI"], "headers": headers, "number": next(_numbers)}
    body = json.dumps(told).encode()
    answered = {"Content-Type": "application/json", "Content-Length": str(len(body)), **asked.get("headers", {})}
    start_response(f"{asked.get('status', 200)} Answer", list(answered.items()))
    return [body]
