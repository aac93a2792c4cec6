"""Choose a replica of the database for a page when the replica is as current as the primary.

A rendered page is cached, so a replica is used only if it has every transaction that the primary had after the last
change this process heard of. MariaDB numbers transactions (GTID): the process reads the primary's number once after
each change, and the replica says whether it has reached that number. A replica that is behind, hangs or is away is left
alone for a while, and the primary answers. While the primary is away, replicas answer until the next change.

PublicPageMiddleware offers a replica only to readers who have written nothing. Values that processes share under a
stamp are read from the primary, because a process may see the new stamp before it hears the message.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from ..resilience import Breaker, StampedCache

POSITION_SECONDS = 10  # how old a page may be by changes that are not published, such as numbers of views
BEHIND_SECONDS = 0.1  # until a replica that is behind is asked again
AWAY_SECONDS = 10  # until a replica that did not answer is asked again

logger = logging.getLogger(__name__)

_reading: ContextVar[str] = ContextVar("reading", default=DEFAULT_DB_ALIAS)
_position = StampedCache[str](POSITION_SECONDS)  # the primary's, under the generation in which it was read
_reached = StampedCache[bool]()  # under the position that the replica of this alias has reached
_breaker = Breaker(AWAY_SECONDS)  # by alias


class Router:
    """Django's database router: reads go to the database that `reading()` names, everything else to the primary."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        return _alias()

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        _reading.set(DEFAULT_DB_ALIAS)  # this request must read what it has written
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: object) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return db == DEFAULT_DB_ALIAS


def database() -> BaseDatabaseWrapper:
    """Return the connection that raw SQL uses at this place."""
    return connections[_alias()]


def _alias() -> str:
    alias = _reading.get()
    # A transaction must see its own writes.
    return DEFAULT_DB_ALIAS if alias != DEFAULT_DB_ALIAS and connections[DEFAULT_DB_ALIAS].in_atomic_block else alias


@contextmanager
def reading(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Send reads to that database, to the primary by default, until the block ends."""
    token = _reading.set(alias)
    try:
        yield
    finally:
        _reading.reset(token)


def from_replica(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let the view read from `request.replica`. If the replica fails, run the view again with the primary."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if alias := getattr(request, "replica", ""):
            try:
                with reading(alias):
                    return view(request, *args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                _leave_alone(alias, error)
        return view(request, *args, **kwargs)

    return answer


def caught_up(generation: int) -> str:
    """Return the alias of a replica that has all changes up to that generation, or "".

    Costs 2 round trips every 10 s, 1 to the primary and 1 to a replica after a change, and at most 10 a second to a
    replica that is behind.
    """
    if not settings.DATABASE_REPLICAS:
        return ""
    position = _primary_position(generation)
    for alias in random.sample(settings.DATABASE_REPLICAS, len(settings.DATABASE_REPLICAS)):
        if position and not _breaker.is_open(alias) and _has_reached(alias, position):
            return str(alias)
    return ""


def _primary_position(generation: int) -> str:
    """Return the number of the primary's last transaction, or "" if it is unknown.

    A primary that is away makes no transactions: its last position holds until this process hears of a change.
    """
    if position := _position.get(generation):
        return position
    read_at = time.monotonic()
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT @@gtid_binlog_pos")
            position = str(cursor.fetchone()[0])
    except (DatabaseError, InterfaceError):
        last = _position.last()
        if last is None or last.stamp != generation:
            return ""
        position = last.value
    _position.put(position, generation, read_at=read_at)
    return position


def _has_reached(alias: str, position: str) -> bool:
    if _reached.get(position, key=alias):
        return True
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT MASTER_GTID_WAIT(%s, 0)", [position])
            (answer,) = cursor.fetchone()
    except (DatabaseError, InterfaceError) as error:
        _leave_alone(alias, error)
        return False
    if answer == 0:
        _reached.put(True, position, key=alias)
        return True
    _breaker.trip(alias, seconds=BEHIND_SECONDS)
    return False


def transactions_behind(alias: str) -> int:
    """Return how many of the primary's transactions the replica does not have yet (1 query to each).

    Raises DatabaseError or InterfaceError if one of them does not answer.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT @@gtid_binlog_pos")
        (wanted,) = cursor.fetchone()
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@gtid_slave_pos")
        (there,) = cursor.fetchone()
    return _lacking(wanted, there)


def _lacking(wanted: str, there: str) -> int:
    """Count the transactions between two positions, each of which lists a "domain-server-number" for every domain."""
    reached = {domain: int(number) for domain, _server, number in _split(there)}
    return sum(max(0, int(number) - reached.get(domain, 0)) for domain, _server, number in _split(wanted))


def _split(position: str) -> Iterator[list[str]]:
    return (gtid.split("-") for gtid in position.split(",") if gtid)


def _leave_alone(alias: str, error: Exception) -> None:
    logger.warning("The database %s gave no answer (%s); the primary answers for it.", alias, error)
    _breaker.trip(alias)
    _reached.forget(alias)
    connections[alias].close()
