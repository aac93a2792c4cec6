"""The pages that lie open in this process, by post, and what they are told.

One subscription a post and one task for all of them: what arrives is handed on in memory, and the readers of all posts
are counted in one round trip a second, however many come and go.
"""

import asyncio
import logging
import time
from collections import Counter
from typing import Protocol, Unpack, cast
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings

from apps.core.observability import metrics
from apps.core.redis.clients import RedisError
from apps.posts.models import Post

from .notifications import News, group_name, message
from .presence import HEARTBEAT_SECONDS, presence

# Between two messages to a post's pages: in a rush all are told the same, and what they fetch is rendered once.
PAUSE_SECONDS = 0.2
TICK_SECONDS = 1  # a post's open pages are told of readers that often at most
SILENT_SECONDS = 90  # a page says something every 25; one that doesn't is a connection without anybody behind it
MOST_HEARD = 60  # messages of a page between two heartbeats; one more, and it is let go
GONE, TOO_MUCH = 4408, 4429  # close codes, like the HTTP status

logger = logging.getLogger(__name__)


class OpenPage(Protocol):
    post: int
    address: str  # a digest of its neighbourhood
    heard_at: float  # time.monotonic()
    heard: int  # since the last heartbeat

    def tell(self, **news: Unpack[News]) -> None: ...

    def dismiss(self, code: int) -> None: ...


def merged(news: News, more: News) -> News:
    """Return one message that says what two do, the second having come later."""
    both = news | more
    if "floor" in both:
        both["floor"] = max(news.get("floor", 0), more.get("floor", 0))
    if "changed" in both:
        both["changed"] = sorted({*news.get("changed", ()), *more.get("changed", ())})
    return both


class Room:
    """The open pages of one post."""

    __slots__ = ("floor", "joined", "news", "next_at", "pages", "readers", "told")

    def __init__(self) -> None:
        self.pages: set[OpenPage] = set()
        self.floor = 0  # the highest that was heard of
        self.news: News = {}  # to be told in a moment
        self.next_at = 0.0  # when the pages may be told again, by the loop's clock
        self.readers: int | None = None  # of all processes
        self.told: int | None = None  # the number that the pages were told last
        self.joined = True  # or left, since the readers were counted


class Hub:
    def __init__(self) -> None:
        self._layer = get_channel_layer()
        self._rooms: dict[int, Room] = {}
        self._addresses: Counter[str] = Counter()
        self._shut_out: dict[str, float] = {}  # until when, by time.monotonic()
        self._channel = ""
        self._opening_channel = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._counts = True  # a failure is told once

    def has_place_for(self, address: str) -> bool:
        """Whether another page of that address is taken; they are counted by process."""
        if self._shut_out.get(address, 0) > time.monotonic():
            return False
        return self._addresses[address] < settings.LIVE_PAGES_PER_ADDRESS

    def shut_out(self, address: str, seconds: float) -> None:
        """Take no page of that address for so long."""
        now = time.monotonic()
        self._shut_out = {one: until for one, until in self._shut_out.items() if until > now}
        self._shut_out[address] = now + seconds

    async def join(self, page: OpenPage) -> int | None:
        """Let the page hear of its post from now on; return how many read it, None when nobody knows yet.

        Whoever joins leaves, also when this fails. Raises RedisError when the post can't be listened to.
        """
        room = self._rooms.setdefault(page.post, Room())
        room.pages.add(page)
        room.joined = True
        self._addresses[page.address] += 1
        metrics.websockets.inc()
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await self._listen_to(page.post)
        return room.readers

    def leave(self, page: OpenPage) -> None:
        """Forget the page; nothing happens when it has left already."""
        room = self._rooms.get(page.post)
        if room is None or page not in room.pages:
            return
        room.pages.discard(page)
        metrics.websockets.dec()
        room.joined = True
        self._addresses[page.address] -= 1
        if self._addresses[page.address] <= 0:
            del self._addresses[page.address]

    async def _listen_to(self, post: int) -> None:
        """Begin, or make sure (the layer in memory forgets who listens after a day)."""
        async with self._opening_channel:
            if not self._channel:
                self._channel = await self._layer.new_channel()
                self._listening = asyncio.create_task(self._listen(self._channel))
        await self._layer.group_add(group_name(post), self._channel)

    async def _listen(self, channel: str) -> None:
        while True:
            told = await self._layer.receive(channel)
            room = self._rooms.get(told["post"])
            if room is None:
                continue
            if "readers" in told:
                room.readers = told["readers"]  # the pages hear of it at the next tick
            else:
                news = {name: told[name] for name in ("floor", "changed", "edition") if name in told}
                self._pass_on(room, cast(News, news))

    def _pass_on(self, room: Room, news: News) -> None:
        room.floor = max(room.floor, news.get("floor", 0))
        if not room.news:
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), room.next_at), self._tell, room)
        room.news = merged(room.news, news)

    def _tell(self, room: Room) -> None:
        news, room.news = room.news, {}
        room.next_at = asyncio.get_running_loop().time() + PAUSE_SECONDS
        for page in list(room.pages):
            page.tell(**news)

    async def _run(self) -> None:
        """Once a second for as long as pages are open."""
        heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
        while self._rooms:
            await asyncio.sleep(TICK_SECONDS)
            try:
                is_heartbeat = time.monotonic() >= heartbeat_at
                if is_heartbeat:
                    heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
                    self._dismiss_the_silent()
                    await self._tell_what_was_missed()
                await self._count(is_heartbeat)
                self._counts = True
            except Exception:  # Redis or the database away; whatever it is, the next second is another
                if self._counts:
                    logger.warning("Open pages can't be looked after at the moment.", exc_info=True)
                self._counts = False
        if self._listening is not None:
            self._listening.cancel()
        self._running, self._listening, self._channel = None, None, ""

    async def _count(self, everywhere: bool) -> None:
        rooms = {post: room for post, room in self._rooms.items() if everywhere or room.joined}
        for room in rooms.values():
            room.joined = False
        try:
            counted = {post: len(room.pages) for post, room in rooms.items()}
            readers = await asyncio.to_thread(presence().report, counted) if rooms else {}
        except RedisError:
            for room in rooms.values():
                room.joined = True
            raise
        for post, room in rooms.items():
            if everywhere and room.pages:
                await self._listen_to(post)
            if readers[post] != room.readers:
                room.readers = readers[post]
                await self._layer.group_send(group_name(post), message(post, readers=room.readers))
            if not room.pages and not room.joined:
                del self._rooms[post]
                await self._layer.group_discard(group_name(post), self._channel)
        for room in self._rooms.values():
            if room.readers != room.told:
                room.told = room.readers
                for page in list(room.pages):
                    page.tell(readers=room.readers)

    async def _tell_what_was_missed(self) -> None:
        """A message may be lost, when Redis restarts for one: look how far the posts have come (1 query)."""
        for post, floor in await database_sync_to_async(_last_floors)(list(self._rooms)):
            room = self._rooms.get(post)
            if room is not None and floor > room.floor:
                self._pass_on(room, {"floor": floor})

    def _dismiss_the_silent(self) -> None:
        now = time.monotonic()
        for room in self._rooms.values():
            for page in list(room.pages):
                if now - page.heard_at > SILENT_SECONDS:
                    page.dismiss(GONE)
                page.heard = 0


def _last_floors(post_ids: list[int]) -> list[tuple[int, int]]:
    return list(Post.objects.filter(pk__in=post_ids).values_list("pk", "last_floor"))


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """Return the running event loop's, of which a server has one."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
