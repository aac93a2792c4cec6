"""The promise of the test runs themselves: what isn't installed is skipped and named, or fails when it is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import services

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_PROGRAMS = """
import sys, pytest
from tests import services
services.SEARCH_PATH = "/nowhere"
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


def run_without_programs(*tests: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "REQUIRE_SERVICES"}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_PROGRAMS, *[f"{__file__}::{test}" for test in tests]],
        cwd=ROOT,
        env={**env, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_missing_service_is_skipped_and_named() -> None:
    done = run_without_programs("test_redis_can_be_taken_away", "test_nginx_serves", "test_a_name_is_looked_for")
    assert done.returncode == 0, done.stdout
    closing = done.stdout.splitlines()[-3:]
    assert closing[0].startswith("nginx: 1 test skipped, nginx is not installed; `make services`")
    assert closing[1].startswith("redis: 1 test skipped, redis-server is not installed; `make services`")
    assert closing[2].startswith("1 passed, 2 skipped")


def test_a_missing_service_fails_where_it_is_required() -> None:
    done = run_without_programs("test_redis_can_be_taken_away", REQUIRE_SERVICES="1")
    assert done.returncode == 1
    assert "redis: redis-server is not installed, and REQUIRE_SERVICES is set" in done.stdout


def test_a_name_is_looked_for() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program is not installed"):
        services.program("no-such-program")


def test_redis_can_be_taken_away(own_redis: services.Redis) -> None:
    assert own_redis.answers()
    own_redis.stop()
    assert not own_redis.answers()
    own_redis.start()
    assert own_redis.answers()


def test_nginx_serves(nginx) -> None:
    server = nginx("server { listen 127.0.0.1:PORT; location / { return 204; } }")
    assert server.answers()


@pytest.mark.django_db
def test_the_database_under_test_is_the_one_named(database: str) -> None:
    from django.db import connection

    assert connection.vendor == {"sqlite": "sqlite", "mariadb": "mysql"}[database]
    with connection.cursor() as cursor:
        if database == "mariadb":
            cursor.execute("SELECT @@character_set_connection, @@character_set_database, @@version")
            connection_set, database_set, version = cursor.fetchone()
            assert (connection_set, database_set) == ("utf8mb4", "utf8mb4")
            assert "MariaDB" in version
        cursor.execute("SELECT %s", ["😀"])
        assert cursor.fetchone() == ("😀",)


@pytest.mark.mariadb
def test_mariadb_stops_with_its_context() -> None:
    with services.MariaDB() as server:
        process = server.process
        folder = server.folder
        assert process
    assert process.poll() is not None
    assert not folder.exists()
