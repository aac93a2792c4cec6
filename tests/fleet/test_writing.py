"""Comments sent while workers are killed: what was acknowledged is stored, and stored once."""

import http.client
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection

from apps.comments.models import Comment
from apps.comments.services import reconcile_counts
from tests.factories import make_post
from tests.services import GunicornServer, MariaDB, Redis

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database("mariadb"), pytest.mark.gunicorn]

WRITERS = 6
COMMENTS = 12  # of each
PATIENCE_SECONDS = 300  # a killed worker takes seconds to be replaced


class Writer(threading.Thread):
    """Sends each comment until it is acknowledged, as a browser's script does; the first attempt may kill the worker."""

    def __init__(self, number: int, port: int, path: str, ends_at: float) -> None:
        super().__init__(daemon=True)
        self.number, self.port, self.path, self.ends_at = number, port, path, ends_at
        self.random = random.Random(number)
        self.acknowledged: dict[str, str] = {}
        self.attempts = self.answers = 0

    def run(self) -> None:
        for number in range(COMMENTS):
            body = f"Thought {number} of {self.number}."
            cookie, token, key = self._form()
            fields = {"csrfmiddlewaretoken": token, "submission": key, "body": body}
            fields |= {"author_name": "Ada", "author_email": "ada@example.com"}
            headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
            fate = self.random.choice(["", "", "before", "after", "after"])
            location = self._ask("POST", headers | ({"X-Die": fate} if fate else {}), urlencode(fields)) or (
                self._until(lambda fields=fields, headers=headers: self._ask("POST", headers, urlencode(fields)))
            )
            self.acknowledged[body] = location

    def _form(self) -> tuple[str, str, str]:
        page = self._until(lambda: self._ask("GET", {}))
        cookie, _, html = page.partition("\n")
        token, key = (
            re.search(rf'name="{name}" value="(\w+)"', html)[1] for name in ("csrfmiddlewaretoken", "submission")
        )
        return cookie, token, key

    def _until(self, ask) -> str:
        while time.monotonic() < self.ends_at:
            if answer := ask():
                return str(answer)
            time.sleep(0.05)
        raise TimeoutError("never acknowledged")

    def _ask(self, method: str, headers: dict[str, str], body: str | None = None) -> str:
        """The form with its cookie, where a comment led; nothing when there was no answer."""
        self.attempts += 1
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            client.request(method, self.path, body, headers)
            answer = client.getresponse()
            html = answer.read().decode()
            self.answers += 1
            if method == "GET" and answer.status == 200:
                return f"{answer.headers['Set-Cookie'].partition(';')[0]}\n{html}"
            return answer.headers["Location"] if answer.status == 302 else ""
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            client.close()


def workers_of(server: GunicornServer) -> list[int]:
    assert server.process
    master = server.process.pid
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def test_every_acknowledged_comment_is_stored_once_though_workers_are_killed(
    redis_server: Redis, mariadb_server: MariaDB, transactional_db: None
) -> None:
    post = make_post()
    environ = {
        "DATABASE_URL": mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"]),
        "REDIS_URL": redis_server.url,
    }
    killed = 0
    with GunicornServer(workers=2, application="tests.fleet.dying:application", **environ) as server:
        ends_at = time.monotonic() + PATIENCE_SECONDS
        writers = [Writer(n, server.port, f"/article/{post.pk}/comment/", ends_at) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        chance, answers = random.Random(0), 0
        while any(writer.is_alive() for writer in writers) and time.monotonic() < ends_at:
            time.sleep(chance.uniform(0.2, 0.8))
            answers_before, answers = answers, sum(writer.answers for writer in writers)
            workers = workers_of(server)
            if workers and answers > answers_before:  # else those that take their place never got ready
                os.kill(chance.choice(workers), signal.SIGKILL)
                killed += 1
        for writer in writers:
            writer.join(10)
    acknowledged = {body: url for writer in writers for body, url in writer.acknowledged.items()}
    assert len(acknowledged) == WRITERS * COMMENTS
    stored = Counter(Comment.objects.values_list("body", flat=True))
    assert set(stored) == set(acknowledged) and set(stored.values()) == {1}
    for comment in Comment.objects.all():
        assert acknowledged[comment.body] == comment.get_absolute_url()
    # Of what was rolled back, nothing is left: no floor is missing, no count is off.
    post.refresh_from_db()
    assert post.comment_count == post.last_floor == WRITERS * COMMENTS and reconcile_counts() == 0
    attempts = sum(writer.attempts for writer in writers)
    print(f"{len(acknowledged)} comments in {attempts} requests, {killed} workers killed from outside")
