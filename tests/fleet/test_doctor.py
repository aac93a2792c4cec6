"""`manage.py doctor` looks at real parts, well and broken, and finds the words for them."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from apps.components import key
from apps.components.models import KeyDigest
from apps.posts.models import Post
from blog_xtg.doctor.files import files
from blog_xtg.doctor.findings import ERROR, OK, WARNING
from tests.factories import make_post
from tests.services import ROOT, BlogServer, CeleryProcess, GunicornServer, MariaDB, Redis, free_port, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_database("mariadb"),
    pytest.mark.redis,
    pytest.mark.gunicorn,
]
Doctor = Callable[..., tuple[int, str]]


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with Redis("--appendonly", "yes") as server:
        yield server


@pytest.fixture
def environ(mariadb_server: MariaDB, own_redis: Redis, tmp_path: Path) -> dict[str, str]:
    """A fleet's, in order."""
    backups = tmp_path / "backups"
    backups.mkdir()
    (backups / "blog.sql.gz").write_bytes(b"all of it")
    return {
        "DATABASE_URL": mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"]),
        "REDIS_URL": own_redis.url,
        "MEDIA_ROOT": str(tmp_path / "media"),
        "STATIC_ROOT": str(tmp_path / "static"),
        "EMAIL_URL": "smtp://mail.example.com:25",
        "SITE_URL": "https://blog.example.com",
        "TRUSTED_PROXIES": "1",
        "BLOG_HOST": "first",
        "BACKUP_ROOT": str(backups),
    }


@pytest.fixture
def doctor(environ: dict[str, str]) -> Doctor:
    """doctor(NAME=value) calls it with these changes to the environment; returns the exit code and what it said."""

    def call(**changes: str) -> tuple[int, str]:
        blog = BlogServer(**{**environ, **changes})
        done = subprocess.run(
            [sys.executable, "manage.py", "doctor"],
            cwd=ROOT,
            env=blog.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        blog.close()
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done.returncode, re.sub(r"\s+", " ", done.stdout)

    return call


@pytest.fixture
def at_work(environ: dict[str, str]) -> Iterator[list[CeleryProcess]]:
    """A worker and a beat."""
    with ExitStack() as running:
        yield [running.enter_context(CeleryProcess(kind, **environ)) for kind in ("worker", "beat")]


def test_a_fleet_that_is_well_and_then_has_nobody_at_work(
    doctor: Doctor, environ: dict[str, str], at_work: list[CeleryProcess], own_redis: Redis
) -> None:
    make_post()
    blog = BlogServer(**environ)
    blog.manage("collectstatic", "--noinput", "--verbosity=0")
    blog.close()
    with own_redis.client() as client:
        client.select(3)
        wait_until(lambda: bool(client.exists("redbeat::lock")), 20)
    code, said = doctor()
    assert code == 0 and said.endswith(" All is well. "), said
    for part in ("The database: MariaDB", "Redis 7", "A worker answers: celery@", "A beat works", "with that of Redis"):
        assert f"ok {part}" in said or part in said, said
    for process in at_work:
        process.stop()
    with own_redis.client() as client:
        flush = "apps.stats.tasks.flush_views at"
        client.hset("blog:reports", flush, time.time() - 3600)
        client.hset("blog:reports", "apps.stats.tasks.keep_bounded at", time.time() - 24 * 3600)
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", "1gb")
        client.config_set("appendonly", "no")
    code, said = doctor(BEAT_NODE="second")
    assert code == 1
    for sentence in (
        "error No worker answers: views stay in Redis, and no letter is sent. -> Start one: `celery -A blog_xtg worker`",
        "error No beat works: nothing that is due is done. BEAT_NODE lets second alone run one.",
        "error apps.stats.tasks.flush_views was last done 60 minutes ago; it is due every 60 seconds.",
        "error Redis drops keys when its memory is full (maxmemory-policy allkeys-lru)",
        "warning Redis keeps no append-only file",
        "4 errors, 1 warning.",
    ):
        assert sentence in said, said


SCRAPE = """
from apps.core.observability.fleet_metrics import FleetCollector
print(*(f"{sample.name}={sample.value:g}" for metric in FleetCollector({}).collect() for sample in metric.samples))
"""


def test_a_beat_is_seen_wherever_the_queue_is(doctor: Doctor, environ: dict[str, str], own_redis: Redis) -> None:
    environ["CELERY_BROKER_URL"] = own_redis.url.removesuffix("0") + "9"
    blog = BlogServer(**environ)

    def told() -> list[str]:
        return blog.manage("shell", "--verbosity=0", "-c", SCRAPE).split()

    assert "blog_beat_locked=0" in told()
    with CeleryProcess("beat", **environ) as beat:
        wait_until(lambda: "Acquired lock" in beat.log, 20, lambda: beat.log)
        figures, (_code, said) = told(), doctor()
        assert "blog_beat_locked=1" in figures and "blog_queue_jobs" not in " ".join(figures)
        assert "ok A beat works" in said and "error No worker answers" in said, said
    blog.close()


def test_backups_that_are_not_made_any_more(doctor: Doctor, environ: dict[str, str]) -> None:
    folder = Path(environ["BACKUP_ROOT"])
    assert f"ok The newest backup in {folder} is " in doctor()[1]
    os.utime(folder / "blog.sql.gz", (time.time() - 3 * 86400,) * 2)
    (folder / "failed.sql.gz").touch()
    code, said = doctor()
    assert code == 1 and f"error The newest backup in {folder} is 3 days old. -> See why the job" in said, said
    (folder / "blog.sql.gz").unlink()
    assert f"error There is no backup in {folder}." in doctor()[1]
    assert f"error The backups can't be read: {folder}/none (No such file" in doctor(BACKUP_ROOT=f"{folder}/none")[1]
    assert "warning Nobody looks after the backups: BACKUP_ROOT names no folder." in doctor(BACKUP_ROOT="")[1]


def test_a_redis_that_is_away(doctor: Doctor, own_redis: Redis) -> None:
    own_redis.stop()
    code, said = doctor(REDIS_URL=f"redis://:s3cret@127.0.0.1:{own_redis.port}/0")
    assert code == 1 and "s3cret" not in said
    assert f"error Redis (redis://127.0.0.1:{own_redis.port}/0) can't be reached: pages are slower" in said
    assert "-> Start it (`systemctl start redis-server`), or correct REDIS_URL." in said
    assert "error Style sheets and scripts are not in" in said and "2 errors, 0 warnings." in said


def test_a_redis_that_knows_no_password_or_another(doctor: Doctor, own_redis: Redis) -> None:
    address = f"redis://:s3cret@127.0.0.1:{own_redis.port}/0"
    code, said = doctor(REDIS_URL=address)
    assert code == 1 and f"error Redis (redis://127.0.0.1:{own_redis.port}/0) answers without a password" in said, said
    with own_redis.client() as client:
        client.config_set("requirepass", "s3cret")
    assert "without a password" not in doctor(REDIS_URL=address)[1]
    code, said = doctor(REDIS_URL=address.replace("s3cret", "wr0ng"))
    assert code == 1 and "refuses the blog (invalid username-password pair or user is disabled" in said, said
    assert "s3cret" not in said and "wr0ng" not in said
    assert "refuses the blog (it asks for a password)" in doctor(REDIS_URL=own_redis.url)[1]


def test_backups_that_everybody_can_read(doctor: Doctor) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "blog.sql.gz").write_bytes(b"all of it")
        (folder / "blog.sql.gz").chmod(0o644)
        assert "can read the backups" not in doctor(BACKUP_ROOT=name)[1], "0700"
        folder.chmod(0o755)
        assert f"warning Every user of this machine can read the backups in {name}" in doctor(BACKUP_ROOT=name)[1]
        (folder / "blog.sql.gz").chmod(0o600)
        assert "can read the backups" not in doctor(BACKUP_ROOT=name)[1]


@pytest.mark.parametrize(("left", "level"), [(0, ERROR), (19 * 1024**2, ERROR), (10**9, WARNING), (90 * 10**9, OK)])
def test_a_full_disk_is_an_error_and_a_nearly_full_one_a_warning(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path, left: int, level: str
) -> None:
    settings.MEDIA_ROOT = tmp_path / "none/yet"
    usage = type(shutil.disk_usage("/"))(100 * 10**9, 100 * 10**9 - left, left)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    (found,) = files({})
    assert found.level == level
    assert (f"{left} bytes are left" in found.text) is (level == ERROR)
    assert not (tmp_path / "none").exists(), "looking makes no folders"


def test_what_proxies_did_is_told_of_a_fleet(doctor: Doctor, environ: dict[str, str]) -> None:
    environ["TRUSTED_PROXIES"] = "2"
    with GunicornServer(**environ) as app:
        headers = {"Host": "blog.example.com", "X-Forwarded-For": "93.184.216.34", "X-Forwarded-Proto": "https"}
        for _ in range(2):
            urllib.request.urlopen(urllib.request.Request(f"{app.url}/", headers=headers), timeout=20).close()
        assert app.log.count("TRUSTED_PROXIES is 2, but requests for https://blog.example.com come with 1 address") == 1
    code, said = doctor()
    assert code == 1 and "error TRUSTED_PROXIES is 2, but requests for https://blog.example.com come with 1" in said
    assert "TRUSTED_PROXIES is" not in doctor(TRUSTED_PROXIES="1")[1]


def test_a_host_with_another_key_is_named(doctor: Doctor, environ: dict[str, str]) -> None:
    KeyDigest.objects.create(pk=1, digest=key.digest_of("the key that the data was made with"))
    code, said = doctor()
    assert code == 1 and "error The blog's data was made with another SECRET_KEY than this process has." in said


def test_a_database_that_is_away_or_behind(doctor: Doctor, mariadb_server: MariaDB) -> None:
    code, said = doctor(DATABASE_URL=f"mysql://blog:s3cret@127.0.0.1:{free_port()}/blog")
    assert code == 1 and "error The database on 127.0.0.1 can't be reached" in said and "s3cret" not in said
    assert "-> Start it, or correct DATABASE_URL" in said
    code, said = doctor(DATABASE_URL=mariadb_server.url)  # nobody has migrated that one
    assert code == 1 and re.search(r"error The database is behind the program: migrations \d+ pending", said)


def test_a_database_that_lacks_an_index_and_a_replica_and_takes_one_letter_for_another(
    doctor: Doctor, environ: dict[str, str]
) -> None:
    index, table = Post._meta.indexes[0], Post._meta.db_table
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor, connection.schema_editor() as editor:
        cursor.execute(f"ALTER DATABASE {name} COLLATE utf8mb4_general_ci")
        editor.remove_index(Post, index)
        try:
            url = f"{environ['DATABASE_URL']}?init_command=SET timestamp=UNIX_TIMESTAMP()-100"
            away = environ["DATABASE_URL"].replace(f":{connection.settings_dict['PORT']}/", f":{free_port()}/")
            code, said = doctor(DATABASE_URL=url, DATABASE_REPLICA_URLS=away, SITE_URL="http://blog.example.com")
        finally:
            editor.add_index(Post, index)
            cursor.execute(f"ALTER DATABASE {name} COLLATE utf8mb4_uca1400_as_ci")
    assert code == 1 and table
    assert f"error Indexes are missing, so that pages read whole tables: {index.name}." in said, said
    assert "warning The collation utf8mb4_general_ci takes é for e and は for ば" in said
    assert "warning SITE_URL is http: passwords" in said
    assert "error The replica on 127.0.0.1 can't be reached." in said
    assert re.search(r"error The clock of this host \(first\) is (99|100|101) s ahead of that of the database", said)


def test_a_configuration_that_is_wrong(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    make_post()
    code, said = doctor(
        DEBUG="1",
        REDIS_URL="",
        TRUSTED_PROXIES="0",
        MEDIA_ROOT=str(tmp_path / "file/media"),
        EMAIL_URL="consolemail://",
    )
    assert code == 1
    for sentence in (
        "error DEBUG is on: every reader sees the program's insides",
        "error DATABASE_URL names a server, but REDIS_URL is not set: several workers can't hear of each other",
        "error SITE_URL is https, but TRUSTED_PROXIES is 0",
        "error Uploads can't be stored",
        "warning Comments are open, but EMAIL_URL is not set: nobody is told of them by mail.",
        "4 errors, 1 warning.",
    ):
        assert sentence in said, said


def test_several_workers_on_a_database_of_one(doctor: Doctor, environ: dict[str, str], tmp_path: Path) -> None:
    alone = {"DATABASE_URL": f"sqlite:///{tmp_path}/blog.sqlite3", "REDIS_URL": ""}
    wrong = "error WEB_CONCURRENCY is 2, but REDIS_URL is not set: several workers can't hear of each other's changes"
    blog = BlogServer(**{**environ, **alone})
    blog.manage("migrate", "--verbosity=0")
    blog.close()
    code, said = doctor(**alone, WEB_CONCURRENCY="2")
    assert code == 1 and wrong in said and "or WEB_CONCURRENCY to 1." in said, said
    assert "is a blog of one process." in doctor(**alone, WEB_CONCURRENCY="1")[1]
