"""Open pages and the processes of a fleet: everything written is shown, once and in order, and nobody is harmed."""

import asyncio
import contextlib
import os
import re
import statistics
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar

import pytest
from django.conf import settings
from django.db import connection, connections

from apps.comments.live.consumers import NUISANCES
from apps.comments.models import Comment
from apps.posts.models import Post
from tests.factories import make_comment, make_post
from tests.services import LiveServer, MariaDB, Redis
from tests.websocket import BINARY, Closed, Refused, WebSocket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database("mariadb"), pytest.mark.gunicorn]

COMMENTS = int(os.environ.get("LIVE_COMMENTS", "200"))
PAGES = int(os.environ.get("LIVE_PAGES", "50"))
PATIENCE_SECONDS = 180
LIFE_SECONDS = 25  # between two signs of life, as in static/js/live.js


class OpenPage:
    """A reader's page as static/js/live.js is one: told of a floor, it fetches what it lacks."""

    def __init__(self, post: Post, live_port: int, pages_port: int, address: str) -> None:
        self.post, self.live_port, self.pages_port, self.address = post, live_port, pages_port, address
        self.shown: list[tuple[int, str, float]] = []  # floor, text, time.time()
        self.readers = 0
        self.fetched = 0

    async def read(self, until: int, listening: asyncio.Semaphore) -> None:
        """Stay until that floor is shown."""
        socket = await WebSocket.open(self.live_port, f"/ws/article/{self.post.pk}/", X_Forwarded_For="10.1.1.1")
        last, living = 0, asyncio.create_task(self._live(socket))
        try:
            while last < until:
                news = await socket.hear(PATIENCE_SECONDS)
                self.readers = max(self.readers, news.get("readers", 0))
                if self.readers and not self.shown:
                    listening.release()
                while last < news.get("floor", 0):
                    to = min(last + 20, news["floor"])
                    await self._fetch(last, to)
                    last = to
        finally:
            living.cancel()
            socket.close()

    async def _live(self, socket: WebSocket) -> None:
        while True:
            await asyncio.sleep(LIFE_SECONDS)
            socket.say(b"")

    async def _fetch(self, after: int, to: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.pages_port, local_addr=(self.address, 0))
        path = f"/article/{self.post.pk}/comment/floors/?after={after}&to={to}"
        sent = {"Host": f"127.0.0.1:{self.pages_port}"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"GET {path} HTTP/1.0\r\n{lines}\r\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        assert " 200 " in answer.splitlines()[0], answer[:500]
        self.fetched += 1
        now = time.time()
        for item in answer.split("<li ")[1:]:
            floor, text = re.search(r'id="floor-(\d+)".*?(text \d+-\d+ here)', item, re.DOTALL).groups()
            self.shown.append((int(floor), text, now))


def write(server: str, post: Post, number: int, comments: int) -> None:
    """Send that many comments by the form, each from an address of its own."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    address = f"{server}/article/{post.pk}/comment/"
    form = opener.open(f"{address}?part", timeout=PATIENCE_SECONDS).read().decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    for turn in range(comments):
        said = {"author_name": f"Writer {number}", "author_email": f"w{number}@example.com"}
        data = urllib.parse.urlencode({**hidden, **said, "body": f"text {number}-{turn} here"}).encode()
        headers = {"X-Forwarded-For": f"10.{number}.{turn // 250}.{turn % 250}", "Referer": address}
        request = urllib.request.Request(address, data, headers)
        opener.open(request, timeout=PATIENCE_SECONDS).close()


def test_two_hundred_comments_at_once_are_shown_on_fifty_pages(fleet) -> None:
    running, post = fleet(), make_post()
    live = [server.port for server in running.servers[2:]]
    # nginx counts what an address fetches: each page is somebody else's.
    pages = [OpenPage(post, live[number % 2], running.nginx.port, f"127.0.1.{number}") for number in range(PAGES)]

    async def read() -> None:
        listening = asyncio.Semaphore(0)
        readers = [asyncio.create_task(page.read(COMMENTS, listening)) for page in pages]
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in pages:
                await listening.acquire()
        writers = [
            threading.Thread(target=write, args=(server.url, post, number, COMMENTS // 4))
            for number, server in enumerate(running.servers)
        ]
        for writer in writers:
            writer.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*readers)
        for writer in writers:
            writer.join(PATIENCE_SECONDS)

    asyncio.run(read())
    stored = list(Comment.objects.order_by("floor").values_list("floor", "body", "created_at"))
    assert [floor for floor, _body, _at in stored] == list(range(1, COMMENTS + 1))
    assert len({body for _floor, body, _at in stored}) == COMMENTS
    post.refresh_from_db()
    assert (post.comment_count, post.last_floor) == (COMMENTS, COMMENTS)
    expected = [(floor, body) for floor, body, _at in stored]
    for page in pages:
        assert [(floor, text) for floor, text, _at in page.shown] == expected
    assert max(page.readers for page in pages) == PAGES
    # From before the commit, in fact: created_at is taken when the row is written.
    written = {floor: at.timestamp() for floor, _body, at in stored}
    delays = sorted(at - written[floor] for page in pages for floor, _text, at in page.shown)
    print(
        f"\n{COMMENTS} comments by 4 processes to {PAGES} open pages: shown after {statistics.median(delays) * 1000:.0f} ms"
        f" (median), {delays[int(0.95 * len(delays))] * 1000:.0f} ms (p95), {delays[-1] * 1000:.0f} ms (worst);"
        f" {sum(page.fetched for page in pages)} fetches,"
        f" {COMMENTS / (max(written.values()) - min(written.values())):.0f} comments a second"
    )


# -- One server ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["gunicorn", "daphne"])
def live(
    request: pytest.FixtureRequest, member: Redis, mariadb_server: MariaDB, transactional_db: None
) -> Iterator[LiveServer]:
    url = mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"])
    environ = {"DATABASE_URL": url, "REDIS_URL": member.url, "TRUSTED_PROXIES": "1", "LIVE_PAGES_PER_ADDRESS": "3"}
    environ["SECRET_KEY"] = settings.SECRET_KEY  # of which the addresses of unlisted posts are made
    with LiveServer(request.param, **environ) as server:
        yield server


def path_of(post: Post | None) -> str:
    return f"/ws/article/{post.reference if post else 999_999}/"


async def in_a_thread(function: Callable, *arguments: object) -> None:
    def run() -> None:
        try:
            function(*arguments)
        finally:
            connections.close_all()

    await asyncio.to_thread(run)


async def until_closed(socket: WebSocket) -> None:
    while True:
        await socket.hear()


async def answers_of(socket: WebSocket) -> int:
    """How many messages come until the server closes."""
    answers = 0
    with contextlib.suppress(Closed, ConnectionError):
        while True:
            await socket.hear()
            answers += 1
    return answers


def test_who_may_not_read_the_post_is_refused(live: LiveServer) -> None:
    refused = [make_post(status="draft"), make_post(status="private"), make_post(password="open sesame"), None]
    unlisted = make_post(status="unlisted")
    welcome = [make_post(), unlisted]

    async def knock() -> None:
        for post in refused:
            with pytest.raises(Refused, match="403"):
                await WebSocket.open(live.port, path_of(post), Cookie="sessionid=nonsense")
        for guess in (f"{unlisted.pk}", f"{unlisted.pk}-{'0' * 20}"):
            with pytest.raises(Refused, match="403"):
                await WebSocket.open(live.port, f"/ws/article/{guess}/")
        for post in welcome:
            socket = await WebSocket.open(live.port, path_of(post), Cookie="sessionid='; DROP TABLE; =,")
            assert (await socket.hear())["floor"] == 0
            socket.close()

    asyncio.run(knock())
    assert "Traceback" not in live.log


def test_a_nuisance_harms_nobody(live: LiveServer) -> None:
    post = make_post()

    async def annoy() -> None:
        reader = await WebSocket.open(live.port, path_of(post), X_Forwarded_For="10.0.0.1")
        assert (await reader.hear())["floor"] == 0
        for number, (payload, kind) in enumerate(
            [(b"x" * 2000, 1), (b"\xff" * 10_000_000, BINARY), (b"\xff\xfe", 1), (b"", 7), (b"." * 200, 9)]
        ):
            nuisance = await WebSocket.open(live.port, path_of(post), X_Forwarded_For=f"10.0.1.{number}")
            nuisance.say(payload, kind)
            with pytest.raises((Closed, ConnectionError)):
                await until_closed(nuisance)
            nuisance.close()
        silent = [await asyncio.open_connection("127.0.0.1", live.port) for _ in range(20)]
        noisy = await WebSocket.open(live.port, path_of(post), X_Forwarded_For="10.0.2.1")
        for _ in range(500):
            noisy.say(b"null")
        reader.say(b".")
        await in_a_thread(make_comment, post, "Still here.")
        while "floor" not in (news := await reader.hear()):
            pass
        assert news["floor"] == 1
        with pytest.raises((Closed, ConnectionError)):
            await until_closed(noisy)
        for _reader, writer in silent:
            writer.close()
        reader.close()

    asyncio.run(annoy())
    assert "Traceback" not in live.log


def test_a_page_that_never_stops_talking_is_let_go_at_once_and_shut_out_in_the_end(live: LiveServer) -> None:
    post = make_post()

    async def talk() -> None:
        for number in range(NUISANCES + 1):  # from one network
            noisy = await WebSocket.open(live.port, path_of(post), X_Forwarded_For=f"2001:db8::{number}")
            for _ in range(500):
                noisy.say(b"")
            assert await answers_of(noisy) <= 10  # of 500: how far the post is, its readers, a sign of life a second
            noisy.close()
        await asyncio.sleep(1)
        with pytest.raises(Refused):
            await WebSocket.open(live.port, path_of(post), X_Forwarded_For="2001:db8::ffff")
        reader = await WebSocket.open(live.port, path_of(post), X_Forwarded_For="2001:db8:0:1::1")
        assert (await reader.hear())["floor"] == 0
        reader.close()

    asyncio.run(talk())
    assert "Traceback" not in live.log


def test_a_page_of_another_origin_is_refused(live: LiveServer) -> None:
    post = make_post()

    async def knock() -> None:
        for origin in ("http://localhost:9999", "https://evil.example", "null"):
            with pytest.raises(Refused, match="403"):
                await WebSocket.open(live.port, path_of(post), Origin=origin)

    asyncio.run(knock())


def test_an_address_has_its_share(live: LiveServer) -> None:
    post = make_post()

    async def crowd() -> None:
        held = [await WebSocket.open(live.port, path_of(post), X_Forwarded_For="9.9.9.9, 10.0.0.1") for _ in range(3)]
        with pytest.raises(Refused):
            await WebSocket.open(live.port, path_of(post), X_Forwarded_For="8.8.8.8, 10.0.0.1")
        other = await WebSocket.open(live.port, path_of(post), X_Forwarded_For="9.9.9.9, 10.0.0.2")
        while (await other.hear()).get("readers") != 4:
            pass
        held.pop().close()
        while (await other.hear()).get("readers") != 3:
            pass
        again = await WebSocket.open(live.port, path_of(post), X_Forwarded_For="10.0.0.1")
        for socket in [*held, other, again]:
            socket.close()

    asyncio.run(crowd())


def test_a_redis_that_restarts_closes_nobody_and_loses_no_floor(live: LiveServer, member: Redis) -> None:
    post = make_post()

    async def restart() -> None:
        reader = await WebSocket.open(live.port, path_of(post))
        assert (await reader.hear())["floor"] == 0
        member.stop()
        await in_a_thread(make_comment, post, "Said while Redis was away.")
        member.start()
        while "floor" not in (news := await reader.hear(30)):
            pass
        assert news["floor"] == 1
        reader.close()

    asyncio.run(restart())
