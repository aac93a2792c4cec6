"""The counters under test: the database's, and one in a real Redis."""

from collections.abc import Iterator

import pytest

from apps.stats.counters import Counter, counter
from apps.stats.database_counter import DatabaseCounter
from apps.stats.redis_counter import RedisCounter
from blog_xtg import redis as blog_redis
from blog_xtg.redis import client
from tests.services import Redis


@pytest.fixture
def redis_counter(own_redis: Redis, settings) -> Iterator[RedisCounter]:  # type: ignore[no-untyped-def]
    """The counter of a process of a fleet; the whole program counts with it while the test runs."""
    settings.REDIS_URL = own_redis.url
    client.cache_clear()
    counter.cache_clear()
    blog_redis._away_until.clear()
    yield counter()  # type: ignore[misc]
    client.cache_clear()
    counter.cache_clear()
    blog_redis._away_until.clear()


@pytest.fixture(params=["database", "redis"])
def any_counter(request: pytest.FixtureRequest) -> Counter:
    if request.param == "database":
        return DatabaseCounter()
    return request.getfixturevalue("redis_counter")
