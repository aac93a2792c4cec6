"""A blog of one process does what a fleet's beat and workers do."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery.schedules import crontab, schedule

from blog_xtg import clock
from blog_xtg.celery import app
from tests.services import BlogServer, wait_until

WRONG = "from apps.posts.models import Post; Post.objects.update(comment_count=99)"
NUMBERS = "from apps.posts.models import Post; print(*Post.objects.values_list('comment_count', flat=True))"


@contextmanager
def keeping(monkeypatch: pytest.MonkeyPatch, **jobs: float) -> Iterator[dict[str, int]]:
    """How often each of these jobs has been begun that are due after so many seconds; `fails` does."""
    begun = dict.fromkeys(jobs, 0)
    table = {}
    for job, seconds in jobs.items():

        def work(job: str = job) -> None:
            begun[job] += 1
            if job == "fails":
                raise ValueError("no ink")

        task = app.task(name=f"tests.{job}")(work)
        table[job] = {"task": task.name, "schedule": schedule(seconds)}
    monkeypatch.setitem(app.conf, "beat_schedule", table)
    over = clock.start()
    try:
        yield begun
    finally:
        over.set()


def test_what_is_due_is_done_and_what_fails_is_done_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with keeping(monkeypatch, fails=0.2, works=0.2, rare=3600) as begun:
        wait_until(lambda: begun["fails"] >= 3 and begun["works"] >= 3, 10)
        assert begun["rare"] == 1, "done at the start, and not due again"
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told[0].getMessage() == "tests.fails failed; it is done again when it is due next."
    assert "no ink" in str(told[0].exc_info)


def test_when_a_job_is_due_is_the_schedules_to_say() -> None:
    assert 0 < clock._seconds_until_due(crontab()) <= 60
    full_hour = time.time() + clock._seconds_until_due(crontab(minute="0"))
    assert round(full_hour) % 3600 <= 1


@pytest.mark.one_database
def test_a_blog_of_one_puts_its_numbers_right() -> None:
    with BlogServer() as blog:
        before = blog.manage("shell", "--verbosity=0", "-c", NUMBERS)
        blog.manage("shell", "--verbosity=0", "-c", WRONG)
        assert blog.manage("shell", "--verbosity=0", "-c", NUMBERS) != before
        blog.stop()
        blog.start()
        wait_until(lambda: blog.manage("shell", "--verbosity=0", "-c", NUMBERS) == before, 30, lambda: blog.log)
