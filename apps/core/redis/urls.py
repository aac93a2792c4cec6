"""The meaning of REDIS_URL for each of the libraries that use it: a server, or Sentinels that know which server it is.

redis+sentinel://:password@host1:26379,host2:26379,host3:26379/mymaster/0: the password is that of the servers, the
Sentinels have none; the last part is the first of the four databases.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import redis
from django.core.exceptions import ImproperlyConfigured
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..resilience import StampedCache

# The purpose of each of the four databases, counted from the one that the URL names.
OWN, CACHE, CHANNELS, QUEUE = range(4)

SENTINEL_SCHEME = "redis+sentinel"
PORT = 26379
# Without these the libraries ask a Sentinel that is gone for ten seconds.
QUESTION = {"socket_connect_timeout": 0.5, "socket_timeout": 1, "retry": Retry(NoBackoff(), 0)}

# The Sentinel that answered last, by group of Sentinels, is asked first: of three one may be gone for good.
_answered = StampedCache[tuple[str, int]]()


class Sentinels(NamedTuple):
    hosts: tuple[tuple[str, int], ...]
    master: str
    credentials: str  # as they stand in a URL, with their @
    database: int

    @classmethod
    def of(cls, url: str) -> "Sentinels | None":
        """Read the URL; None when it names a server itself. Raises ImproperlyConfigured."""
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
        """Ask one Sentinel after the other where the master is. Raises redis.ConnectionError when none knows."""
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
        """Return what the libraries that know Sentinels take: where they are, the database, the login."""
        user, _, password = self.credentials.removesuffix("@").partition(":")
        login = {"username": unquote(user), "password": unquote(password)}
        return {
            "sentinels": list(self.hosts),
            "sentinel_kwargs": QUESTION,
            "db": self.database + purpose,
            **{name: value for name, value in login.items() if value},
        }


def numbered(url: str, purpose: int) -> str:
    """Return the URL as redis-py takes it, with the database for that purpose: OWN, CACHE, CHANNELS or QUEUE.

    Of Sentinels' URL the master's name stands where a host would; redis.guarded() says where to look for it.
    """
    if sentinels := Sentinels.of(url):
        return f"redis://{sentinels.credentials}{sentinels.master}/{sentinels.database + purpose}"
    parts = urlsplit(url)
    if parts.scheme == "unix":
        options = dict(parse_qsl(parts.query))
        return f"unix://{parts.path}?{urlencode({**options, 'db': int(options.get('db', 0)) + purpose})}"
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + purpose}").geturl()


def for_channels(url: str) -> dict[str, object]:
    """Return what names the server among the options of channels_redis."""
    if sentinels := Sentinels.of(url):
        asking = {**QUESTION, "retry": AsyncRetry(NoBackoff(), 0)}
        return {"master_name": sentinels.master, **sentinels.for_library(CHANNELS), "sentinel_kwargs": asking}
    return {"address": numbered(url, CHANNELS)}


def for_celery(url: str) -> tuple[str, dict[str, object]]:
    """Return Celery's broker URL, and what its transport options need besides."""
    parts = urlsplit(numbered(url, QUEUE))
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host={dict(parse_qsl(parts.query))['db']}", {}
    if sentinels := Sentinels.of(url):
        database = sentinels.database + QUEUE
        urls = [f"sentinel://{sentinels.credentials}{host}:{port}/{database}" for host, port in sentinels.hosts]
        return ";".join(urls), {"master_name": sentinels.master, "sentinel_kwargs": QUESTION}
    return numbered(url, QUEUE), {}


def for_beat(url: str) -> tuple[str, dict[str, object]]:
    """Return redbeat's URL, and what its options need besides."""
    if sentinels := Sentinels.of(url):
        return "redis-sentinel://", {"service_name": sentinels.master, **sentinels.for_library(QUEUE)}
    return numbered(url, QUEUE), {}
