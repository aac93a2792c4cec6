"""Redis: whether it answers the blog, nobody else, and forgets nothing."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

from apps.core.environment import is_local
from apps.core.observability import health
from apps.core.redis.clients import client, insistent_client

from .findings import ERROR, OK, WARNING, Finding


def redis(parts: dict[str, str]) -> Iterator[Finding]:
    """Redis."""
    server = client()
    if server is None:
        return
    where = _without_password(settings.REDIS_URL)
    if parts["redis"] != health.OK:
        why = _refusal()
        what = f"refuses the blog ({why})" if why else "can't be reached"
        remedy = "Give both the same password" if why else "Start it (`systemctl start redis-server`)"
        yield Finding(
            ERROR,
            f"Redis ({where}) {what}: pages are slower, views wait in memory, and no job runs.",
            f"{remedy}, or correct REDIS_URL.",
        )
        return
    info = server.info()
    yield Finding(OK, f"Redis {info['redis_version']}: {info['used_memory_human']} used.")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            ERROR if info.get("maxmemory") else WARNING,
            f"Redis drops keys when its memory is full (maxmemory-policy {policy}): counted views may be among them.",
            "`redis-cli config set maxmemory-policy noeviction`, and the same in redis.conf.",
        )
    if _answers_anybody(server):
        yield Finding(
            ERROR,
            f"Redis ({where}) answers without a password: whoever reaches it reads sessions and what is counted.",
            "Set requirepass in its configuration as in REDIS_URL, and restart it (docs/deployment.md).",
        )
    if not info.get("aof_enabled"):
        yield Finding(
            WARNING,
            "Redis keeps no append-only file: a restart loses the views counted since the last flush, a minute's.",
            "`redis-cli config set appendonly yes`, and the same in redis.conf.",
        )


def _refusal() -> str:
    """Why Redis refuses the blog, in its own words where they help; blank when it says nothing."""
    try:
        insistent_client().ping()
    except (AuthenticationError, ResponseError) as error:
        # Without a password in REDIS_URL it speaks of the protocol (HELLO).
        return str(error) if urlsplit(settings.REDIS_URL).password else "it asks for a password"
    except Exception:  # it is away
        return ""
    return ""


def _answers_anybody(server: Redis) -> bool:
    """Whether Redis needs no password although it should: REDIS_URL has one, or other machines may reach it."""
    parts = urlsplit(settings.REDIS_URL)
    if not parts.password and (parts.scheme == "unix" or is_local(settings.REDIS_URL)):
        return False
    pool = server.connection_pool
    options = {name: value for name, value in pool.connection_kwargs.items() if name not in {"username", "password"}}
    bare = pool.connection_class(**options)
    try:
        bare.connect()
        bare.send_command("PING")
        bare.read_response()
    except Exception:  # NOAUTH, or what the server says in its place
        return False
    finally:
        bare.disconnect()
    return True


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
