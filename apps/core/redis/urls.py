"""Translate REDIS_URL into the options of each library that uses Redis.

REDIS_URL names a Redis server, or Sentinels that know the address of the current master:
redis+sentinel://:password@host1:26379,host2:26379,host3:26379/mymaster/0. The password is for the Redis servers; the
Sentinels have none. The number at the end is the first of the four databases.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import redis
from django.core.exceptions import ImproperlyConfigured
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..resilience import StampedCache

# The number of the database for each purpose, added to the number in the URL.
OWN, CACHE, CHANNELS, QUEUE = range(4)

SENTINEL_SCHEME = "redis+sentinel"
PORT = 26379
# With their defaults the libraries wait ten seconds for a Sentinel that does not answer.
QUESTION = {"socket_connect_timeout": 0.5, "socket_timeout": 1, "retry": Retry(NoBackoff(), 0)}

# The Sentinel that answered last, for each group of Sentinels. It is asked first, so that one that is permanently down
# does not delay every connection.
_answered = StampedCache[tuple[str, int]]()


class Sentinels(NamedTuple):
    hosts: tuple[tuple[str, int], ...]
    master: str
    credentials: str  # as in a URL, including the @
    database: int

    @classmethod
    def of(cls, url: str) -> "Sentinels | None":
        """Parse the URL of a group of Sentinels. Return None for the URL of a Redis server.

        Raises ImproperlyConfigured if the URL names no Sentinel or no master.
        """
        parts = urlsplit(url)
        if parts.scheme != SENTINEL_SCHEME:
            return None
        credentials, at, hosts = parts.netloc.rpartition("@")
        master, _, database = parts.path.strip("/").partition("/")
        split = [urlsplit(f"//{host}") for host in hosts.split(",")]
        if not master or not all(host.hostname for host in split):
            raise ImproperlyConfigured(
                "REDIS_URL names no Sentinel, or no master: redis+sentinel://host1:26379,host2:26379/mymaster/0 does."
            )
        found = tuple((str(host.hostname), host.port or PORT) for host in split)
        return cls(found, master, credentials + at, int(database or 0))

    def master_address(self, connect_seconds: float, answer_seconds: float) -> tuple[str, int]:
        """Return host and port of the master (1 round trip to each Sentinel until one answers).

        Each Sentinel may take up to the two timeouts. Raises redis.ConnectionError if no Sentinel knows the master.
        """
        first = _answered.get(key=self)
        for host, port in sorted(self.hosts, key=lambda address: address != first):
            bounds = {"socket_connect_timeout": connect_seconds, "socket_timeout": answer_seconds}
            try:
                with redis.Redis(host, port, decode_responses=True, retry=Retry(NoBackoff(), 0), **bounds) as sentinel:  # type: ignore[arg-type]
                    found = sentinel.sentinel_get_master_addr_by_name(self.master)
            except redis.RedisError:
                continue
            if found:
                _answered.put((host, port), key=self)
                return str(found[0]), int(found[1])
        raise redis.ConnectionError(f"No Sentinel knows a master called {self.master}.")

    def for_library(self, purpose: int) -> dict[str, object]:
        """Return the options that channels_redis and redbeat share: Sentinels, database and login."""
        user, _, password = self.credentials.removesuffix("@").partition(":")
        login = {"username": unquote(user), "password": unquote(password)}
        return {
            "sentinels": list(self.hosts),
            "sentinel_kwargs": QUESTION,
            "db": self.database + purpose,
            **{name: value for name, value in login.items() if value},
        }


def numbered(url: str, purpose: int) -> str:
    """Return a URL for redis-py with the number of the database for a purpose: OWN, CACHE, CHANNELS or QUEUE.

    With Sentinels, the name of the master takes the place of the host. clients.guarded() adds the options by which the
    connection finds the master.
    """
    if sentinels := Sentinels.of(url):
        return f"redis://{sentinels.credentials}{sentinels.master}/{sentinels.database + purpose}"
    parts = urlsplit(url)
    if parts.scheme == "unix":
        options = dict(parse_qsl(parts.query))
        return f"unix://{parts.path}?{urlencode({**options, 'db': int(options.get('db', 0)) + purpose})}"
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + purpose}").geturl()


def for_channels(url: str) -> dict[str, object]:
    """Return the options of channels_redis that name the server."""
    if sentinels := Sentinels.of(url):
        asking = {**QUESTION, "retry": AsyncRetry(NoBackoff(), 0)}
        return {"master_name": sentinels.master, **sentinels.for_library(CHANNELS), "sentinel_kwargs": asking}
    return {"address": numbered(url, CHANNELS)}


def for_celery(url: str) -> tuple[str, dict[str, object]]:
    """Return the broker URL for Celery, and additional transport options."""
    parts = urlsplit(numbered(url, QUEUE))
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host={dict(parse_qsl(parts.query))['db']}", {}
    if sentinels := Sentinels.of(url):
        database = sentinels.database + QUEUE
        urls = [f"sentinel://{sentinels.credentials}{host}:{port}/{database}" for host, port in sentinels.hosts]
        return ";".join(urls), {"master_name": sentinels.master, "sentinel_kwargs": QUESTION}
    return numbered(url, QUEUE), {}


def for_beat(url: str) -> tuple[str, dict[str, object]]:
    """Return the URL for redbeat, and additional options."""
    if sentinels := Sentinels.of(url):
        return "redis-sentinel://", {"service_name": sentinels.master, **sentinels.for_library(QUEUE)}
    return numbered(url, QUEUE), {}
