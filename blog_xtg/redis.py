"""The one place that opens raw Redis clients, each wait bounded and a server that is away left alone for a while.

One REDIS_URL names the server and the first of four databases in a row, so that emptying the cache (FLUSHDB) costs no
counted view: what the program keeps itself, Django's cache, live messages, Celery's queue.
"""

import threading
import time
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import redis
from django.conf import settings

OWN, CACHE, CHANNELS, QUEUE = range(4)

CONNECT_TIMEOUT_SECONDS = 0.2
TIMEOUT_SECONDS = 0.3
# After a connection failed or an answer stayed out nobody tries again for so long: a page that needs Redis five times
# must not wait five times.
AWAY_SECONDS = 5

RedisError = redis.RedisError

_away_until: dict[Any, float] = {}


class _Guarded:
    """A connection that fails at once while its server is known to be away."""

    host: str
    port: int

    def connect(self) -> None:
        server = self._server()
        if time.monotonic() < _away_until.get(server, 0):
            raise redis.ConnectionError("Redis was away a moment ago.")
        try:
            super().connect()  # type: ignore[misc]  # of the redis.Connection that stands beside
        except (redis.ConnectionError, redis.TimeoutError):
            _away_until[server] = time.monotonic() + AWAY_SECONDS
            raise
        _away_until.pop(server, None)

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        except redis.TimeoutError:
            _away_until[self._server()] = time.monotonic() + AWAY_SECONDS
            raise

    def _server(self) -> Any:
        return getattr(self, "path", None) or (self.host, self.port)


class GuardedConnection(_Guarded, redis.Connection):
    pass


class GuardedSSLConnection(_Guarded, redis.SSLConnection):
    pass


class GuardedSocketConnection(_Guarded, redis.UnixDomainSocketConnection):
    pass


_CONNECTIONS = {"redis": GuardedConnection, "rediss": GuardedSSLConnection, "unix": GuardedSocketConnection}


class ConnectionPerThread(redis.ConnectionPool):
    """Gives each thread one connection that stays its own.

    The library's pool asks a connection whether it is still good before each command, which for a command of 100 µs is
    a fifth of the whole. Here a connection that the server has closed costs its thread one failed command, and the next
    one connects anew.
    """

    def reset(self) -> None:
        super().reset()
        self._own = threading.local()

    def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        self._checkpid()  # after a fork the connections are the parent's
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self.make_connection()
        connection.connect()
        return connection

    def release(self, connection: Any) -> None:
        """It stays where it is."""


def numbered(url: str, purpose: int) -> str:
    """Return REDIS_URL with the database for that purpose: OWN, CACHE, CHANNELS or QUEUE counted from the URL's own."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        options = dict(parse_qsl(parts.query))
        return f"unix://{parts.path}?{urlencode({**options, 'db': int(options.get('db', 0)) + purpose})}"
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + purpose}").geturl()


def guarded(url: str) -> dict[str, Any]:
    """Return what a connection pool for that URL takes so that nobody waits long, or twice, for a server away."""
    return {
        "connection_class": _CONNECTIONS[urlsplit(url).scheme],
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": TIMEOUT_SECONDS,
    }


@cache
def client() -> redis.Redis | None:
    """Return the process's client for what the program keeps in Redis itself, None in the solo size.

    A call raises RedisError, after 0.3 s at most, when the server is away, and at once during the 5 s after that.
    No command is tried twice, so none is carried out twice.
    """
    if not settings.REDIS_URL:
        return None
    url = numbered(settings.REDIS_URL, OWN)
    return redis.Redis(connection_pool=ConnectionPerThread.from_url(url, **guarded(url)))


def insistent_client() -> redis.Redis:
    """Return a new client that tries every time anew, for what must find out that the server is back."""
    url = numbered(settings.REDIS_URL, OWN)
    pool = redis.ConnectionPool.from_url(
        url, socket_connect_timeout=CONNECT_TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
    )
    return redis.Redis(connection_pool=pool)
