"""Several workers at one socket."""

import http.client
import json
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.factories import make_posts
from tests.services import GunicornServer, MariaDB, Redis, wait_until

pytestmark = pytest.mark.gunicorn

CONNECTIONS, REQUESTS = 16, 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_database("mariadb")
def test_connections_that_come_at_once_are_shared(own_redis: Redis, mariadb_server: MariaDB) -> None:
    make_posts(10)
    environ = {
        "DATABASE_URL": mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"]),
        "REDIS_URL": own_redis.url,
        "PAGE_CACHE_BYTES": "0",
        "LOG_FORMAT": "json",
    }
    with GunicornServer(2, **environ) as server:

        def read(_number: int) -> list[int]:
            reader = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            statuses = []
            for _ in range(REQUESTS):
                reader.request("GET", "/")
                answer = reader.getresponse()
                answer.read()
                statuses.append(answer.status)
            reader.close()
            return statuses

        with ThreadPoolExecutor(CONNECTIONS) as readers:
            statuses = [status for of_one in readers.map(read, range(CONNECTIONS)) for status in of_one]
        assert statuses == [200] * CONNECTIONS * REQUESTS

        def answered() -> Counter[int]:
            lines = (json.loads(line) for line in server.log.splitlines() if line.startswith("{"))
            return Counter(line["process"] for line in lines if line.get("path") == "/")

        wait_until(lambda: answered().total() >= len(statuses), 5, lambda: server.log[-2000:])
        assert len(answered()) == 2 and min(answered().values()) >= len(statuses) / 4, answered()


def test_whatever_was_sent_is_answered_while_workers_end() -> None:
    request = b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 4\r\n\r\nword"
    over, heard = threading.Event(), Counter[str]()

    def call(port: int) -> None:
        while not over.is_set():
            with socket.socket() as caller:
                caller.settimeout(2)
                try:
                    caller.connect(("127.0.0.1", port))
                except OSError:  # refused, or turned away: nothing was sent, and nginx asks another host
                    heard["nobody there"] += 1
                    time.sleep(0.01)
                    continue
                try:
                    caller.sendall(request)
                    heard["an answer" if caller.recv(100).startswith(b"HTTP/1.1 ") else "an end"] += 1
                except OSError as error:
                    heard[repr(error)] += 1

    with GunicornServer(2, "tests.nginx.echo:application") as server:
        callers = [threading.Thread(target=call, args=(server.port,), daemon=True) for _ in range(6)]
        for caller in callers:
            caller.start()
        for _ in range(3):
            time.sleep(0.5)
            server.stop()
            server.start()
        over.set()
        for caller in callers:
            caller.join(10)
    assert set(heard) - {"nobody there"} == {"an answer"}, heard
    assert heard["an answer"] > 100


def test_several_that_could_not_hear_of_each_other_do_not_start() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1:.*can't hear of .* without REDIS_URL.*WEB_CONCURRENCY=1"):
        GunicornServer(2).start()
