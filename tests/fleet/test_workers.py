"""Several workers at one socket."""

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.factories import make_posts
from tests.services import GunicornServer, MariaDB, Redis, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database("mariadb"), pytest.mark.gunicorn]

CONNECTIONS, REQUESTS = 16, 10


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
