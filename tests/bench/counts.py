"""Queries and Redis round trips of a page, counted in a process of its own: `python -m tests.bench.counts '<visits>'`.

Runs on the blog that the environment names, with components warm, and prints as JSON for `cold` (page cache off) and
`page cache`: name -> queries, round trips, bytes.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

WARMING_SECONDS = 1.5
HOST = "127.0.0.1"


def counted(ask: Callable[[], Any]) -> dict[str, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from redis.connection import AbstractConnection

    trips = 0
    send = AbstractConnection.send_packed_command

    def counting(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal trips
        if threading.current_thread() is threading.main_thread():  # the listener's beat is nobody's request
            trips += 1  # a pipeline is sent at once
        return send(self, *args, **kwargs)

    for _ in range(3):
        ask()
    AbstractConnection.send_packed_command = counting
    try:
        with CaptureQueriesContext(connection) as queries:
            response = ask()
    finally:
        AbstractConnection.send_packed_command = send
    assert response.status_code == 200, response
    return {"queries": len(queries), "round_trips": trips, "bytes": len(response.content)}


def main() -> None:
    visits = json.loads(sys.argv[1])
    import django

    django.setup()
    from django.test import Client
    from django.test.utils import override_settings

    from tests.services import BROWSER

    client = Client(headers={"host": HOST, "user-agent": BROWSER, "x-forwarded-for": "10.1.1.1"})
    asked: dict[str, Callable[[], Any]] = {
        name: lambda path=path: client.get(path) for name, (path, _title) in visits["pages"].items()
    }
    body = json.dumps({"post": visits["first_post"]})
    asked["beacon"] = lambda: client.post("/stats/view", body, content_type="application/json")
    end = time.monotonic() + WARMING_SECONDS
    while time.monotonic() < end:  # what listens for changes may take a moment to connect
        asked["home"]()
    with override_settings(PAGE_CACHE_BYTES=0):
        cold = {name: counted(ask) for name, ask in asked.items()}
    print(json.dumps({"cold": cold, "page cache": {name: counted(ask) for name, ask in asked.items()}}))


if __name__ == "__main__":
    main()
