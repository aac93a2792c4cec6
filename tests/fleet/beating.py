"""The program's own Celery app, with jobs that note when they run and a schedule that a test can wait for."""

import time

from apps.core.redis.clients import insistent_client
from blog_xtg.celery import app

app.conf.beat_schedule = {
    "second": {"task": "tests.second", "schedule": 1.0},
    "minute": {"task": "tests.minute", "schedule": app.conf.beat_schedule["flush views"]["schedule"]},
}


def note(name: str) -> None:
    insistent_client().rpush(f"ran:{name}", time.time())


@app.task(name="tests.second")
def second() -> None:
    note("second")


@app.task(name="tests.minute")
def minute() -> None:
    note("minute")


@app.task(name="tests.long")
def long(seconds: float) -> None:
    note("long")
    time.sleep(seconds)
    note("long-end")
