"""The database of a fleet: its character set, its migrations, and its restart under running workers."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.components.management.commands import migrate
from blog_xtg.checks import database_speaks_utf8mb4
from tests.services import ROOT, BlogServer, GunicornServer, MariaDB, Redis


@pytest.fixture
def own_mariadb() -> Iterator[MariaDB]:
    """A MariaDB of the test's own, to be stopped and started again."""
    with MariaDB() as server:
        yield server


@pytest.mark.django_db
@pytest.mark.one_database("mariadb")
def test_a_character_set_that_refuses_emoji_is_named(mariadb_server: MariaDB) -> None:
    assert database_speaks_utf8mb4(["default"]) == []
    mariadb_server.ask("CREATE OR REPLACE DATABASE old CHARACTER SET latin1")
    mariadb_server.ask("CREATE TABLE old.t (a TEXT)")
    with connection.cursor() as cursor:
        name = connection.settings_dict["NAME"]
        cursor.execute("USE old")
        faults = database_speaks_utf8mb4(["default"])
        cursor.execute(f"USE {name}")
    assert [fault.msg for fault in faults] == [
        "The database's character set is latin1, not utf8mb4.",
        "The table t's character set is latin1, not utf8mb4.",
    ]
    assert faults[1].hint == "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci"


@pytest.mark.mariadb
def test_two_hosts_that_migrate_at_once_take_turns(mariadb_server: MariaDB) -> None:
    mariadb_server.ask("CREATE OR REPLACE DATABASE migrated CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci")
    environ = BlogServer(DATABASE_URL=mariadb_server.url.removesuffix("blog") + "migrated").env
    command = [sys.executable, "manage.py", "migrate", "--no-color"]
    hosts = [
        subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    told = sorted((host.communicate(timeout=90)[0] for host in hosts), key=len)
    assert [host.returncode for host in hosts] == [0, 0], told
    assert "waiting for it" in told[0] and "No migrations to apply" in told[0]
    assert "Applying posts.0001_initial... OK" in told[1] and "waiting" not in told[1]


@pytest.mark.django_db
@pytest.mark.one_database("mariadb")
def test_a_host_that_never_finishes_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "WAIT_SECONDS", 0)
    with migrate.Command()._alone(connection), pytest.raises(CommandError, match="SHOW PROCESSLIST"):
        call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)


@pytest.mark.gunicorn
@pytest.mark.redis
def test_a_database_that_restarts_costs_no_request_after_it(own_mariadb: MariaDB, redis_server: Redis) -> None:
    """Of two workers with four threads each, every one has a connection that the restart has closed."""
    with GunicornServer(workers=2, DATABASE_URL=own_mariadb.url, REDIS_URL=redis_server.url) as server:
        server.manage("migrate", "-v", "0")

        def ask(number: int) -> int:
            import http.client

            client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            client.request("GET", f"/search/?q=word{number}", headers={"Cookie": "sessionid=nobody"})
            return client.getresponse().status

        with ThreadPoolExecutor(16) as readers:
            assert set(readers.map(ask, range(64))) == {200}
            own_mariadb.stop()
            away = list(readers.map(ask, range(4)))
            own_mariadb.start()
            assert set(readers.map(ask, range(64))) == {200}
        assert set(away) <= {500, 503}
