"""The database of a fleet: its character set, its migrations, and its restart under running workers."""

import http.client
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.core.db import replicas
from apps.core.db.mysql.base import MOMENT_SECONDS
from apps.core.db.replicas import POSITION_SECONDS, Router, reading
from apps.posts.models import Post
from blog_xtg.checks import database_speaks_utf8mb4
from blog_xtg.management.commands import migrate
from tests.services import BROWSER, ROOT, BlogServer, GunicornServer, MariaDB, Redis, site_settings, wait_until

pytestmark = [pytest.mark.gunicorn, pytest.mark.mariadb, pytest.mark.redis]
WRITE = "from apps.posts.models import Post; Post.objects.create(title='Title {0}', body='Text.', status='published')"


@pytest.fixture(scope="module")
def own_mariadb() -> Iterator[MariaDB]:
    """A MariaDB of these tests' own, which may have replicas; where its log begins to be of interest."""
    with MariaDB("--log-bin=binlog", "--server-id=1") as server:
        server.begins_at = server.ask("SELECT @@gtid_binlog_pos")[0][0]
        yield server


@pytest.fixture(scope="module")
def migrated(own_mariadb: MariaDB) -> tuple[str, str]:
    """The output of two hosts that migrated at the same time, the shorter first."""
    command = [sys.executable, "manage.py", "migrate", "--no-color"]
    environ = BlogServer(DATABASE_URL=own_mariadb.url).env
    hosts = [
        subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    one, other = sorted((host.communicate(timeout=90)[0] for host in hosts), key=len)
    assert [host.returncode for host in hosts] == [0, 0], (one, other)
    return one, other


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


def test_a_database_over_tls_must_be_the_one_it_says_it_is(tmp_path: Path) -> None:
    for name in ("ours", "others"):
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.pem")),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
    cipher = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    print(cursor.fetchone())
"""
    with MariaDB(f"--ssl-cert={tmp_path}/ours.pem", f"--ssl-key={tmp_path}/ours.key") as server:
        for authority, believed in (("ours", True), ("others", False)):
            blog = BlogServer(DATABASE_URL=f"{server.url}?ssl_mode=VERIFY_IDENTITY&ssl_ca={tmp_path}/{authority}.pem")
            if believed:
                assert "TLS_" in blog.manage("shell", "--verbosity=0", "-c", cipher)
            else:
                with pytest.raises(RuntimeError, match=r"(?i)certificate"):
                    blog.manage("shell", "--verbosity=0", "-c", cipher)
            blog.close()


def test_a_fleet_is_not_prepared_on_a_database_that_refuses_emoji(mariadb_server: MariaDB) -> None:
    mariadb_server.ask("CREATE OR REPLACE DATABASE refused CHARACTER SET latin1")
    blog = BlogServer(DATABASE_URL=mariadb_server.url.removesuffix("blog") + "refused")
    command = [sys.executable, "manage.py", "prepare", "--no-color"]
    done = subprocess.run(command, cwd=ROOT, env=blog.env, text=True, capture_output=True, timeout=90, check=False)
    blog.close()
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "(blog.E001) The database's character set is latin1, not utf8mb4." in done.stderr
    assert "ALTER DATABASE refused CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci" in done.stderr
    assert mariadb_server.ask("SHOW TABLES FROM refused") == []


def test_two_hosts_that_migrate_at_once_take_turns(migrated: tuple[str, str]) -> None:
    waited, worked = migrated
    assert "waiting for it" in waited and "No migrations to apply" in waited
    assert "Applying posts.0001_initial... OK" in worked and "waiting" not in worked


@pytest.mark.django_db
@pytest.mark.one_database("mariadb")
def test_a_host_that_never_finishes_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "WAIT_SECONDS", 0)
    with migrate.Command()._alone(connection), pytest.raises(CommandError, match="SHOW PROCESSLIST"):
        call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)


@pytest.fixture
def replica(own_mariadb: MariaDB) -> Iterator[MariaDB]:
    with MariaDB("--server-id=2") as server:
        server.ask(f"SET GLOBAL gtid_slave_pos = '{own_mariadb.begins_at}'")
        server.ask(
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={own_mariadb.port}, MASTER_USER='blog',"
            " MASTER_PASSWORD='blog', MASTER_USE_GTID=slave_pos"
        )
        server.ask("START SLAVE")
        yield server


_readers = count(1)


def another_reader() -> dict[str, str]:
    """Searches are counted by address: each is somebody else's (TRUSTED_PROXIES=1)."""
    number = next(_readers)
    return {"X-Forwarded-For": f"10.9.{number // 250}.{number % 250}"}


def test_a_worker_told_to_end_does_not_wait_for_a_database_that_hangs(
    own_mariadb: MariaDB, migrated: object, redis_server: Redis
) -> None:
    """systemd and Docker kill after ten seconds, and with them whoever was still being served."""
    server = GunicornServer(workers=2, DATABASE_URL=own_mariadb.url, REDIS_URL=redis_server.url, TRUSTED_PROXIES="1")

    def asked(path: str, **headers: str) -> int:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            client.request("GET", path, headers={**another_reader(), **headers})
            return client.getresponse().status
        except (http.client.HTTPException, OSError):
            return 0
        finally:
            client.close()

    def searched(number: int) -> int:
        return asked(f"/search/?q=word{number}")

    with server, ThreadPoolExecutor(16) as readers:
        assert set(readers.map(searched, range(16))) == {200}
        process = server.process
        assert process
        own_mariadb.pause()
        try:
            waiting = [readers.submit(searched, number) for number in range(100, 108)]
            time.sleep(1)
            assert not any(each.done() for each in waiting)
            begun = time.monotonic()
            process.terminate()
            process.wait(60)
            took = time.monotonic() - begun
        finally:
            own_mariadb.resume()
        server.process = None
        assert took < 10, server.log
        assert {each.result() for each in waiting} <= {0, 500, 503}
    print(f"ended within {took:.1f} s")


def selects(server: MariaDB) -> int:
    return int(server.ask("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])


def test_readers_are_answered_by_a_replica_that_has_caught_up(
    own_mariadb: MariaDB, migrated: object, replica: MariaDB, redis_server: Redis
) -> None:
    """And by none that lacks what this blog has announced."""
    primary = own_mariadb
    environ = {"DATABASE_URL": primary.url, "DATABASE_REPLICA_URLS": replica.url, "REDIS_URL": redis_server.url}
    server = GunicornServer(workers=2, TRUSTED_PROXIES="1", **environ)

    def read(path: str = "/", cookie: str = "") -> str:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        client.request("GET", path, headers={"Cookie": cookie, **another_reader()})
        answer = client.getresponse()
        assert answer.status == 200
        return answer.read().decode()

    def asked(cookie: str = "", path: str = "/search/") -> tuple[int, int]:
        """How many questions 20 searches, or what else nobody keeps, are for each server."""
        before = selects(primary), selects(replica)
        for number in range(20):
            read(f"{path}?q=word{number}&edition={number}", cookie)
        return selects(primary) - before[0], selects(replica) - before[1]

    with server:
        server.manage("shell", "-c", WRITE.format("one"))
        read()
        wait_until(lambda: asked()[1] >= 20, 15)
        on_primary, on_replica = asked()
        assert on_replica >= 20 > on_primary
        for path in ("/feed/", "/comments/feed/", "/sitemap.xml", "/sitemap-posts-1.xml", "/sitemap-lists-1.xml"):
            on_primary, on_replica = asked(path=path)
            assert on_replica >= 20 > on_primary, path
        # A reader with the token of a form may have written.
        assert asked("csrftoken=abc")[1] <= 1

        # A replica that stands still makes no page that lacks the change, and none is kept.
        replica.ask("STOP SLAVE SQL_THREAD")
        read()
        server.manage("shell", "-c", WRITE.format("two"))
        end = time.monotonic() + 1
        time.sleep(0.1)
        while time.monotonic() < end:
            assert all("Title two" in read(path) for path in ("/", "/archive/", "/feed/"))
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


def test_a_replica_that_stops_following_says_how_far_it_is_behind(
    own_mariadb: MariaDB, migrated: object, replica: MariaDB, redis_server: Redis
) -> None:
    """And nothing once it is gone, which is another alarm's."""
    environ = {"DATABASE_URL": own_mariadb.url, "DATABASE_REPLICA_URLS": replica.url, "REDIS_URL": redis_server.url}
    with GunicornServer(workers=1, **environ) as server:

        def behind() -> float | None:
            told = urllib.request.urlopen(f"{server.url}/metrics", timeout=20).read().decode()
            found = re.search(r'^blog_replica_behind_transactions\{part="replica0"\} (.+)$', told, re.MULTILINE)
            return float(found[1]) if found else None

        wait_until(lambda: behind() == 0, 15)
        replica.ask("STOP SLAVE SQL_THREAD")
        for _ in range(3):
            own_mariadb.ask("DROP TABLE IF EXISTS blog.nobody")  # counts, and changes nothing
        wait_until(lambda: behind() == 3, 15)
        replica.ask("START SLAVE SQL_THREAD")
        wait_until(lambda: behind() == 0, 15)
        replica.stop()
        wait_until(lambda: behind() is None, 15)


@pytest.mark.parametrize(
    "wanted, there, number",
    [
        ("", "", 0),  # a primary that counts nothing
        ("0-1-9", "", 9),
        ("0-1-9", "0-1-9", 0),
        ("0-2-9", "0-1-7", 2),  # another server has become the primary
        ("0-1-9,5-1-3,7-1-1", "7-2-4,0-1-7", 5),  # each domain counts by itself
    ],
)
def test_what_a_replica_lacks_is_counted(wanted: str, there: str, number: int) -> None:
    assert replicas._lacking(wanted, there) == number


def test_replicas_answer_for_a_primary_that_is_away(
    own_mariadb: MariaDB, migrated: object, replica: MariaDB, redis_server: Redis
) -> None:
    environ = {"DATABASE_URL": own_mariadb.url, "DATABASE_REPLICA_URLS": replica.url, "REDIS_URL": redis_server.url}
    with GunicornServer(workers=1, TRUSTED_PROXIES="1", **environ) as server:

        def status(number: int) -> int:
            client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            client.request("GET", f"/search/?q=word{number}", headers=another_reader())
            return client.getresponse().status

        def reads_the_replica_alone() -> bool:
            before = selects(replica), selects(own_mariadb)
            return status(0) == 200 and selects(replica) > before[0] and selects(own_mariadb) == before[1]

        wait_until(reads_the_replica_alone, 30)
        own_mariadb.stop()
        try:
            assert {status(number) for number in range(5)} == {200}
            time.sleep(POSITION_SECONDS + 1)  # by now the primary is asked again how far it has come
            assert {status(number) for number in range(5, 10)} == {200}
        finally:
            own_mariadb.start()


def test_a_database_that_restarts_costs_no_request_after_it(
    own_mariadb: MariaDB, migrated: object, redis_server: Redis
) -> None:
    """Of two workers with four threads each, every one has a connection that the restart has closed."""
    environ = {"DATABASE_URL": own_mariadb.url, "REDIS_URL": redis_server.url, "TRUSTED_PROXIES": "1"}
    with GunicornServer(workers=2, **environ) as server:

        def ask(number: int) -> int:
            client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            client.request(
                "GET", f"/search/?q=word{number}", headers={"Cookie": "sessionid=nobody", **another_reader()}
            )
            return client.getresponse().status

        with ThreadPoolExecutor(16) as readers:
            assert set(readers.map(ask, range(64))) == {200}
            own_mariadb.stop()
            away = list(readers.map(ask, range(4)))
            own_mariadb.start()
            assert set(readers.map(ask, range(64))) == {200}
        assert set(away) <= {500, 503}


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_database("mariadb")
def test_a_connection_used_a_moment_ago_is_not_asked_how_it_is(
    mariadb_server: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    def requests_at_intervals_of(seconds: float) -> int:
        """How often the server was asked for a sign of life in four requests."""
        before = signs_of_life()
        for _ in range(4):
            time.sleep(seconds)
            connection.close_if_unusable_or_obsolete()
            Post.objects.first()
        return signs_of_life() - before

    def signs_of_life() -> int:
        return int(mariadb_server.ask("SHOW GLOBAL STATUS LIKE 'Com_admin_commands'")[0][1])

    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    connection.close()
    Post.objects.first()
    assert requests_at_intervals_of(0) == 0
    assert requests_at_intervals_of(2 * MOMENT_SECONDS) == 4
    connection.errors_occurred = True
    connection.close_if_unusable_or_obsolete()
    assert not connection.errors_occurred and connection.health_check_done


def test_beacons_after_a_restart_know_what_they_tell(
    own_mariadb: MariaDB, migrated: object, redis_server: Redis
) -> None:
    """They pass by what looks after connections at the begin of each request."""
    with GunicornServer(DATABASE_URL=own_mariadb.url, REDIS_URL=redis_server.url) as server:
        write_all = "; ".join(WRITE.format(number).partition("; ")[2] for number in range(48))
        server.manage("shell", "-c", f"{WRITE.partition('; ')[0]}; {write_all}")
        posts = [pk for (pk,) in own_mariadb.ask("SELECT id FROM blog.posts_post ORDER BY id DESC LIMIT 48")]

        def told(pk: int) -> dict[str, int]:
            client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            headers = {"Content-Type": "application/json", "User-Agent": BROWSER}
            client.request("POST", "/stats/view", json.dumps({"post": pk}), headers)
            answer = client.getresponse()
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-store")
            return dict(json.loads(answer.read()))

        with ThreadPoolExecutor(16) as readers:
            for asked in (posts[:24], posts[24:]):
                answers = [*readers.map(told, asked)]
                assert [(answer["views"], answer["post_comments"]) for answer in answers] == [(1, 0)] * 24
                own_mariadb.stop()
                own_mariadb.start()


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_database
def test_who_writes_reads_what_was_written() -> None:
    router = Router()
    with reading("replica0"):
        assert router.db_for_read(Post) == "replica0"
        with transaction.atomic():
            assert router.db_for_read(Post) == "default"
        with reading():
            assert router.db_for_read(Post) == "default"
        assert (router.db_for_write(Post), router.db_for_read(Post)) == ("default", "default")
    assert router.db_for_read(Post) == "default"


def test_replicas_are_those_of_a_mariadb() -> None:
    with pytest.raises(ImproperlyConfigured, match="replicas of a MariaDB"):
        site_settings(DATABASE_REPLICA_URLS="mysql://blog@127.0.0.1/blog")
    site = site_settings(
        DATABASE_URL="mysql://blog@one/blog", DATABASE_REPLICA_URLS="mysql://blog@two/blog,mysql://blog@three:3307/blog"
    )
    assert site.DATABASE_REPLICAS == ["replica0", "replica1"]
    assert (site.DATABASES["replica1"]["HOST"], site.DATABASES["replica1"]["PORT"]) == ("three", 3307)
    assert site.DATABASES["replica0"]["OPTIONS"]["charset"] == "utf8mb4"
