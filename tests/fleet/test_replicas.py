"""A replica makes readers' pages, but none that is older than what this blog has announced."""

import http.client
import time
from collections.abc import Iterator

import pytest

from tests.services import GunicornServer, MariaDB, Redis, wait_until

pytestmark = [pytest.mark.gunicorn, pytest.mark.mariadb, pytest.mark.redis]
WRITE = "from apps.posts.models import Post; Post.objects.create(title='Title {0}', body='Text.', status='published')"


@pytest.fixture
def servers() -> Iterator[tuple[MariaDB, MariaDB]]:
    """A primary and its replica."""
    with MariaDB("--log-bin=binlog", "--server-id=1") as primary, MariaDB("--server-id=2") as replica:
        position = primary.ask("SELECT @@gtid_binlog_pos")[0][0]
        replica.ask(f"SET GLOBAL gtid_slave_pos = '{position}'")
        replica.ask(
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='blog',"
            " MASTER_PASSWORD='blog', MASTER_USE_GTID=slave_pos"
        )
        replica.ask("START SLAVE")
        yield primary, replica


def selects(server: MariaDB) -> int:
    return int(server.ask("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])


def test_readers_are_answered_by_a_replica_that_has_caught_up(
    servers: tuple[MariaDB, MariaDB], redis_server: Redis
) -> None:
    primary, replica = servers
    environ = {"DATABASE_URL": primary.url, "DATABASE_REPLICA_URLS": replica.url, "REDIS_URL": redis_server.url}
    server = GunicornServer(workers=2, **environ)
    server.manage("migrate", "-v", "0")

    def read(path: str = "/", cookie: str = "") -> str:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        client.request("GET", path, headers={"Accept-Language": "en", "Cookie": cookie})
        answer = client.getresponse()
        assert answer.status == 200
        return answer.read().decode()

    def asked(cookie: str = "") -> tuple[int, int]:
        """How many questions 20 searches are for each server."""
        before = selects(primary), selects(replica)
        for number in range(20):
            read(f"/search/?q=word{number}", cookie)
        return selects(primary) - before[0], selects(replica) - before[1]

    with server:
        server.manage("shell", "-c", WRITE.format("one"))
        read()
        wait_until(lambda: asked()[1] >= 20, 15)
        on_primary, on_replica = asked()
        assert on_replica > 20 > on_primary
        # Who has the token of a form may have written.
        assert asked("csrftoken=abc")[1] <= 1

        # A replica that stands still makes no page that lacks the change, and none is kept.
        replica.ask("STOP SLAVE SQL_THREAD")
        read()
        server.manage("shell", "-c", WRITE.format("two"))
        end = time.monotonic() + 1
        time.sleep(0.1)
        while time.monotonic() < end:
            assert "Title two" in read() and "Title two" in read("/archive/")
        assert asked()[1] <= 40  # whether it has caught up
        replica.ask("START SLAVE SQL_THREAD")
        wait_until(lambda: asked()[0] < 20, 15)
        assert "Title</mark> two" in read("/search/?q=Title")

        # One that is gone is noticed once, not with every page.
        replica.stop()
        begun_at = time.monotonic()
        for number in range(20):
            read(f"/search/?q=word{number}")
        assert time.monotonic() - begun_at < 10
