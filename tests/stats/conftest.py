"""The counters under test: the database's, and one in a real Redis."""

import pytest
from django.test import Client

from apps.stats.counters import Counter, counter
from apps.stats.database_counter import DatabaseCounter
from apps.stats.redis_counter import RedisCounter
from tests.services import BROWSER, Redis
from tests.stats.ways import WAYS


@pytest.fixture
def redis_counter(member: Redis) -> RedisCounter:
    """The counter of a process of a fleet; the whole program counts with it while the test runs."""
    in_redis = counter()
    assert isinstance(in_redis, RedisCounter)
    return in_redis


@pytest.fixture(params=["database", "redis"])
def any_counter(request: pytest.FixtureRequest) -> Counter:
    if request.param == "database":
        return DatabaseCounter()
    return request.getfixturevalue("redis_counter")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> type[Client]:
    """A client that asks Django, and one that asks a worker of a fleet."""
    return WAYS[request.param]


@pytest.fixture
def reader(way: type[Client]) -> Client:
    return way(headers={"user-agent": BROWSER})
