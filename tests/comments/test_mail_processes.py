"""Mail as processes of their own send it: a worker killed in the middle, Celery, a broker that is away."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.services import ROOT, BlogServer, MariaDB, Redis, wait_until
from tests.smtp import SMTPServer, closed_port

COMMENT = """
from tests.factories import make_administrator, make_comment, make_post
make_comment(make_post(author=make_administrator(email="writer@example.com")))
"""
DELIVER = "from apps.comments.mail.tasks import deliver_mail; print(deliver_mail())"
AN_HOUR_LATER = """
import datetime
from django.db.models import F
from apps.comments.mail.models import Notice
Notice.objects.update(moved_at=F("moved_at") - datetime.timedelta(hours=1), due_at=F("due_at") - datetime.timedelta(hours=1))
"""


@pytest.fixture
def smtp() -> Iterator[SMTPServer]:
    with SMTPServer() as server:
        yield server


@pytest.fixture
def mariadb_url(mariadb_server: MariaDB) -> Iterator[str]:
    """An empty database of the test's own."""
    import MySQLdb

    def execute(statement: str) -> None:
        connection = MySQLdb.connect(host="127.0.0.1", port=mariadb_server.port, user="blog", password="blog")
        connection.cursor().execute(statement)
        connection.close()

    execute("CREATE DATABASE mail_processes CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci")
    yield f"{mariadb_server.url.removesuffix('/blog')}/mail_processes"
    execute("DROP DATABASE mail_processes")


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def blog(request: pytest.FixtureRequest, smtp: SMTPServer) -> Iterator[BlogServer]:
    """A blog with a migrated database, nothing of it running; its comments are mailed by whoever is told to."""
    urls = {"DATABASE_URL": request.getfixturevalue("mariadb_url")} if request.param == "mariadb" else {}
    away = f"redis://127.0.0.1:{closed_port()}/0"
    blog = BlogServer(EMAIL_URL=smtp.url, CELERY_BROKER_URL=away, **urls)
    blog.manage("migrate", "--verbosity=0")
    yield blog
    blog.close()


def shell(blog: BlogServer, code: str) -> str:
    return blog.manage("shell", "--verbosity=0", "-c", code)


def start(blog: BlogServer, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=blog.env, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("hangs_at", ["greeting", "end"])
def test_a_worker_killed_while_it_sends(blog: BlogServer, smtp: SMTPServer, hangs_at: str) -> None:
    """Killed before anything was sent, the letter goes out later; killed when it may have arrived, never again."""
    shell(blog, COMMENT)
    smtp.hangs_at = hangs_at
    worker = start(blog, "manage.py", "shell", "-c", DELIVER)
    assert smtp.hanging.wait(60)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(20) == -signal.SIGKILL
    smtp.hangs_at = ""
    assert shell(blog, DELIVER).split()[-1] == "0"  # it may still be at work, for all anybody knows
    for _ in range(2):
        shell(blog, AN_HOUR_LATER + DELIVER)
    assert len(smtp.letters) == 1


def test_a_worker_of_celery_sends_the_letter(redis_server: Redis, mariadb_url: str, smtp: SMTPServer) -> None:
    blog = BlogServer(EMAIL_URL=smtp.url, DATABASE_URL=mariadb_url, REDIS_URL=redis_server.url)
    blog.manage("migrate", "--verbosity=0")
    worker = start(blog, "-m", "celery", "-A", "blog_xtg", "worker", "--pool", "solo", "--loglevel", "ERROR")
    try:
        shell(blog, COMMENT)
        wait_until(lambda: len(smtp.letters) == 1, 60)
        assert smtp.letters[0]["To"] == "writer@example.com"
    finally:
        worker.terminate()
        worker.wait(20)
        blog.close()


def test_a_comment_is_stored_while_the_broker_is_away(blog: BlogServer, smtp: SMTPServer) -> None:
    shell(blog, COMMENT)
    assert not smtp.letters
    assert shell(blog, DELIVER).split()[-1] == "1"  # as the schedule does every minute
    assert len(smtp.letters) == 1
