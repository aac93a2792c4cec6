"""Changes made where no page is served, and processes of every kind that hear of one: 100 ms are enough for each."""

import sys
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.db import connection, transaction

from apps.components.models import SiteIdentity
from tests.fleet.changing import BOUND_SECONDS, Change, sleep_until
from tests.fleet.test_beat import app_of
from tests.services import BlogServer, CeleryProcess, GunicornServer, MariaDB, Redis, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_database("mariadb"),
    pytest.mark.gunicorn,
    pytest.mark.alone,
]


class Runserver(BlogServer):
    """As a developer has it, in a process of its own that is started anew when a file changes."""

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "runserver", f"127.0.0.1:{self.port}"]


@pytest.fixture
def environ(member: Redis, mariadb_server: MariaDB, transactional_db: None) -> dict[str, str]:
    """Makes a process one of this test's fleet."""
    database = mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"])
    return {"DATABASE_URL": database, "REDIS_URL": member.url}


def title_of(server: BlogServer) -> str:
    with urllib.request.urlopen(server.url, timeout=10) as response:
        return str(response.read().decode().partition("<title>")[2].partition("</title>")[0])


def check(rename: Callable[[str], object], titles: list[str], server: BlogServer, redis: Redis) -> None:
    """Have the site renamed elsewhere; the server is read at full speed until it is, and remembers its page."""
    with redis.client() as client:
        for title in titles:
            before = title_of(server)
            assert before != title
            rename(title)
            seen = {before}
            while not (moments := client.lpop("renamed")):
                seen.add(title_of(server))
            assert seen <= {before, title}
            committed_at, told_at = map(float, moments.split())
            sleep_until(Change("rename", committed_at=committed_at, told_at=told_at).counts_from + BOUND_SECONDS)
            assert title_of(server) == title


def test_what_a_job_or_a_command_changes_is_seen_at_once(own_redis: Redis, environ: dict[str, str]) -> None:
    app = app_of(own_redis)
    with (
        GunicornServer(**environ) as server,
        CeleryProcess("worker", "tests.fleet.working", **environ),
        ThreadPoolExecutor(1) as thread,
    ):

        def by_command(title: str) -> None:
            code = f"from tests.fleet.working import rename; rename('{title}')"
            thread.submit(server.manage, "shell", "-c", code)

        check(lambda title: app.send_task("tests.rename", [title]), ["A job", "And again"], server, own_redis)
        check(by_command, ["A command", "Another"], server, own_redis)


def test_processes_of_every_kind_hear_of_a_change(own_redis: Redis, environ: dict[str, str]) -> None:
    """Those that the fleet of the other tests has not: one says what it remembers when a job asks it to."""
    app = app_of(own_redis)
    worker = CeleryProcess("worker", "tests.fleet.working", **environ)
    servers = [Runserver(**environ), BlogServer(**environ)]
    with ExitStack() as running, own_redis.client() as client:
        for started in (worker, *servers):
            running.enter_context(started)
        readers = running.enter_context(ThreadPoolExecutor(len(servers)))

        def titles() -> set[str]:
            app.send_task("tests.remembered")
            shown = set(readers.map(title_of, servers))
            wait_until(lambda: client.llen("remembered") > 0, 30, lambda: worker.log[-4000:])
            return {*shown, str(client.lpop("remembered"))}

        for title in ("One", "Another", "A third"):
            before = titles()
            assert len(before) == 1 and title not in before
            change = Change("rename")
            with transaction.atomic():
                transaction.on_commit(change.commits)
                SiteIdentity(title=title).save()
            change.tells()
            sleep_until(change.counts_from + BOUND_SECONDS)
            assert titles() == {title}
