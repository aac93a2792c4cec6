"""nginx as deployed, in front of an application that tells what reached it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import need
from tests.proxy import BlogNginx
from tests.services import GunicornServer, MariaDB, Redis, free_port


@pytest.fixture(scope="session")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of which nginx serves static/ and media/."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="session")
def nginx(var: Path) -> Iterator[BlogNginx]:
    need("nginx")
    need("gunicorn")
    with (
        GunicornServer(application="tests.nginx.echo:application") as app,
        BlogNginx([app.port], free_port(), var) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def environ(mariadb_server: MariaDB) -> Iterator[dict[str, str]]:
    """The environment of a fleet behind nginx: an empty database and a Redis of its own."""
    import MySQLdb

    for group in ("nginx", "gunicorn", "redis"):
        need(group)
    server = MySQLdb.connect(host="127.0.0.1", port=mariadb_server.port, user="blog", password="blog")
    with closing(server), closing(server.cursor()) as cursor, Redis() as redis:
        cursor.execute("CREATE DATABASE behind_nginx CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci")
        url = f"mysql://blog:blog@127.0.0.1:{mariadb_server.port}/behind_nginx"
        yield {"DATABASE_URL": url, "REDIS_URL": redis.url, "TRUSTED_PROXIES": "1", "ALLOWED_HOSTS": "*"}
        cursor.execute("DROP DATABASE behind_nginx")
