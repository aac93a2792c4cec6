"""The schedule in a blog of one, which has no beat and no worker: a thread of its process does what is due."""

import logging
import threading
import time

from celery.schedules import BaseSchedule
from django.db import connections

from .celery import app

LONGEST_SLEEP_SECONDS = 30  # a laptop may have slept meanwhile, and its clock gone on

logger = logging.getLogger(__name__)


def start() -> threading.Event:
    """Begin at once with every job of the schedule, one after the other, then do each when it is due.

    Returns at once what ends it when it is set. A job that fails is told in the log and done again when it is due next.
    The thread ends with the process: jobs are safe to be broken off.
    """
    over = threading.Event()
    app.autodiscover_tasks(force=True)
    threading.Thread(target=_run, args=(over,), name="clock", daemon=True).start()
    return over


def _run(over: threading.Event) -> None:
    due_at = dict.fromkeys(app.conf.beat_schedule, 0.0)
    while not over.is_set():
        for name, entry in app.conf.beat_schedule.items():
            if time.time() >= due_at[name]:
                _do(entry["task"])
                due_at[name] = time.time() + _seconds_until_due(entry["schedule"])
        over.wait(max(0.0, min(LONGEST_SLEEP_SECONDS, min(due_at.values()) - time.time())))


def _do(task: str) -> None:
    try:
        app.tasks[task]()
    except Exception:
        logger.exception("%s failed; it is done again when it is due next.", task)
    finally:
        connections.close_all()


def _seconds_until_due(schedule: BaseSchedule) -> float:
    return float(schedule.is_due(schedule.now()).next)
