"""Processes of a fleet on the test's own MariaDB and a Redis; the test itself is one more of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.db import connection

from tests.services import GunicornServer, MariaDB, Redis

PROCESSES = 4


@pytest.fixture
def fleet(
    member: Redis, mariadb_server: MariaDB, transactional_db: None
) -> Iterator[Callable[..., list[GunicornServer]]]:
    """fleet(application=…) starts 4 gunicorns of one worker each; what the test changes, it announces to them."""
    database = str(connection.settings_dict["NAME"])
    with ExitStack() as running:

        def start(application: str = "blog_xtg.wsgi", **environ: str) -> list[GunicornServer]:
            url = mariadb_server.url.removesuffix("blog") + database
            return [
                running.enter_context(
                    GunicornServer(application=application, DATABASE_URL=url, REDIS_URL=member.url, **environ)
                )
                for _ in range(PROCESSES)
            ]

        yield start
