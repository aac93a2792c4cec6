"""Messages to open pages, and how often they come; who is reading, over processes."""

import asyncio
import time
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from apps.comments.live import consumers
from apps.comments.live import hub as hubs
from apps.comments.live.hub import Hub
from apps.comments.live.notifications import group_name, message
from apps.comments.live.presence import LocalPresence, Presence, RedisPresence
from tests.services import Redis


class Page:
    def __init__(self, post: int, address: str = "10.0.0.1") -> None:
        self.post, self.address = post, address
        self.heard_at, self.heard = time.monotonic(), 0
        self.told: list[dict[str, Any]] = []
        self.dismissed: list[int] = []

    def tell(self, **news: Any) -> None:
        self.told.append(news)

    def dismiss(self, code: int) -> None:
        self.dismissed.append(code)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "presence", LocalPresence)
    monkeypatch.setattr(hubs, "_last_floors", lambda post_ids: [])


def test_a_rush_of_a_thousand_readers_is_no_storm() -> None:
    async def rush() -> None:
        hub, pages = Hub(), [Page(7, f"10.0.{number % 200}.1") for number in range(1000)]

        async def until_told(**news: int) -> None:
            async with asyncio.timeout(15):
                while pages[0].told[-1:] != [news]:
                    await asyncio.sleep(0.1)

        begun = time.monotonic()
        for page in pages:
            await hub.join(page)
            await asyncio.sleep(0.002)
        await until_told(readers=1000)
        seconds = time.monotonic() - begun
        assert all(len(page.told) <= seconds + 2 for page in pages)
        for page in pages[1:]:
            hub.leave(page)
        await until_told(readers=1)
        hub.leave(pages[0])
        await asyncio.sleep(1.5)
        assert not hub._rooms and hub._running is None and not hub._addresses

    asyncio.run(rush())


def test_a_page_that_connects_slowly_is_told_the_latest_number_of_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    def answered_late(request: Any, reference: str) -> int:
        time.sleep(2.5)  # the readers are counted every second
        return 4

    monkeypatch.setattr(consumers, "_last_floor", answered_late)

    async def meet() -> None:
        other = Page(7)
        await hubs.hub().join(other)
        async with asyncio.timeout(5):
            while not other.told:
                await asyncio.sleep(0.1)
        slow = WebsocketCommunicator(consumers.PostConsumer.as_asgi(), "/ws/article/7/")
        slow.scope["url_route"] = {"kwargs": {"reference": "7"}}
        assert (await slow.connect(timeout=10))[0]
        assert await slow.receive_json_from(timeout=5) == {"floor": 4, "readers": 2}
        await slow.disconnect()
        hubs.hub().leave(other)
        await asyncio.sleep(1.2)

    asyncio.run(meet())


def test_each_hears_of_its_own_post() -> None:
    async def tell() -> None:
        hub, one, other = Hub(), Page(1), Page(2)
        await hub.join(one)
        await hub.join(other)
        await hub._layer.group_send(group_name(1), message(1, floor=3))
        await hub._layer.group_send(group_name(2), message(2, changed=[1], edition="e"))
        await asyncio.sleep(0.1)
        assert (one.told, other.told) == ([{"floor": 3}], [{"changed": [1], "edition": "e"}])
        for page in (one, other):
            hub.leave(page)
        await asyncio.sleep(1.2)

    asyncio.run(tell())


def test_the_silent_are_let_go_and_the_count_of_the_others_begins_anew() -> None:
    async def sweep() -> None:
        hub, silent, fine = Hub(), Page(1), Page(1)
        silent.heard_at -= hubs.SILENT_SECONDS + 1
        fine.heard = hubs.MOST_HEARD
        for page in (silent, fine):
            await hub.join(page)
        hub._dismiss_the_silent()
        assert (silent.dismissed, fine.dismissed, fine.heard) == ([hubs.GONE], [], 0)
        for page in (silent, fine):
            hub.leave(page)
            hub.leave(page)
        await asyncio.sleep(1.2)

    asyncio.run(sweep())


def test_who_is_shut_out_has_no_place_for_a_while() -> None:
    async def knock() -> None:
        hub = Hub()
        hub.shut_out("nuisance", 0.2)
        assert not hub.has_place_for("nuisance") and hub.has_place_for("reader")
        await asyncio.sleep(0.3)
        assert hub.has_place_for("nuisance")
        hub.shut_out("another", 60)
        assert list(hub._shut_out) == ["another"]

    asyncio.run(knock())


@pytest.fixture(params=["alone", pytest.param("together", marks=pytest.mark.redis)])
def presence(request: pytest.FixtureRequest) -> Presence:
    if request.param == "alone":
        return LocalPresence()
    return RedisPresence(request.getfixturevalue("redis_server").client())


def test_a_process_counts_its_own_pages(presence: Presence) -> None:
    many = {post: post % 5 for post in range(1, 1000)}
    assert presence.report(many) == many
    assert presence.report({3: 1}) == {3: 1}
    assert presence.report({3: 0}) == {3: 0}
    assert presence.report({}) == {}


def test_processes_are_added_up_and_a_lost_one_is_not(redis_server: Redis) -> None:
    connection = redis_server.client()
    one, other = RedisPresence(connection), RedisPresence(connection, seconds=1)
    assert one.report({1: 2}) == {1: 2}
    assert other.report({1: 5, 2: 1}) == {1: 7, 2: 1}
    assert RedisPresence(connection).report({1: 1}) == {1: 8}
    time.sleep(2.1)  # nobody hears of the two others any more
    assert other.report({1: 4}) == {1: 4}
    time.sleep(2.1)
    assert connection.keys("blog:readers:*") == []
