"""Redis under Sentinels: everything finds the new master by itself when the old one is killed."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from django_redis.cache import RedisCache
from redis import RedisError

from apps.core.redis import clients as blog_redis
from apps.core.redis.clients import client
from tests.services import CeleryProcess, Redis, Sentinel, free_port, site_settings, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.gunicorn]


@pytest.fixture
def watched(settings) -> Iterator[tuple[Redis, Sentinel]]:
    """A master with a replica, and the Sentinel that this process's REDIS_URL names, after one that isn't there."""
    quickly = ("--repl-diskless-sync-delay", "0")
    with Redis(*quickly) as master, Redis("--replicaof", f"127.0.0.1 {master.port}") as replica:
        with replica.client() as following:
            wait_until(lambda: following.info("replication")["master_link_status"] == "up", 10)
        with Sentinel(master) as sentinel:
            with sentinel.client() as watching:
                wait_until(lambda: watching.sentinel_masters()["mymaster"]["num-slaves"] == 1, 15)
            settings.REDIS_URL = sentinel.url.replace("127.0.0.1", f"127.0.0.1:{free_port()},127.0.0.1")
            client.cache_clear()
            yield master, sentinel
        client.cache_clear()
        blog_redis._breaker.reset()


async def heard(layer: RedisPubSubChannelLayer, text: str) -> bool:
    """Whether a message to a group arrives."""
    try:
        async with asyncio.timeout(3):
            channel = await layer.new_channel()
            await layer.group_add("readers", channel)
            await layer.group_send("readers", {"type": "word", "text": text})
            return bool((await layer.receive(channel))["text"] == text)
    except (RedisError, TimeoutError):
        return False
    finally:
        await layer.flush()


def test_all_that_uses_redis_finds_the_new_master(watched: tuple[Redis, Sentinel], settings) -> None:
    master, sentinel = watched
    site = site_settings(REDIS_URL=settings.REDIS_URL)
    own = client()
    cached = site.CACHES["default"]
    cache = RedisCache(cached["LOCATION"], {name.upper(): value for name, value in cached.items()})
    channels = site.CHANNEL_LAYERS["default"]["CONFIG"]
    beat, worker = (
        CeleryProcess(kind, "tests.fleet.beating", REDIS_URL=settings.REDIS_URL) for kind in ("beat", "worker")
    )

    def written() -> bool:
        assert own is not None
        try:
            return bool(own.set("word", time.time(), ex=60))
        except RedisError:
            return False

    def stored() -> bool:
        word = str(time.time())
        cache.set("word", word)
        return bool(cache.get("word") == word)

    def told() -> bool:
        return asyncio.run(heard(RedisPubSubChannelLayer(**channels), str(time.time())))

    def ran() -> bool:
        if beat.process and beat.process.poll() is not None:
            beat.start()  # as its supervisor does
        try:
            return own is not None and own.llen("ran:second") > ticks
        except RedisError:
            return False

    checks: dict[str, Callable[[], bool]] = {"raw client": written, "cache": stored, "channels": told, "beat": ran}
    with beat, worker:
        ticks = 0
        for name, works in checks.items():
            wait_until(works, 20, f"{name}:\n{beat.log}\n{worker.log}")
        assert own is not None
        ticks = own.llen("ran:second") + 1
        killed_at = time.time()
        master.stop(signal.SIGKILL)
        back = {}
        while len(back) < len(checks):
            for name, works in checks.items():
                if name not in back and works():
                    back[name] = round(time.time() - killed_at, 1)
            assert time.time() < killed_at + 60, f"{back}\n{beat.log}\n{worker.log}"
            time.sleep(0.1)
        print("back after", back)
        assert sentinel.master_port() != master.port
    assert back["raw client"] < 15
