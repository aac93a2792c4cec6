"""The figures that are no process's own: the parts behind all of them, the backups, the queue, the jobs, the beat.

Asked for at each scrape, in three round trips of 0.3 s at most; replicas and the folder of the backups, where there are
any, within a second. Every host tells the same: sum nothing over hosts.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from ..db.replicas import transactions_behind
from ..redis.clients import RedisError
from .health import OK, Probe
from .task_reports import Queue, Reports, beat_is_locked, queue, reports, schedule

BACKUPS = "backups"


class FleetCollector(Collector):
    def __init__(self, parts: dict[str, str]) -> None:
        """`parts`: what health.state() has found."""
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("blog_host", "The host that answers.", {"host": settings.BLOG_HOST})
        up = GaugeMetricFamily("blog_part_up", "Whether a part of the blog answers (1) or not (0).", labels=["part"])
        for part, found in self._parts.items():
            up.add_metric([part], float(found == OK))
        yield up
        looks = [_look_at_replica(alias) for alias in settings.DATABASE_REPLICAS if self._are_up("database", alias)]
        if settings.BACKUP_ROOT:
            looks.append(_look_at_backups())
        seen = _seen(looks)
        if settings.BACKUP_ROOT:
            yield _of_backups(seen.pop(BACKUPS, 0.0))
        if seen:
            yield _of_replicas(seen)
        if not settings.REDIS_URL:
            return
        try:
            told, waiting, locked = reports(), queue(), beat_is_locked()
        except RedisError:
            return  # blog_part_up says so
        if told is not None:
            yield from _of_jobs(told)
        if waiting is not None:
            yield from _of_queue(waiting)
        if locked is not None:
            yield _of_beat(locked)

    def _are_up(self, *parts: str) -> bool:
        return all(self._parts.get(part) == OK for part in parts)


# -- What may hang: looked at in threads, which hold up no other figure -----------------------------------------------


def newest_backup_at(folder: str) -> float | None:
    """Return when the newest backup in that folder was written, by time.time(); None when there is none.

    Raises OSError when the folder can't be read.
    """
    # A file left behind by a failed dump is empty.
    written = [there.st_mtime for path in Path(folder).iterdir() if path.is_file() and (there := path.stat()).st_size]
    return max(written, default=None)


@cache
def _look_at_backups() -> Probe:
    def ask() -> dict[str, str]:
        return {BACKUPS: str(newest_backup_at(settings.BACKUP_ROOT) or 0.0)}

    return Probe(BACKUPS, ask)


@cache
def _look_at_replica(alias: str) -> Probe:
    return Probe(alias, lambda: {alias: str(transactions_behind(alias))})


def _seen(looks: list[Probe]) -> dict[str, float]:
    """Return the findings of each within a second; nothing of those that gave no answer."""
    for look in looks:
        look.begin()
    seen = {}
    for look in looks:
        for part, found in look.found().items():
            with suppress(ValueError):  # «no answer», «unreachable»
                seen[part] = float(found)
    return seen


# -- As Prometheus wants it -------------------------------------------------------------------------------------------


def _of_replicas(behind: dict[str, float]) -> Metric:
    lacking = GaugeMetricFamily(
        "blog_replica_behind_transactions",
        "Transactions of the primary that a replica does not have yet.",
        labels=["part"],
    )
    for part, number in behind.items():
        lacking.add_metric([part], number)
    return lacking


def _of_backups(newest_at: float) -> Metric:
    return GaugeMetricFamily(
        "blog_backup_last_timestamp_seconds",
        "When the newest backup in BACKUP_ROOT was written; 0 where this host can see none.",
        newest_at,
    )


def _of_jobs(told: Reports) -> Iterator[Metric]:
    runs = CounterMetricFamily("blog_task_runs", "Tasks that ended, by how.", labels=["task", "outcome"])
    for (task, outcome), number in told.runs.items():
        runs.add_metric([task, outcome], number)
    yield runs
    durations = CounterMetricFamily("blog_task_seconds", "What tasks took together.", labels=["task"])
    for task, seconds in told.seconds.items():
        durations.add_metric([task], seconds)
    yield durations
    succeeded = GaugeMetricFamily(
        "blog_job_success_timestamp_seconds",
        "When a scheduled task was last done; one that never was: since when that is known.",
        labels=["task"],
    )
    for task, at in told.succeeded_at.items():
        succeeded.add_metric([task], at)
    yield succeeded
    interval = GaugeMetricFamily("blog_job_interval_seconds", "How far apart a job's runs are.", labels=["task"])
    for task, seconds in schedule().items():
        interval.add_metric([task], seconds)
    yield interval
    beat = GaugeMetricFamily(
        "blog_beat_sent_timestamp_seconds", "When a beat last sent a job, and on which host it runs.", labels=["host"]
    )
    if told.beat_host:
        beat.add_metric([told.beat_host], told.beat_at)
    yield beat
    yield GaugeMetricFamily(
        "blog_clock_ahead_seconds", "How far this host's clock is ahead of Redis's.", told.clock_ahead_seconds
    )
    yield CounterMetricFamily(
        "blog_redis_evicted_keys", "Keys that Redis has dropped for want of memory.", told.evicted_keys
    )


def _of_queue(waiting: Queue) -> Iterator[Metric]:
    yield GaugeMetricFamily("blog_queue_jobs", "Tasks that wait for a worker.", waiting.waiting)
    yield GaugeMetricFamily("blog_queue_taken_jobs", "Tasks that workers have and did not finish.", waiting.taken)
    oldest = max(0.0, time.time() - waiting.oldest_at) if waiting.oldest_at else 0.0
    yield GaugeMetricFamily(
        "blog_queue_oldest_seconds", "How long the task at the head of the queue has waited.", oldest
    )


def _of_beat(is_locked: bool) -> Metric:
    return GaugeMetricFamily("blog_beat_locked", "Whether a beat holds the lock that lets it work.", float(is_locked))
