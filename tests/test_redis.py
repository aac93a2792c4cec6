"""A Redis that is away or hangs costs one short wait, and is found again."""

import time
from types import SimpleNamespace

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django_redis.cache import RedisCache
from redis import RedisError

from apps.comments.live.presence import RedisPresence as Presence
from apps.core import resilience
from apps.core.jobs import alone
from apps.core.pages.coherence import Change, RedisBackend, new_stamp
from apps.core.redis import clients as blog_redis
from apps.core.redis.clients import client, guarded
from apps.core.redis.urls import CACHE, CHANNELS, OWN, QUEUE, Sentinels, for_celery, numbered
from apps.stats.counters import View
from apps.stats.redis_counter import RedisCounter
from tests import services
from tests.factories import make_post
from tests.services import Redis, free_port


@pytest.fixture
def own_client(own_redis: Redis, settings):
    settings.REDIS_URL = own_redis.url
    client.cache_clear()
    blog_redis._breaker.reset()
    yield client()
    client.cache_clear()


@pytest.mark.parametrize(
    ("url", "purpose", "expected"),
    [
        ("redis://host", OWN, "redis://host/0"),
        ("redis://:secret@host:6380/4", CACHE, "redis://:secret@host:6380/5"),
        ("rediss://host/?ssl_cert_reqs=none", CHANNELS, "rediss://host/2?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock?db=2", QUEUE, "unix:///run/redis.sock?db=5"),
        ("redis+sentinel://:secret@one,two:26380/mymaster/4", CACHE, "redis://:secret@mymaster/5"),
    ],
)
def test_each_purpose_has_a_database_of_its_own(url: str, purpose: int, expected: str) -> None:
    assert numbered(url, purpose) == expected


def test_sentinels_are_named_by_url() -> None:
    sentinels = Sentinels.of("redis+sentinel://me:se%40cret@one,two:26380,[::1]:26381/mymaster")
    assert sentinels == ((("one", 26379), ("two", 26380), ("::1", 26381)), "mymaster", "me:se%40cret@", 0)
    assert sentinels.for_library(QUEUE)["password"] == "se@cret"
    url, options = for_celery("redis+sentinel://:secret@one,two/mymaster/4")
    assert url == "sentinel://:secret@one:26379/7;sentinel://:secret@two:26379/7"
    assert options["master_name"] == "mymaster"
    assert for_celery("unix:///run/redis.sock?db=2")[0] == "redis+socket:///run/redis.sock?virtual_host=5"
    with pytest.raises(ImproperlyConfigured, match="names no Sentinel, or no master"):
        Sentinels.of("redis+sentinel://one:26379")


def test_there_is_no_client_in_the_solo_size() -> None:
    assert not django_settings.REDIS_URL
    client.cache_clear()
    assert client() is None


def test_a_hanging_server_is_waited_for_once_and_found_again(own_redis: Redis, own_client, monkeypatch) -> None:
    own_client.set("word", "there")
    own_redis.pause()
    with pytest.raises(RedisError, match="Timeout"):
        own_client.get("word")
    own_redis.resume()
    # It answers again, and still nobody asks: that is what spares a page its second wait.
    with pytest.raises(RedisError, match="away a moment ago"):
        own_client.get("word")
    later = time.monotonic() + blog_redis.AWAY_SECONDS
    monkeypatch.setattr(resilience, "time", SimpleNamespace(monotonic=lambda: later))
    assert own_client.get("word") == b"there"


def test_the_cache_is_empty_rather_than_broken_without_a_server(own_redis: Redis, own_client) -> None:
    site = services.site_settings(REDIS_URL=own_redis.url)
    options = site.CACHES["default"]
    cache = RedisCache(options["LOCATION"], {name.upper(): value for name, value in options.items()})
    cache.set("word", ["there", 1])
    assert cache.get("word") == ["there", 1]
    own_redis.stop()
    assert cache.get("word", "nothing") == "nothing"
    cache.set("word", "again")
    own_redis.start()
    blog_redis._breaker.reset()
    cache.set("word", "again")
    assert cache.get("word") == "again"
    assert guarded(own_redis.url)["socket_timeout"] < 1


@pytest.mark.redis
@pytest.mark.django_db
@pytest.mark.one_database
def test_what_is_done_in_one_step_stays_on_one_node_of_a_cluster(settings) -> None:
    """Keys of different slots in one script or transaction are refused, even where one node has all slots."""
    with Redis("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as node, node.client() as asked:
        asked.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        services.wait_until(lambda: "cluster_state:ok" in str(asked.execute_command("CLUSTER", "INFO")), 5)
        settings.REDIS_URL = node.url
        client.cache_clear()
        own = client()
        with pytest.raises(RedisError, match="slot"):
            own.mget("one", "two")
        post = make_post()
        day = timezone.localdate()
        counter = RedisCounter(own)
        assert counter.salt(day)
        for _ in range(2):
            numbers = counter.hit(View(day, visitor="v", post_id=post.pk, referrer="host:example.com"))
        assert (numbers.pv, numbers.views) == (2, 2)
        assert counter.drain() == 2
        backend = RedisBackend(own)
        stamps = backend.stamps()
        backend.publish(Change(new_stamp(), None))
        assert stamps and backend.stamps() != stamps and not backend.has_unpublished_change
        assert Presence(own).report({1: 2, 2: 3}) == {1: 2, 2: 3}
        with alone("job") as first, alone("job") as second:
            assert (first, second) == (True, False)
        client.cache_clear()
