"""Pages that a replica of the database makes as well as the primary would.

What is kept must be true, so a replica is asked only when it has everything that the primary had after the last change
this process heard of: MariaDB counts its transactions (GTID), the primary's number is read once after each change, and
the replica says whether it has come as far. One that is behind, hangs or is away is left alone for a moment, and the
primary answers. With the primary away replicas go on answering until the next change. Only readers who have written
nothing are answered so (PublicPageMiddleware); what processes share under a stamp is read from the primary, because a
stamp may be seen before its message is heard.
"""

import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse

POSITION_SECONDS = 10  # what nobody announces, such as the numbers of views, is seen after so long
BEHIND_SECONDS = 0.1  # before a replica that is behind is asked again
AWAY_SECONDS = 10  # before one that gave no answer is

logger = logging.getLogger(__name__)

_reading: ContextVar[str] = ContextVar("reading", default=DEFAULT_DB_ALIAS)
_position: tuple[int, float, str] = (-1, 0.0, "")  # generation, when read, and the primary's number
_reached: dict[str, str] = {}  # which number each replica is known to have
_left_alone_until: dict[str, float] = defaultdict(float)


class Router:
    """Django's router: reads go where `reading` says, all else to the primary."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return _alias()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        _reading.set(DEFAULT_DB_ALIAS)  # who has written reads it again
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


def database() -> BaseDatabaseWrapper:
    """Return the connection that a question in SQL goes to here and now."""
    return connections[_alias()]


def _alias() -> str:
    alias = _reading.get()
    # What a transaction reads is its own.
    return DEFAULT_DB_ALIAS if alias != DEFAULT_DB_ALIAS and connections[DEFAULT_DB_ALIAS].in_atomic_block else alias


@contextmanager
def reading(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let reads go to that database; the primary, when none is named."""
    token = _reading.set(alias)
    try:
        yield
    finally:
        _reading.reset(token)


def from_replica(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let the view read from `request.replica`; when that fails, the view runs again with the primary."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if alias := getattr(request, "replica", ""):
            try:
                with reading(alias):
                    return view(request, *args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                _leave_alone(alias, error)
        return view(request, *args, **kwargs)

    return answer


def caught_up(generation: int) -> str:
    """Return a replica that has all the changes up to that generation, blank when there is none.

    No round trip while nothing changes but 2 every 10 s; 1 to the primary after a change and 1 to a replica, at most
    10 a second while that is behind.
    """
    if not settings.DATABASE_REPLICAS:
        return ""
    now = time.monotonic()
    position = _primary_position(generation, now)
    for alias in random.sample(settings.DATABASE_REPLICAS, len(settings.DATABASE_REPLICAS)):
        if position and now >= _left_alone_until[alias] and _has_reached(alias, position, now):
            return str(alias)
    return ""


def _primary_position(generation: int, now: float) -> str:
    """How far the primary has come; blank when nobody can tell.

    One that is away comes no further: while no change is heard of, what was read last stands.
    """
    global _position
    known_generation, read_at, position = _position
    if known_generation != generation or now - read_at > POSITION_SECONDS:
        try:
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                cursor.execute("SELECT @@gtid_binlog_pos")
                position = cursor.fetchone()[0]
        except (DatabaseError, InterfaceError):
            if known_generation != generation:
                return ""
        _position = (generation, now, position)
    return position


def _has_reached(alias: str, position: str, now: float) -> bool:
    if _reached.get(alias) == position:
        return True
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT MASTER_GTID_WAIT(%s, 0)", [position])
            (answer,) = cursor.fetchone()
    except (DatabaseError, InterfaceError) as error:
        _leave_alone(alias, error)
        return False
    if answer == 0:
        _reached[alias] = position
        return True
    _left_alone_until[alias] = now + BEHIND_SECONDS
    return False


def transactions_behind(alias: str) -> int:
    """Return how many transactions the replica lacks of those the primary had when asked (1 query to each).

    Raises DatabaseError or InterfaceError when one of them gives no answer.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT @@gtid_binlog_pos")
        (wanted,) = cursor.fetchone()
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@gtid_slave_pos")
        (there,) = cursor.fetchone()
    return _lacking(wanted, there)


def _lacking(wanted: str, there: str) -> int:
    """How many transactions lie between two positions: each is «domain-server-number», one for every domain."""
    reached = {domain: int(number) for domain, _server, number in _split(there)}
    return sum(max(0, int(number) - reached.get(domain, 0)) for domain, _server, number in _split(wanted))


def _split(position: str) -> Iterator[list[str]]:
    return (gtid.split("-") for gtid in position.split(",") if gtid)


def _leave_alone(alias: str, error: Exception) -> None:
    logger.warning("The database %s gave no answer (%s); the primary answers for it.", alias, error)
    _left_alone_until[alias] = time.monotonic() + AWAY_SECONDS
    _reached.pop(alias, None)
    connections[alias].close()
