"""Processes of a fleet on the test's own MariaDB and a Redis; the test itself is one more of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from tests.conftest import need
from tests.fleet.networks import network
from tests.fleet.whole import WholeFleet
from tests.proxy import BlogNginx
from tests.services import BlogServer, GunicornServer, LiveServer, MariaDB, Redis


@dataclass
class Fleet:
    """Four processes, one worker each, of every kind that serves pages; and nginx as deployed in front of them."""

    servers: list[BlogServer]
    nginx: BlogNginx


@pytest.fixture
def fleet(
    member: Redis, mariadb_server: MariaDB, transactional_db: None, tmp_path: Path
) -> Iterator[Callable[..., Fleet]]:
    """fleet(wsgi=…, asgi=…) starts one; what the test changes, it announces to it."""
    environ = {
        "DATABASE_URL": mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"]),
        "REDIS_URL": member.url,
        "TRUSTED_PROXIES": "1",
        "SITE_URL": "http://127.0.0.1",  # the same for all of them; nginx hands on its own name with its port
        "ALLOWED_HOSTS": "*",
    }
    with ExitStack() as running:

        def start(wsgi: str = "blog_xtg.wsgi:application", asgi: str = "blog_xtg.asgi:application") -> Fleet:
            servers = [
                GunicornServer(application=wsgi, **environ),
                GunicornServer(application=wsgi, **environ),
                LiveServer("gunicorn", asgi, **environ),
                LiveServer("daphne", asgi, **environ),
            ]
            for server in servers:
                running.enter_context(server)
            nginx = BlogNginx([server.port for server in servers], servers[2].port, tmp_path)
            return Fleet(servers, running.enter_context(nginx))

        yield start


@pytest.fixture(scope="session")
def whole_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeFleet]:
    """The fleet of `make fleet`, for all tests of the run, each host in a network of its own where that can be had.

    It must have ended without a trace.
    """
    for group in ("mariadb", "redis", "nginx", "gunicorn"):
        need(group)
    with ExitStack() as stack:
        found = stack.enter_context(network())
        whole = WholeFleet(tmp_path_factory.mktemp("whole-fleet"), found.settings)
        stack.enter_context(found.serve(whole))
        whole.network = found
        try:
            whole.start()
            yield whole
        finally:
            whole.stop()
            assert whole.processes() == []
