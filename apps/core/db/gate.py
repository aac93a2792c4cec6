"""How long a view waits for the database: it is counted without, and what it asks is only shown beside the page."""

import threading
import time

from django.db import DatabaseError, connections

AWAY_SECONDS = 5  # before it is asked again: a view must not wait for a database that is away
WAIT_SECONDS = 1  # for an answer that keeps another thread waiting

_away_until = 0.0


class Away(DatabaseError):
    """The database was away a moment ago, or another thread waits for it."""


class DatabaseGate:
    """A context manager around what is asked of the database: one thread of the process asks, the others wait for it.

    Raises Away at once in the 5 s after a question failed, or kept somebody waiting for 1 s: a database that hangs
    holds one thread, and the others every 5 s for that second. What one DatabaseGate finds out is true for all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if _is_away():
            raise Away("The database was away a moment ago.")
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            _leave_alone()
            raise Away("Another thread waits for the database.")
        try:
            if _is_away():  # as the one before us found out
                raise Away("The database is away.")
            # As Django does at the beginning of a request; those of apps/core/http/shortcut.py it never sees.
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is not None and issubclass(kind, DatabaseError):
            _leave_alone()
        self._lock.release()


one_question = DatabaseGate()  # for whatever is a query or two


def _is_away() -> bool:
    return time.monotonic() < _away_until


def _leave_alone() -> None:
    global _away_until
    _away_until = time.monotonic() + AWAY_SECONDS
