"""Examine what hosts share: clocks, the beat, jobs."""

import time
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from apps.core.observability import health
from apps.core.observability.task_reports import beat_is_locked, queue, reports, schedule

from .findings import ERROR, OK, Finding, span

CLOCKS_APART_SECONDS = 2
WAITING_SECONDS = 120
WORKER_SECONDS = 2


def clocks(parts: dict[str, str]) -> Iterator[Finding]:
    """The clocks."""
    ahead = {}
    if parts["database"] == health.OK and connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT UNIX_TIMESTAMP(NOW(6))")
            ahead["the database"] = time.time() - float(cursor.fetchone()[0])
    if parts.get("redis") == health.OK and (told := reports()):
        ahead["Redis"] = told.clock_ahead_seconds
    for part, seconds in ahead.items():
        if abs(seconds) > CLOCKS_APART_SECONDS:
            yield Finding(
                ERROR,
                f"The clock of this host ({settings.BLOG_HOST}) is {abs(seconds):.0f} s"
                f" {'ahead of' if seconds > 0 else 'behind'} that of {part}.",
                "Let both hosts keep their clocks by the network: `timedatectl set-ntp true`.",
            )
        else:
            yield Finding(OK, f"The clock goes with that of {part}.")


def beat(parts: dict[str, str]) -> Iterator[Finding]:
    """The beat."""
    if parts.get("redis") != health.OK or settings.CELERY_TASK_ALWAYS_EAGER:
        return
    if beat_is_locked():
        told = reports()
        yield Finding(OK, f"A beat works{f', on {told.beat_host}' if told and told.beat_host else ''}.")
        return
    only = f" BEAT_NODE lets {settings.BEAT_NODE} alone run one." if settings.BEAT_NODE else ""
    yield Finding(
        ERROR,
        f"No beat works: nothing that is due is done.{only}",
        "Start one on any host: `celery -A blog_xtg beat` (systemd: blog-beat@). It takes up to 15 s to begin.",
    )


def jobs(parts: dict[str, str]) -> Iterator[Finding]:
    """The jobs."""
    if parts.get("redis") != health.OK or settings.CELERY_TASK_ALWAYS_EAGER:
        return
    from ..celery import app

    # Anybody who answers will do; nobody does within two seconds where none is.
    workers = app.control.inspect(timeout=WORKER_SECONDS, limit=1).ping()
    if not workers:
        yield Finding(
            ERROR,
            "No worker answers: views stay in Redis, and no letter is sent.",
            "Start one: `celery -A blog_xtg worker` (systemd: blog-worker@).",
        )
    else:
        yield Finding(OK, f"A worker answers: {', '.join(workers)}.")
    waiting, told = queue(), reports()
    if waiting and waiting.oldest_at and time.time() - waiting.oldest_at > WAITING_SECONDS:
        yield Finding(
            ERROR,
            f"{waiting.waiting} tasks wait, the next one for {span(time.time() - waiting.oldest_at)}.",
            "See what the workers do: `deploy/run celery inspect active`.",
        )
    late = {} if told is None else {task: time.time() - at for task, at in told.succeeded_at.items()}
    for task, interval in schedule().items():
        # The same as the alert BlogJobLate.
        if late.get(task, 0) > 1.5 * interval + 180:
            yield Finding(
                ERROR,
                f"{task} was last done {span(late[task])} ago; it is due every {span(interval)}.",
                f"See the worker's log; by hand: `deploy/run celery call {task}`.",
            )
