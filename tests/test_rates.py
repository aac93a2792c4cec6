"""Counts of what was done lately: exact, bounded, and forgotten when their time has come, no sooner."""

from collections.abc import Callable

import pytest

from apps.core.http import rates
from tests.services import Redis


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rates, "monotonic", clock)
    return clock


@pytest.fixture(params=["memory", "Redis"])
def _store(request: pytest.FixtureRequest, counting_in: Callable[[Redis], None]) -> None:
    if request.param == "Redis":
        counting_in(request.getfixturevalue("redis_server"))


@pytest.mark.usefixtures("_store")
def test_what_is_taken_back_was_never_done() -> None:
    for _ in range(10):
        assert not rates.is_one_too_many("kind:a", 2, 60)
        rates.take_back("kind:a")
    rates.take_back("kind:never-counted")
    assert [rates.is_one_too_many("kind:a", 2, 60) for _ in range(4)] == [False, False, True, True]
    assert not rates.is_one_too_many("kind:b", 2, 60)
    assert not any(rates.is_one_too_many("kind:a", 0, 60) for _ in range(5))  # 0: any number


def test_a_window_ends(clock: Clock) -> None:
    assert [rates.is_one_too_many("kind:a", 1, 60) for _ in range(2)] == [False, True]
    clock.now += 59.9
    assert rates.is_one_too_many("kind:a", 1, 60)
    clock.now += 0.1
    assert not rates.is_one_too_many("kind:a", 1, 60)


def test_a_window_of_redis_ends_by_itself(redis_server: Redis, counting_in: Callable[[Redis], None]) -> None:
    counting_in(redis_server)
    rates.is_one_too_many("kind:a", 1, 60)
    rates.take_back("kind:a")
    rates.is_one_too_many("kind:a", 1, 60)
    with redis_server.client() as client:
        assert client.keys("*") == [b"blog:rates:kind:a"] or client.keys("*") == ["blog:rates:kind:a"]
        assert 0 < client.ttl("blog:rates:kind:a") <= 60


def test_a_full_memory_refuses_and_forgets_nothing(clock: Clock) -> None:
    memory = rates.Memory(most=3)
    assert [memory.count(key, 60) for key in ("old", "a", "b")] == [1, 1, 1]
    assert memory.count("new", 60) is None
    assert [memory.count(key, 60) for key in ("old", "a", "b")] == [2, 2, 2]
    clock.now += 60
    assert memory.count("new", 60) == 1 and memory.count("newer", 60) == 1  # what is over gives way
    assert memory.count("a", 60) == 1
    assert memory.count("b", 60) is None


def test_a_full_kind_takes_no_room_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rates._kinds.memories, "search", rates.Memory(most=2))
    assert [rates.is_one_too_many(f"search:{n}", 60, 60) for n in range(4)] == [False, False, True, True]
    assert not rates.is_one_too_many("sign-in:a", 20, 600)


def test_a_redis_that_takes_nothing_more_makes_nobody_free(
    own_redis: Redis, counting_in: Callable[[Redis], None]
) -> None:
    counting_in(own_redis)
    with own_redis.client() as client:
        client.config_set("maxmemory", "1")
    assert [rates.is_one_too_many("kind:a", 2, 60) for _ in range(3)] == [False, False, True]
    rates.take_back("kind:a")


def test_a_hundred_thousand_networks_have_room() -> None:
    assert not any(rates.is_one_too_many(f"kind:{number}", 1, 600) for number in range(rates.MOST_ENTRIES))
    assert rates.is_one_too_many("kind:0", 1, 600)
    assert rates.is_one_too_many("kind:one more", 1, 600)
