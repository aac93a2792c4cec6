"""Bound how long a counted view waits for the database: the view is counted without it, the numbers are an extra."""

import threading

from django.db import DatabaseError, connections

from ..resilience import Breaker

AWAY_SECONDS = 5  # a view must not wait again for a database that was away this recently
WAIT_SECONDS = 1  # for the thread that is asking the database

_breaker = Breaker(AWAY_SECONDS)  # shared by all gates


class Away(DatabaseError):
    """The database was away a moment ago, or another thread waits for it."""


class DatabaseGate:
    """A context manager around a query: one thread of the process asks the database, the others wait for that thread.

    Raises Away at once for 5 s after a query has failed or has kept another thread waiting for 1 s. So a database that
    hangs holds one thread of the process, and one more for a second every 5 s.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if _breaker.is_open():
            raise Away("The database was away a moment ago.")
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            _breaker.trip()
            raise Away("Another thread waits for the database.")
        try:
            if _breaker.is_open():  # the thread before this one found out
                raise Away("The database is away.")
            # Django does this when a request begins, but it never sees those of apps/core/http/shortcut.py.
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is not None and issubclass(kind, DatabaseError):
            _breaker.trip()
        self._lock.release()


one_question = DatabaseGate()  # for single queries; a caller that may nest them has its own gate
