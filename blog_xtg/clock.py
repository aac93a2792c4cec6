"""The schedule in a blog of one, which has no beat and no worker: a thread of its process does what is due."""

import logging
import threading
import time

from celery.schedules import BaseSchedule
from django.db import connections

from .celery import app

LONGEST_SLEEP_SECONDS = 30  # a laptop may have slept meanwhile, and its clock gone on

logger = logging.getLogger(__name__)


def start() -> None:
    """Begin at once with every job of the schedule, one after the other, then do each when it is due; returns at once.

    A job that fails is told in the log and done again when it is due next. The thread ends with the process: jobs are
    safe to be broken off.
    """
    app.loader.import_default_modules()
    threading.Thread(target=_run, name="clock", daemon=True).start()


def _run() -> None:
    due_at = dict.fromkeys(app.conf.beat_schedule, 0.0)
    while True:
        for name, entry in app.conf.beat_schedule.items():
            if time.time() >= due_at[name]:
                _do(entry["task"])
                due_at[name] = time.time() + _seconds_until_due(entry["schedule"])
        time.sleep(max(0.0, min(LONGEST_SLEEP_SECONDS, min(due_at.values()) - time.time())))


def _do(task: str) -> None:
    try:
        app.tasks[task]()
    except Exception:
        logger.exception("%s failed; it is done again when it is due next.", task)
    finally:
        connections.close_all()


def _seconds_until_due(schedule: BaseSchedule) -> float:
    return float(schedule.is_due(schedule.now()).next)
