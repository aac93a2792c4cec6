"""Metrics of a process, for Prometheus.

With PROMETHEUS_MULTIPROC_DIR the processes of a host write into files there, and whichever is asked for /metrics adds
all of them up; without, each tells its own. Such a number costs 1 µs to count, a request's time 3. What all processes
look at together (the queue, the jobs, the beat) is asked for when somebody wants to know it: see fleet.py.
"""

import os
import re
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")  # prometheus_client goes by the environment as well
if folder:
    Path(folder).mkdir(parents=True, exist_ok=True)

# -- What is counted ---------------------------------------------------------------------------------------------------

requests = Histogram(
    "blog_request_seconds",
    "Requests by view and status. The view of a page that was kept in memory is «kept page».",
    ["view", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
queries = Summary("blog_database_query_seconds", "Statements sent to the database, or a replica of it.", ["database"])
rendered = Counter("blog_page_cache_misses_total", "Anonymous pages that had to be rendered.")
components = Counter("blog_components_read_total", "Reads of the site components, by where they were found.", ["level"])
listener = Gauge(
    "blog_listener_heard_timestamp_seconds",
    "When the process that is furthest behind has last made sure that it hears of changes.",
    ["channel"],  # without a label a process that never listens would say 0
    multiprocess_mode="livemin",
)
backlog = Gauge(
    "blog_beacon_backlog_views", "Views that wait in processes until Redis takes them.", multiprocess_mode="livesum"
)
websockets = Gauge("blog_websockets", "Pages that lie open.", multiprocess_mode="livesum")

KEPT_PAGE = "kept page"
NO_VIEW = "none"

_observers: dict[tuple[str, int], Callable[[float], None]] = {}


def observe_request(view: str, status: int, seconds: float) -> None:
    """Count a request that took so long."""
    observe = _observers.get((view, status))
    if observe is None:
        observe = _observers[view, status] = requests.labels(view, str(status)).observe
    observe(seconds)


class _Counted(threading.local):
    queries = 0


_counted = _Counted()


def queries_so_far() -> int:
    """Return how many statements this thread has sent to the database."""
    return _counted.queries


_query_observers: dict[str, Callable[[float], None]] = {}


def count_query(
    execute: Callable[..., object], sql: str, params: object, many: bool, context: dict[str, BaseDatabaseWrapper]
) -> object:
    """The wrapper around each statement: see django.db.backends.base.base.BaseDatabaseWrapper.execute_wrapper."""
    begun = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        seconds, alias = time.perf_counter() - begun, context["connection"].alias
        _counted.queries += 1
        observe = _query_observers.get(alias)
        if observe is None:
            observe = _query_observers[alias] = queries.labels(alias).observe
        observe(seconds)


@receiver(connection_created)
def _watch_connection(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    if count_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(count_query)


_HUNDRED = 100
_reads = count(1)
_from_memory = components.labels("memory")


def components_from_memory() -> None:
    """Count a read of the components, as every request makes one: told by the hundred, which costs next to nothing."""
    if next(_reads) % _HUNDRED == 0:
        _from_memory.inc(_HUNDRED)


# -- What is told ------------------------------------------------------------------------------------------------------


def exposition(*collectors: Collector) -> bytes:
    """Return the figures of this host's processes, and those of the collectors, as Prometheus reads them."""
    registry = CollectorRegistry()
    if folder:
        forget_the_dead(Path(folder))
        MultiProcessCollector(registry, folder)
    else:
        registry.register(REGISTRY)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


def forget_the_dead(path: Path) -> None:
    """Drop what processes said of their present state that are no more: killed ones can't do it themselves."""
    for file in path.glob("gauge_live*_*.db"):
        pid = re.sub(r"\D", "", file.stem.rpartition("_")[2])
        if pid and not _is_alive(int(pid)):
            mark_process_dead(int(pid), folder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
