"""Every address that a stranger may call: its worst input, what that costs, and after how often 429 is answered.

A new address fails here until it has a row. Costs are processor time of this thread, compared with work of the same
kind that runs between the calls, so that a slow or a busy machine slows both; pages are rendered, none is kept
(PAGE_CACHE_BYTES is 0 within a transaction).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from time import thread_time
from typing import Any
from urllib.parse import parse_qsl

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver
from pytest_django import Settings

from apps.comments.live.consumers import (
    HANDSHAKES,
    HANDSHAKES_PER_PAGE,
    MAX_MESSAGE_BYTES,
    NUISANCES,
    TOO_BIG,
    TOO_MUCH,
)
from apps.comments.mail.links import stop_url
from apps.comments.models import Comment
from apps.comments.ownership import remember
from apps.comments.routing import websocket_urlpatterns
from apps.comments.spam.limits import EDITS, PREVIEWS_PER_MINUTE
from apps.comments.spam.stamps import stamp
from apps.components.forms import SIGN_INS
from apps.components.services import new_setup_token
from apps.core import resilience
from apps.core.http.requests import WATCHING
from apps.posts.addresses import REFERENCE
from apps.posts.media import share_images
from apps.posts.models import Post
from apps.posts.pages.sitemaps import SITEMAPS
from apps.posts.pages.views import PASSWORDS, SEARCHES, SUGGESTIONS
from blog_xtg.asgi import application
from blog_xtg.urls import urlpatterns
from tests.factories import make_comment, make_post

# A short request may cost as much as four loops of some 20 ms; a test's client and its counting are half of that. The
# largest body costs what Python needs to read the form (some 45 ms), and what is answered to it.
MOST_LOOPS = 4
MOST_READINGS = 3
MOST_BYTES = 256 * 1024  # of a body outside the admin: nginx and the solo server take no more
WORST_HEADERS = {
    "accept-language": "fr, " * 110 + "xh, xn, h-n, n-h, zh-" + "a" * 30,
    "user-agent": "Mozilla/5.0 (compatible; " + "bo t/crawl; " * 38,
    "accept-encoding": "gzip;q=0.1, " * 40,
    "if-none-match": 'W/"a-gzip", ' * 40,
}
RANDOM_WORDS = [f"{chr(97 + n % 26)}{chr(97 + n * 7 % 26)}" for n in range(3000)]


@dataclass
class Blog:
    """The blog that the rows ask about."""

    post: Post
    locked: Post
    own: Comment  # which this stranger wrote just now
    client: Client
    number: int = 0

    def next(self) -> int:
        self.number += 1
        return self.number

    def get(self, path: str) -> HttpResponse:
        return self.client.get(path, headers=self._headers())

    def send(self, path: str, data: Any, **more: Any) -> HttpResponse:
        return self.client.post(path, data, headers=self._headers(), **more)

    def _headers(self) -> dict[str, str]:
        """The worst there are, and never the same: what is remembered of others is no help."""
        return {name: f"{self.next()}{value}" for name, value in WORST_HEADERS.items()}

    @property
    def path(self) -> str:
        return f"/article/{self.post.pk}"


Ask = Callable[[Blog], HttpResponse]


@dataclass(frozen=True)
class Row:
    """`ask` sends the worst 500 bytes, each time others; `limit` is after how many 429 is answered, None for never.

    `counted_by` names what else bounds it. A row with neither must be cheap.
    """

    ask: Ask
    limit: int | None = None
    counted_by: str = ""
    body: Ask | None = None  # the largest allowed


def page(path: str) -> Row:
    return Row(lambda blog: blog.get(f"{path}?{'&'.join(f'x{blog.next()}={n}' for n in range(40))}"))


def of_post(end: str) -> Row:
    return Row(lambda blog: blog.get(f"{blog.path}/{end}?{'x=%00&' * 80}"))


def _search(path: str) -> Ask:
    def ask(blog: Blog) -> HttpResponse:
        words = RANDOM_WORDS[33 * blog.next() % 2900 :][:33]
        return blog.get(f'{path}?q="{" ".join(words)}"'.replace(" ", "+"))

    return ask


def _sign_in(blog: Blog) -> HttpResponse:
    answer = blog.send("/admin/login/", {"username": f"owner{blog.next()}", "password": "guessed"})
    if "次数过多" in answer.content.decode():
        answer.status_code = 429  # the form stays where it is, with a sentence
    return answer


def _comment(blog: Blog) -> HttpResponse:
    fields = {
        "author_name": "Ada",
        "author_email": "a@example.com",
        "body": f"{'[*' * 200}{blog.next()}",
        "opened": stamp(blog.post.pk, 60),
    }
    return blog.send(f"{blog.path}/comment/", fields)


def _edit(blog: Blog) -> HttpResponse:
    return blog.send(f"{blog.path}/comment/{blog.own.floor}/edit/", {"body": f"{'[*' * 230}{blog.next()}"})


def _react(blog: Blog) -> HttpResponse:
    body = json.dumps({"kind": "like", "floors": [1, 500], "visitor": "x" * 400})
    return blog.send(f"{blog.path}/reactions/", body, content_type="application/json")


# As large a form as gets in: few long fields, of signs that take long to decode.
LARGEST_FORM = "&".join(f"f{n}={'%E4%B8%AD' * 31}" for n in range(MOST_BYTES // 285))


def _large(path: str) -> Ask:
    def ask(blog: Blog) -> HttpResponse:
        where = path.format(post=blog.path, locked=blog.locked.get_absolute_url())
        return blog.send(where, LARGEST_FORM, content_type="application/x-www-form-urlencoded")

    return ask


PAGES = {
    "posts:home": "/",
    "posts:tags": "/tags/",
    "posts:tag": f"/tag/{'%E4%B8%AD' * 20}/",
    "posts:archive": "/archive/",
    "posts:source": "/source/1/",
    "components:links": "/links/",
    "robots.txt": "/robots.txt",
    "favicon.ico": "/favicon.ico",
    "super/init": "/super/init",
    "super/init/": "/super/init/",
    "posts:feed": "/feed/",
    "posts:feed-atom": "/feed/atom/",
    "posts:feed-json": "/feed/json/",
    "posts:tag-feed": "/tag/news/feed/",
    "posts:tag-feed-atom": "/tag/news/feed/atom/",
    "posts:tag-feed-json": "/tag/news/feed/json/",
    "posts:category-feed": "/category/1/x/feed/",
    "posts:category-feed-atom": "/category/1/x/feed/atom/",
    "posts:category-feed-json": "/category/1/x/feed/json/",
    "posts:category": f"/category/1/{'x' * 400}/",
    "comments:feed": "/comments/feed/",
    "comments:feed-atom": "/comments/feed/atom/",
    "comments:mail-confirm": f"/comments/mail/confirm/{'x:' * 200}/",
    "comments:mine": "/comments/mine/",
    "components:stylesheet": f"/style-{'a' * 400}.css",
    "^static/(?P<path>.+)$": f"/static/{'../' * 100}etc/passwd",
    "^media/(?P<path>.+)$": f"/media/{'%2e%2e/' * 60}etc/passwd",
    "^article/(?P<pk>[0-9]{1,18})/?$": "/article/999999999999999999",
    "^category/(?P<pk>[0-9]{1,18})/?$": "/category/1",
    "^type/(?P<pk>[0-9]{1,18})/articles/?$": "/type/1/articles",
    "^source/(?P<pk>[0-9]{1,18})(?:/articles/?)?$": "/source/1/articles",
}
TABLE: dict[str, Row] = {
    **{name: page(path) for name, path in PAGES.items()},
    "posts:detail": Row(
        lambda blog: blog.send(blog.locked.get_absolute_url(), {"password": f"{'中' * 150}{blog.next()}"}),
        PASSWORDS,
        body=_large("{locked}"),
    ),
    "posts:share-image": Row(lambda blog: blog.get(f"{blog.path}/card.png?v={blog.next()}"), counted_by="drawn once"),
    "posts:search": Row(_search("/search/"), SEARCHES),
    "posts:suggest": Row(_search("/search/suggest/"), SUGGESTIONS),
    "posts:sitemap": Row(lambda blog: blog.get("/sitemap.xml"), SITEMAPS),
    "posts:sitemap-posts": Row(lambda blog: blog.get("/sitemap-posts-1.xml"), SITEMAPS),
    "posts:sitemap-lists": Row(lambda blog: blog.get("/sitemap-lists-1.xml"), SITEMAPS),
    "comments:add": Row(_comment, 10, body=_large("{post}/comment/")),
    "comments:preview": Row(
        lambda blog: blog.send(f"{blog.path}/comment/preview/?part", {"body": "[*" * 240}),
        PREVIEWS_PER_MINUTE,
        body=_large("{post}/comment/preview/?part"),
    ),
    "comments:edit": Row(_edit, EDITS, body=_large("{post}/comment/1/edit/")),
    "comments:delete": of_post("comment/1/delete/"),
    "comments:held": of_post("comment/held/"),
    "comments:floors": Row(lambda blog: blog.get(f"{blog.path}/comment/floors/?after=0&to=20&edition={blog.next()}")),
    "comments:moderate": Row(lambda blog: blog.send(f"{blog.path}/comment/1/moderate/", {"decision": "spam" * 100})),
    "comments:undo": Row(lambda blog: blog.send("/comments/undo/", {"token": "x:" * 200, "next": "//" * 20})),
    "comments:reactions": Row(_react, settings.REACTION_VISITORS_PER_HOUR),
    "comments:post-feed": of_post("comments/feed/"),
    "comments:post-feed-atom": of_post("comments/feed/atom/"),
    "comments:mail-stop": Row(
        lambda blog: blog.send(stop_url("0" * 32).removeprefix(settings.SITE_URL), {"List-Unsubscribe": "One-Click"})
    ),
    "components:language": Row(
        lambda blog: blog.send("/language/", {"language": f"en{blog.next()}", "next": "/\\" * 80}),
        body=_large("/language/"),
    ),
    "components:setup": Row(lambda blog: blog.send("/setup/", {"token": "x" * 400}), body=_large("/setup/")),
    "stats:beacon": Row(
        lambda blog: blog.send(
            "/stats/view",
            json.dumps({"post": blog.post.pk, "referrer": f"https://{'a.' * 120}{blog.next()}.example/"}),
            content_type="text/plain",
        ),
        body=_large("/stats/view"),
    ),
    "admin:login": Row(_sign_in, SIGN_INS, body=_large("/admin/login/")),
    "/healthz": page("/healthz"),
    "/readyz": page("/readyz"),
    "/metrics": page("/metrics"),
}
# Websockets, and how a post's is asked for: see the tests of handshakes and messages below.
LIVE = {rf"^ws/article/{REFERENCE}/$": "/ws/article/{post}/"}


# -- Which addresses there are ----------------------------------------------------------------------------------------


def addresses(patterns: Any, namespace: str = "", prefix: str = "") -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield name (or pattern), whole pattern and view of each."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            within = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, within, route)
        elif isinstance(pattern, URLPattern):
            yield (f"{namespace}{pattern.name}" if pattern.name else str(pattern.pattern)), route, pattern.callback


def test_every_address_that_a_stranger_may_call_has_a_row() -> None:
    open_to_all = {name for name, route, _view in addresses(urlpatterns) if not route.startswith("admin/")}
    assert TABLE.keys() == open_to_all | {"admin:login"} | WATCHING.keys()
    assert LIVE.keys() == {str(pattern.pattern) for pattern in websocket_urlpatterns}


@pytest.mark.django_db
def test_the_admin_opens_nothing_but_the_sign_in_to_strangers(client: Client) -> None:
    asked = 0
    for name, route, _view in addresses(urlpatterns):
        if not route.startswith("admin/") or name in {"admin:login", "admin:logout"}:
            continue
        path = route.replace("(?P<url>.*)$", "x")
        for part, value in (("<path:object_id>", "1"), ("<id>", "1"), ("<int:content_type_id>", "1")):
            path = path.replace(part, value)
        asked += 1
        path = "/" + path.replace("^", "").replace("$", "")
        answer = client.get(path)
        assert answer.status_code in {302, 301, 403, 404, 405}, (name, path, answer.status_code)
        if answer.status_code == 302:
            assert "/admin/login/" in answer["Location"] or answer["Location"].startswith("/admin/"), path
    assert asked > 20


# -- What they cost -----------------------------------------------------------------------------------------------------


@pytest.fixture
def blog(client: Client) -> Blog:
    client.raise_request_exception = False
    client.defaults["REMOTE_ADDR"] = "8.8.8.8"
    new_setup_token()
    posts = [make_post(title=f"Post {n}", tags=("news",), body="中文 and words.\n\n" * 40) for n in range(12)]
    for _ in range(20):
        own = make_comment(posts[0], "A **thought**, *said* at `length`. " * 10)
    remember(answer := HttpResponse(), posts[0], own)
    client.cookies.update(answer.cookies)
    return Blog(posts[0], make_post(password="open sesame"), own, client)


def loop() -> None:
    total = 0
    for number in range(200_000):
        total += number * number % 7


def read_the_form() -> None:
    parse_qsl(LARGEST_FORM)


def seconds_of(work: Callable[[], object]) -> float:
    begun = thread_time()
    work()
    return thread_time() - begun


def too_dear(asks: dict[str, Ask], blog: Blog, reference: Callable[[], None], most: int) -> dict[str, float]:
    """Those that cost more than `most` times the reference, and how many times as much.

    Each is asked once, which fills caches that strangers can't empty, then the best of three counts.
    """
    costs = {}
    for name, ask in asks.items():
        ask(blog)
        pairs = [(seconds_of(reference), seconds_of(lambda ask=ask: ask(blog))) for _ in range(3)]
        costs[name] = round(min(cost for _, cost in pairs) / min(beside for beside, _ in pairs), 2)
    print(costs)
    return {name: times for name, times in costs.items() if times > most}


@pytest.mark.django_db
@pytest.mark.one_database
def test_the_worst_of_500_bytes_is_cheap(blog: Blog) -> None:
    assert not too_dear({name: row.ask for name, row in TABLE.items()}, blog, loop, MOST_LOOPS)


@pytest.mark.django_db
@pytest.mark.one_database
def test_the_largest_body_is_cheap(blog: Blog) -> None:
    bodies = {name: row.body for name, row in TABLE.items() if row.body}
    assert not too_dear(bodies, blog, read_the_form, MOST_READINGS)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.limit])
def test_so_often_and_no_more(name: str, blog: Blog) -> None:
    row = TABLE[name]
    assert row.limit
    statuses = [row.ask(blog).status_code for _ in range(row.limit)]
    assert 429 not in statuses and not {status for status in statuses if status >= 500}
    refused = row.ask(blog)
    assert refused.status_code == 429
    assert "public" not in refused.get("Cache-Control", "")
    resilience.reset_all()
    assert row.ask(blog).status_code == statuses[-1]


@pytest.mark.django_db
def test_a_card_is_drawn_once_whatever_a_stranger_asks(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    blog.post.title = "Drawn anew"
    blog.post.save()
    drawn: list[Any] = []
    monkeypatch.setattr(share_images, "draw", lambda *arguments: drawn.append(arguments) or b"picture")
    answers = [blog.get(f"{blog.path}/card.png?v={number}&{number}") for number in range(20)]
    assert {answer.status_code for answer in answers} == {200} and len(drawn) == 1


# -- Pages that lie open ------------------------------------------------------------------------------------------------


async def _open(path: str) -> tuple[ApplicationCommunicator, int]:
    """Shake hands as a page of ours does; return the connection and 101, or the code by which it was closed."""
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "client": ["8.8.8.8", 1]}
    page = ApplicationCommunicator(application, scope)
    await page.send_input({"type": "websocket.connect"})
    answer = await page.receive_output(20)
    return page, 101 if answer["type"] == "websocket.accept" else answer["code"]


async def _leave(page: ApplicationCommunicator) -> None:
    await page.send_input({"type": "websocket.disconnect", "code": 1000})
    await page.wait(20)


def _run(live: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(live())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", LIVE.values())
def test_so_many_handshakes_and_no_more(path: str, settings: Settings) -> None:
    settings.LIVE_PAGES_PER_ADDRESS = 5
    path = path.format(post=make_post().pk)

    async def shake() -> int:
        page, code = await _open(path)
        await _leave(page)
        return code

    async def live() -> None:
        assert {await shake() for _ in range(HANDSHAKES + HANDSHAKES_PER_PAGE * 5)} == {101}
        assert await shake() == TOO_MUCH
        resilience.reset_all()
        assert await shake() == 101

    _run(live)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", LIVE.values())
def test_so_many_open_pages_and_no_more(path: str, settings: Settings) -> None:
    settings.LIVE_PAGES_PER_ADDRESS = 5
    path = path.format(post=make_post().pk)

    async def live() -> None:
        held = [await _open(path) for _ in range(5)]
        assert {code for _page, code in held} == {101}
        assert (await _open(path))[1] == TOO_MUCH
        await _leave(held.pop()[0])
        assert (await _open(path))[1] == 101

    _run(live)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", LIVE.values())
def test_so_many_pages_are_dismissed_and_then_no_more_is_taken(path: str) -> None:
    path = path.format(post=make_post().pk)

    async def dismissed() -> int:
        page, code = await _open(path)
        if code != 101:
            return code
        await page.send_input({"type": "websocket.receive", "text": "x" * (MAX_MESSAGE_BYTES + 1)})
        while (said := await page.receive_output(20))["type"] != "websocket.close":
            pass
        await asyncio.sleep(0.1)  # it is counted when it is closed
        await _leave(page)
        return int(said["code"])

    async def live() -> None:
        assert {await dismissed() for _ in range(NUISANCES + 1)} == {TOO_BIG}
        assert await dismissed() == TOO_MUCH

    _run(live)


# -- Forms of other sites ---------------------------------------------------------------------------------------------

# Counts a view, as every reader's page does: to ask where it comes from would cost more than it does.
TAKEN_FROM_ANYWHERE = {"stats:beacon"}


def test_what_takes_no_token_takes_nothing_from_other_sites() -> None:
    without_token = {name: view for name, _route, view in addresses(urlpatterns) if getattr(view, "csrf_exempt", False)}
    assert {"posts:detail", "comments:preview", "comments:mail-stop", "comments:reactions"} < without_token.keys()
    for name, view in without_token.items():
        assert getattr(view, "is_from_own_pages", False) or name in TAKEN_FROM_ANYWHERE, name
