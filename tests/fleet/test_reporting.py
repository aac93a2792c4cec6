"""Errors told to a Sentry: a server that takes what the program sends, and looks what is in it."""

import gzip
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
import pytest

from tests.services import ROOT, GunicornServer, Redis, free_port, wait_until

pytestmark = [pytest.mark.gunicorn, pytest.mark.redis]


class Sentry:
    """`events` are those received, `texts` all that came."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.texts: list[str] = []
        sentry = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                unpack = {"br": brotli.decompress, "gzip": gzip.decompress}.get(self.headers["Content-Encoding"])
                body = unpack(body) if unpack else body
                sentry.texts.append(body.decode())
                # An envelope: its header, then for each item a header and the item, a line each.
                _header, *rest = body.decode().splitlines()
                for head, item in zip(rest[::2], rest[1::2], strict=False):
                    if json.loads(head)["type"] == "event":
                        sentry.events.append(json.loads(item))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.dsn = f"http://public@127.0.0.1:{self.server.server_address[1]}/1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    sentry = Sentry()
    yield sentry
    sentry.server.shutdown()
    sentry.server.server_close()


def test_an_error_is_told_with_its_request_and_without_its_reader(sentry: Sentry, own_redis: Redis) -> None:
    away = f"mysql://blog:blog@127.0.0.1:{free_port()}/blog"
    environ = {"REDIS_URL": own_redis.url, "TRUSTED_PROXIES": "1", "BLOG_HOST": "first"}
    with GunicornServer(SENTRY_DSN=sentry.dsn, DATABASE_URL=away, **environ) as server:
        request = urllib.request.Request(
            f"{server.url}/comments/mail/stop/t0psecret/?q=t0psecret",
            headers={
                "X-Request-Id": "a" * 32,
                "X-Forwarded-For": "192.0.2.77",
                "Cookie": "sessionid=t0psecret",
                "User-Agent": "Mozilla/5.0 t0psecret",
            },
        )
        with pytest.raises(urllib.error.HTTPError, match=r"50[03]") as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.headers["X-Request-Id"] == "a" * 32
        wait_until(lambda: bool(sentry.events), 20)
        assert "t0psecret" not in server.log
        lines = [json.loads(line) for line in server.log.splitlines()]
        (logged,) = [line for line in lines if line["level"] == "error"]
        assert logged["request_id"] == "a" * 32 and "OperationalError" in logged["exception"]
    (event,) = [event for event in sentry.events if event["level"] == "error" and "request" in event]
    assert event["tags"]["request_id"] == "a" * 32
    assert event["server_name"] == "first"
    assert event["request"] == {"method": "GET", "url": f"{server.url}/comments/mail/stop/…/"}
    assert event["exception"]["values"][-1]["type"] == "OperationalError"
    told = "".join(sentry.texts)
    assert "t0psecret" not in told and "192.0.2.77" not in told and '"vars"' not in told


def test_no_address_of_anybody_is_in_a_message() -> None:
    from apps.core.observability.sentry import _without_persons  # of requirements/prod

    event = {
        "logentry": {
            "message": "Letter to %s",
            "formatted": "Letter to ada@example.com",
            "params": ["ada@example.com"],
        },
        "exception": {"values": [{"type": "IntegrityError", "value": "Duplicate entry 'ada@example.com' for key"}]},
        "extra": {"email": "ada@example.com"},
        "user": {"ip_address": "192.0.2.77"},
        "request": {"url": "http://x/setup/?token=t0psecret", "headers": {}, "data": "…", "method": "GET"},
    }
    told = json.dumps(_without_persons(event, {}))
    for secret in ("ada", "192.0.2.77", "t0psecret"):
        assert secret not in told


def test_nothing_of_it_is_loaded_where_nobody_is_to_be_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import django, sys; django.setup(); print('sentry_sdk' in sys.modules)"],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "False"
