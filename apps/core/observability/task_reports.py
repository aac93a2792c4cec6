"""Reports of workers and the beat about themselves, for all hosts to read; and a request's id on its way to its task.

Celery's processes answer no HTTP, and a fleet's jobs are done now by this host, now by that: so they report to Redis,
in one round trip a task. With Redis away there is neither a queue nor anything to report.
"""

import json
import logging.config
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

import redis
from celery import Task, signals
from celery.app import default_app
from celery.exceptions import TimeLimitExceeded, WorkerLostError
from celery.schedules import BaseSchedule, crontab
from celery.states import IGNORED
from django.conf import settings

from ..redis.clients import QUEUE, RedisError, client, guarded, numbered
from ..redis.urls import for_celery
from ..resilience import Resettable
from .logs import LogContext, log_context, request_id

REPORTS, BEAT = "blog:reports", "blog:beat"
KEPT_SECONDS = 90 * 24 * 3600  # after the last report
BEAT_KEPT_SECONDS = 24 * 3600
OUTCOMES = {"SUCCESS": "ok", "FAILURE": "failed", "RETRY": "retried"}
QUEUE_NAME = "celery"  # Celery's default


class _Process(Resettable):
    """The present job of this process of Celery."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        self.running: dict[str, tuple[LogContext | None, float]] = {}  # the context before a task, and when it began
        self.killed = ""  # the task that was killed last
        self.is_beat = False


_process = _Process()


# -- The log ----------------------------------------------------------------------------------------------------------


@signals.setup_logging.connect
def _log_as_all_others(**kwargs: object) -> None:
    logging.config.dictConfig(settings.LOGGING)


# -- On its way -------------------------------------------------------------------------------------------------------


@signals.before_task_publish.connect
def _tell_whence(sender: str, headers: dict[str, object], **kwargs: object) -> None:
    headers["request_id"] = request_id()
    headers["published_at"] = time.time()
    if _process.is_beat:
        _report_beat()


@signals.beat_init.connect
def _note_beat(**kwargs: object) -> None:
    _process.is_beat = True


def _report_beat() -> None:
    try:
        if redis := client():
            redis.set(BEAT, f"{time.time()} {settings.BLOG_HOST}", ex=BEAT_KEPT_SECONDS)
    except RedisError:
        pass  # then nothing is sent either


# -- In the worker ----------------------------------------------------------------------------------------------------


@signals.task_prerun.connect
def _begin(task_id: str, task: Task, **kwargs: object) -> None:
    asked_by = getattr(task.request, "request_id", None) or request_id()
    _process.running[task_id] = log_context.get(), time.monotonic()
    log_context.set(LogContext(asked_by, task=task.name, task_id=task_id))


@signals.task_postrun.connect
def _end(task_id: str, task: Task, state: str | None = None, **kwargs: object) -> None:
    before, begun = _process.running.pop(task_id, (None, time.monotonic()))
    log_context.set(before)
    if state == IGNORED:  # left out: another one is at it, and may yet fail
        return
    if state is None:  # this process ends in the middle of it, which `_count_killed` counts
        return
    _report_task(task.name, OUTCOMES.get(state, "failed"), time.monotonic() - begun)


@signals.task_failure.connect
def _count_killed(sender: Task, task_id: str, exception: BaseException, **kwargs: object) -> None:
    # A process that is killed, for want of memory or by the time limit, tells nothing of its task: the worker's first
    # process does it here. What fails in order, `_end` has counted. Celery signals a time limit twice in a row.
    if isinstance(exception, (WorkerLostError, TimeLimitExceeded)) and task_id != _process.killed:
        _process.killed = task_id
        _report_task(sender.name, "failed")


def _report_task(name: str, outcome: str, seconds: float = 0.0) -> None:
    if redis := client():
        try:
            with redis.pipeline(transaction=False) as pipeline:
                pipeline.hincrby(REPORTS, f"{name} {outcome}", 1)
                pipeline.hincrbyfloat(REPORTS, f"{name} seconds", seconds)
                if outcome == "ok":
                    pipeline.hset(REPORTS, f"{name} at", str(time.time()))
                pipeline.expire(REPORTS, KEPT_SECONDS)
                pipeline.execute()
        except RedisError:
            pass  # the counts of an outage are not worth more


# -- Whoever wants to know --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reports:
    """Everything known of the jobs. Times are of time.time(), by the clocks of those who reported."""

    runs: dict[tuple[str, str], int] = field(default_factory=dict)  # by task and outcome
    seconds: dict[str, float] = field(default_factory=dict)
    succeeded_at: dict[str, float] = field(default_factory=dict)  # of what is scheduled, never run: when that was seen
    beat_host: str = ""  # who has last sent a job that was due
    beat_at: float = 0.0
    clock_ahead_seconds: float = 0.0  # of this host, against Redis's
    evicted_keys: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    waiting: int
    taken: int  # by workers that have not finished
    oldest_at: float | None


def schedule() -> dict[str, float]:
    """Return the scheduled tasks and how many seconds lie between two runs."""
    return {entry["task"]: _interval_seconds(entry["schedule"]) for entry in default_app.conf.beat_schedule.values()}


def _interval_seconds(due: BaseSchedule | timedelta) -> float:
    if isinstance(due, crontab):
        return 86400 / (len(due.minute) * len(due.hour))
    return float(getattr(due, "run_every", due).total_seconds())


def reports() -> Reports | None:
    """Return what has been reported; None in the solo size (1 round trip). Raises RedisError."""
    redis = client()
    if redis is None:
        return None
    tasks = schedule()
    asked_at = time.time()
    with redis.pipeline(transaction=False) as pipeline:
        for task in tasks:
            pipeline.hsetnx(REPORTS, f"{task} at", str(asked_at))
        pipeline.expire(REPORTS, KEPT_SECONDS)
        pipeline.hgetall(REPORTS)
        pipeline.get(BEAT)
        pipeline.time()
        pipeline.info("stats")
        *_noted, found, beat, (seconds, microseconds), stats = pipeline.execute()
    beat_at, _, beat_host = (beat or b"0").decode().partition(" ")
    # From 0 on, or a task's first failure would be no increase.
    runs = {(task, outcome): 0 for task in tasks for outcome in OUTCOMES.values()}
    durations, succeeded_at = {}, {}
    for name, value in found.items():
        task, _, kind = name.decode().rpartition(" ")
        if kind == "seconds":
            durations[task] = float(value)
        elif kind == "at":
            succeeded_at[task] = float(value)
        else:
            runs[task, kind] = int(value)
    return Reports(
        runs,
        durations,
        {task: at for task, at in succeeded_at.items() if task in tasks},
        beat_host,
        float(beat_at),
        # The answer took its time: half of it lies before the clock was read.
        (asked_at + time.time()) / 2 - (seconds + microseconds / 1e6),
        int(stats.get("evicted_keys", 0)),
    )


def queue() -> Queue | None:
    """Return how it stands with Celery's queue (1 round trip); None where CELERY_BROKER_URL puts it elsewhere.

    Raises RedisError.
    """
    redis = _client()
    if redis is None or for_celery(settings.REDIS_URL)[0] != settings.CELERY_BROKER_URL:
        return None
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.llen(QUEUE_NAME)
        pipeline.lindex(QUEUE_NAME, -1)
        pipeline.hlen("unacked")
        waiting, oldest, taken = pipeline.execute()
    return Queue(waiting, taken, _published_at(oldest))


def beat_is_locked() -> bool | None:
    """Tell whether a beat holds the lock that lets it work (1 round trip); None in the solo size. Raises RedisError.

    The lock is in Redis wherever the queue is.
    """
    redis = _client()
    return None if redis is None else bool(redis.exists("redbeat::lock"))


@cache
def _client() -> redis.Redis | None:
    """Of the database that the queue and the beat share (see for_beat)."""
    if not settings.REDIS_URL:
        return None
    pool = redis.ConnectionPool.from_url(numbered(settings.REDIS_URL, QUEUE), **guarded(settings.REDIS_URL))
    return redis.Redis(connection_pool=pool)


def _published_at(message: bytes | None) -> float | None:
    try:
        return float(json.loads(message)["headers"]["published_at"]) if message else None
    except (ValueError, KeyError, TypeError):  # another program's
        return None
