"""Open raw Redis clients, here alone: each wait is bounded, and a server that was away is left alone for a while.

REDIS_URL names the server and the first of four databases: the program's own, Django's cache, live messages, Celery's
queue. So emptying the cache (FLUSHDB) loses no counted view. If it names Sentinels (urls.py), each new connection asks
them which server is the master.
"""

from collections.abc import Hashable, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from redis.commands.core import Script

from ..resilience import Breaker
from .urls import CACHE, CHANNELS, OWN, QUEUE, Sentinels, numbered

CONNECT_TIMEOUT_SECONDS = 0.2
TIMEOUT_SECONDS = 0.3
# After a connection has failed or an answer has not come, the server is left alone this long: a page that needs Redis
# five times must not wait five times.
AWAY_SECONDS = 5

RedisError = redis.RedisError
__all__ = [
    "CACHE",
    "CHANNELS",
    "OWN",
    "QUEUE",
    "RedisError",
    "client",
    "guarded",
    "insistent_client",
    "numbered",
    "run",
]

_breaker = Breaker(AWAY_SECONDS)  # by server


class _Guarded:
    """A connection that fails at once while the circuit breaker of its server is open."""

    host: str
    port: int
    is_connected: bool

    def connect(self) -> None:
        server = self._server()
        if _breaker.is_open(server):
            raise redis.ConnectionError("Redis was away a moment ago.")
        if self.is_connected:
            return
        try:
            super().connect()  # type: ignore[misc]  # of the redis.Connection that stands beside
        except (redis.ConnectionError, redis.TimeoutError):
            _breaker.trip(server)
            raise
        _breaker.close(server)

    def read_response(self, *args: object, **kwargs: object) -> object:
        try:
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        except redis.TimeoutError:
            _breaker.trip(self._server())
            raise

    def _server(self) -> Hashable:
        return getattr(self, "path", None) or (self.host, self.port)


class GuardedConnection(_Guarded, redis.Connection):
    pass


class GuardedSSLConnection(_Guarded, redis.SSLConnection):
    pass


class GuardedSocketConnection(_Guarded, redis.UnixDomainSocketConnection):
    pass


class MasterConnection(redis.Connection):
    """A connection to the server that the Sentinels name as the master when it connects."""

    def __init__(self, *, sentinels: Sentinels, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.sentinels = sentinels

    def _connect(self) -> object:
        self.host, self.port = self.sentinels.master_address(CONNECT_TIMEOUT_SECONDS, TIMEOUT_SECONDS)
        return super()._connect()

    def read_response(self, *args: object, **kwargs: object) -> object:
        try:
            return super().read_response(*args, **kwargs)
        except redis.ReadOnlyError:
            self.disconnect()
            raise redis.ConnectionError("The master has become a replica.") from None


class GuardedMasterConnection(_Guarded, MasterConnection):
    def _server(self) -> Hashable:
        return self.sentinels


_CONNECTIONS = {"redis": GuardedConnection, "rediss": GuardedSSLConnection, "unix": GuardedSocketConnection}


def run(client: redis.Redis, script: Script, keys: Sequence[str], args: Sequence[str | int]) -> Any:
    """Run a registered script and return its answer (1 round trip, 3 if Redis has forgotten the script).

    Skips the client's layers for retries and telemetry, which take a third of the processor time that a counted view
    spends on Redis. Raises RedisError as the client does.
    """
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_command("EVALSHA", script.sha, len(keys), *keys, *args)
        return connection.read_response()
    except redis.exceptions.NoScriptError:
        return script(keys, args)
    finally:
        pool.release(connection)


def guarded(url: str) -> dict[str, object]:
    """Return options of a connection pool for REDIS_URL: no caller then waits long, or twice, for a server away."""
    bounds = {"socket_connect_timeout": CONNECT_TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS}
    if sentinels := Sentinels.of(url):
        return {"connection_class": GuardedMasterConnection, "sentinels": sentinels, **bounds}
    return {"connection_class": _CONNECTIONS[urlsplit(url).scheme], **bounds}


@cache
def client() -> redis.Redis | None:
    """Return the process's client for the program's own database, None for a blog of one.

    A command raises RedisError while the server is away: after 0.3 s at most (0.5 s more for each Sentinel that hangs),
    and at once during the 5 s after that. No command is retried, so none is executed twice.
    """
    if not settings.REDIS_URL:
        return None
    pool = redis.ConnectionPool.from_url(numbered(settings.REDIS_URL, OWN), **guarded(settings.REDIS_URL))
    return redis.Redis(connection_pool=pool)


def insistent_client() -> redis.Redis:
    """Return a new client without a circuit breaker, for callers that must notice that the server is back."""
    options = guarded(settings.REDIS_URL)
    del options["connection_class"]
    if "sentinels" in options:
        options["connection_class"] = MasterConnection
    pool = redis.ConnectionPool.from_url(numbered(settings.REDIS_URL, OWN), **options)
    return redis.Redis(connection_pool=pool)
