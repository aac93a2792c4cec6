"""The figures that are no process's own: the parts behind all of them, the queue, the jobs, the beat.

Asked for at each scrape, in three round trips of 0.3 s at most. Every host tells the same: sum nothing over hosts.
"""

import time
from collections.abc import Iterator

from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from .health import OK
from .redis import RedisError
from .reports import Queue, Reports, beat_is_locked, queue, reports, schedule


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
