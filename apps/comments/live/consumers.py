"""The websocket of a page that lies open."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any, Unpack

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from apps.core.http import rates
from apps.core.http.request_info import client_address
from apps.core.redis.clients import RedisError
from apps.posts.models import Post
from apps.posts.passwords import is_unlocked
from apps.posts.references import is_referred_to, number_in

from .hub import MOST_HEARD, TOO_MUCH, hub, merged
from .notifications import News

MAX_MESSAGE_BYTES = 1024
ANSWER_SECONDS = 1  # between two answers to signs of life
# Of one neighbourhood of addresses: a page that is opened, or comes back, is one handshake.
HANDSHAKES, HANDSHAKES_PER_PAGE, HANDSHAKE_SECONDS = 60, 3, 60
NUISANCES, NUISANCE_SECONDS = 5, 600  # pages that were dismissed for what they sent
SEND_SECONDS = 10  # a page that takes nothing for so long is let go
REFUSED, TOO_BIG, AWAY = 4404, 4413, 4503  # servers let an application name codes from 4000 only

logger = logging.getLogger(__name__)


class PostConsumer(AsyncWebsocketConsumer):
    """Tells a page `{"floor": n}`, the last floor handed out, when it comes and with each that is added;
    `{"changed": [n, …], "edition": …}`, floors to look at again; `{"readers": n}`, how many have the post open.

    No more than numbers: a comment's text, even an address, would tell of a post that not everybody may read. Who may
    not open the post is refused. What a page says is only a sign of life, answered by an empty message; several things
    to tell become one message when the page is slow to take them, so no page needs more memory than another.
    """

    channel_layer_alias = None  # the hub listens for all pages

    async def __call__(
        self,
        scope: dict[str, object],
        receive: Callable[[], Awaitable[object]],
        send: Callable[[object], Awaitable[None]],
    ) -> None:
        self.joined = False
        self._sender: asyncio.Task[None] | None = None
        try:
            await super().__call__(scope, receive, send)
        finally:  # also when the server cuts it off
            self._leave()

    async def connect(self) -> None:
        reference = self.scope["url_route"]["kwargs"]["reference"]
        self.post = number_in(reference)
        request = _request(self.scope)
        self.address = rates.neighbourhood(client_address(request))
        self.heard_at, self.heard = time.monotonic(), 0
        self._answered_at = 0.0
        self._news: News = {}
        self._has_news = asyncio.Event()
        most = HANDSHAKES + HANDSHAKES_PER_PAGE * settings.LIVE_PAGES_PER_ADDRESS
        if not hub().has_place_for(self.address) or await _is_one_too_many(
            f"live:handshake:{self.address}", most, HANDSHAKE_SECONDS
        ):
            await self.close(TOO_MUCH)
            return
        self.joined = True
        try:
            # First the ears, then the question: what is added in between is heard.
            readers = await hub().join(self)
            floor = await database_sync_to_async(_last_floor)(request, reference)
        except (RedisError, OSError, DatabaseError):
            logger.warning("An open page could not be connected.", exc_info=True)
            self._leave()
            await self.close(AWAY)
            return
        if floor is None:
            self._leave()
            await self.close(REFUSED)
            return
        await self.accept()
        # News of the post may have arrived while the question was answered: they are newer than what join() returned.
        first: News = {"floor": floor, "readers": readers} if readers else {"floor": floor}
        self._news = merged(first, self._news)
        self._has_news.set()
        self._sender = asyncio.create_task(self._send_news())

    async def disconnect(self, code: int) -> None:
        self._leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        if not self.joined:  # dismissed; what was on its way still arrives
            return
        self.heard_at = time.monotonic()
        self.heard += 1
        if len(text_data or bytes_data or "") > MAX_MESSAGE_BYTES:
            self.dismiss(TOO_BIG)
        elif self.heard > MOST_HEARD:
            self.dismiss(TOO_MUCH)
        elif self.heard_at - self._answered_at >= ANSWER_SECONDS:
            self._answered_at = self.heard_at
            self.tell()

    def tell(self, **news: Unpack[News]) -> None:
        """Add to what the page will be told next."""
        self._news = merged(self._news, news)
        self._has_news.set()

    def dismiss(self, code: int) -> None:
        """Close the connection soon; the page counts no longer."""
        self._leave()
        self._closing = asyncio.create_task(self._close(code))
        if code in (TOO_BIG, TOO_MUCH):
            # A task of its own: a server may end the other together with the connection.
            self._counting = asyncio.create_task(self._count_nuisance())

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.close(code)
        except Exception:  # whatever servers raise when there is nobody any more
            logger.debug("A page was gone before it was let go.", exc_info=True)

    async def _count_nuisance(self) -> None:
        if await _is_one_too_many(f"live:nuisance:{self.address}", NUISANCES, NUISANCE_SECONDS):
            hub().shut_out(self.address, NUISANCE_SECONDS)

    async def _send_news(self) -> None:
        try:
            while await self._has_news.wait():
                self._has_news.clear()
                news, self._news = self._news, {}
                async with asyncio.timeout(SEND_SECONDS):
                    await self.send(text_data=json.dumps(news, separators=(",", ":")))
        except Exception:  # as above; a connection that takes nothing times out
            logger.debug("A page could not be told.", exc_info=True)
            self._sender = None
            self.dismiss(AWAY)

    def _leave(self) -> None:
        if self.joined:
            self.joined = False
            hub().leave(self)
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None


async def _is_one_too_many(key: str, most: int, seconds: int) -> bool:
    return await database_sync_to_async(rates.is_one_too_many)(key, most, seconds)


def _request(scope: dict[str, object]) -> HttpRequest:
    """The handshake as the request it is, with a session and a user that are read when somebody looks."""
    request = ASGIRequest({**scope, "type": "http", "method": "GET"}, BytesIO())
    for middleware in (SessionMiddleware, AuthenticationMiddleware):
        middleware(lambda request: HttpResponse()).process_request(request)
    return request


def _last_floor(request: HttpRequest, reference: str) -> int | None:
    """The post's last floor; None when this reader may not open the post (1 query, with a session or password more)."""
    post = Post.objects.for_live(number_in(reference))
    if post is None or not (is_referred_to(request, post, reference) and is_unlocked(request, post)):
        return None
    return post.last_floor
