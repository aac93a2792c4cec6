"""Whether the process lives, whether it can serve, and its figures. Every answer comes within about a second."""

import threading
import time
from collections.abc import Callable
from functools import cache, partial

import prometheus_client
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse

from ..http import proxies
from ..http.request_info import is_inside
from ..redis.clients import client
from ..resilience import StampedCache
from . import metrics as figures

WAIT_SECONDS = 1  # for a part's answer
KEPT_SECONDS = 1  # the answer holds for all who ask meanwhile
OK = "ok"
# Without these a page can't be made. Redis and replicas may be away: then the database is asked instead.
NEEDED = {"database", "migrations"}


class Probe:
    """A question to a part of the blog, in a thread of its own: a part that hangs holds up nobody who asks.

    One thread at a time, and a new one a second after the last began at the earliest.
    """

    def __init__(self, name: str, ask: Callable[[], dict[str, str]]) -> None:
        self._name, self._ask = name, ask
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begun_at = 0.0
        self._answer = StampedCache[dict[str, str]](KEPT_SECONDS)

    def begin(self) -> None:
        with self._lock:
            is_looking = self._thread is not None and self._thread.is_alive()
            if not is_looking and self._answer.get() is None:
                self._begun_at = time.monotonic()
                self._thread = threading.Thread(target=self._look, name=f"health of {self._name}", daemon=True)
                self._thread.start()

    def found(self) -> dict[str, str]:
        """Return what was found, by part: «ok», or what is the matter."""
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, self._begun_at + WAIT_SECONDS - time.monotonic()))
            if thread.is_alive():
                return {self._name: "no answer"}
        answer = self._answer.last()
        return answer.value if answer else {}

    def _look(self) -> None:
        try:
            self._answer.put(self._ask(), read_at=self._begun_at)
        except Exception:  # whatever drivers raise
            self._answer.put({self._name: "unreachable"}, read_at=self._begun_at)
        finally:
            connections.close_all()


def pending_migrations() -> int:
    """Return how many migrations of this version of the program the database lacks (2 queries)."""
    return len(_known_migrations() - set(MigrationRecorder(connection).applied_migrations()))


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _look_at_database() -> dict[str, str]:
    pending = pending_migrations()
    return {"database": OK, "migrations": f"{pending} pending" if pending else OK}


def _look_at_redis() -> dict[str, str]:
    if redis := client():
        redis.ping()
    return {"redis": OK}


def _look_at_replica(alias: str) -> dict[str, str]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
    return {alias: OK}


@cache
def _looks() -> list[Probe]:
    looks = [Probe("database", _look_at_database)]
    looks += [Probe(alias, partial(_look_at_replica, alias)) for alias in settings.DATABASE_REPLICAS]
    return [*looks, Probe("redis", _look_at_redis)] if settings.REDIS_URL else looks


def state() -> dict[str, str]:
    """Return how each part does, as found within the last second; waits a second at most."""
    asked = _looks()
    for look in asked:
        look.begin()
    return {part: found for look in asked for part, found in look.found().items()}


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; looks at nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when pages can be made, 503 when not; names what is missing. Without Redis the blog is slower, but ready.

    For this machine and private networks only; load balancers elsewhere ask /healthz.
    """
    if not is_inside(request):
        return HttpResponseNotFound()
    parts = state()
    missing = [part for part, found in parts.items() if found != OK]
    ready = not NEEDED & set(missing)
    status = ("degraded" if missing else "ready") if ready else "not ready"
    return JsonResponse({"status": status, "missing": missing, **parts}, status=200 if ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """This host's figures and those of the whole in Prometheus format, for this machine and private networks only."""
    # Through a proxy that isn't believed everybody would come from this machine.
    if not is_inside(request) or proxies.misfit(request.META):
        return HttpResponseNotFound()
    from .fleet_metrics import FleetCollector

    return HttpResponse(figures.exposition(FleetCollector(state())), content_type=prometheus_client.CONTENT_TYPE_LATEST)
