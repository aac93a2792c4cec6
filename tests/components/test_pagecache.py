"""Kept pages: the same for all anonymous readers, gone the moment they are no longer true, bounded in bytes."""

import base64
import datetime
import gzip
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, product
from threading import Event, Semaphore
from typing import Any

import brotli
import pytest
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.template.backends.jinja2 import Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from apps.components.models import Plugin
from apps.core.pages import coherence
from apps.core.pages.page_cache import Page, PageCache
from apps.posts.models import Post
from apps.posts.pages import views
from tests.factories import make_category, make_comment, make_post
from tests.languages import in_english
from tests.services import BROWSER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def queries(client: Client, path: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path, headers=headers).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "path", ["/", "/?page=1", "/archive/", "/tags/", "/links/", "/feed/", "/feed/json/", "/article/{pk}/{slug}/"]
)
def test_the_second_reader_asks_the_database_nothing(client: Client, path: str) -> None:
    post = make_post()
    path = path.format(pk=post.pk, slug=post.slug)
    first = client.get(path)
    assert queries(Client(), path) == 0
    again = Client().get(path)
    assert again.content == first.content
    now = {"X-Accel-Expires", "X-Request-Id"}
    assert dict(again.headers) | dict.fromkeys(now) == dict(first.headers) | dict.fromkeys(now)


def test_a_changed_post_leaves_only_the_pages_that_don_t_show_it(client: Client) -> None:
    shelves = make_category("One"), make_category("Other")
    one, other = (make_post(category=shelf) for shelf in shelves)
    paths = [one.get_absolute_url(), other.get_absolute_url(), shelves[0].get_absolute_url(), "/tags/"]
    for path in paths:
        client.get(path)
    other.body = "Quite another text."
    other.save()
    # The posts stand beside each other: the name of the next one is on the page of the first.
    assert [queries(client, path) > 0 for path in paths] == [True, True, False, False]
    assert "Quite another text" in client.get(paths[1]).content.decode()


def test_a_comment_is_there_at_once(client: Client) -> None:
    post = make_post()
    client.get(post.get_absolute_url())
    make_comment(post, "First answer")
    assert "First answer" in client.get(post.get_absolute_url()).content.decode()
    post.comments.all().set_state("screened")
    assert "First answer" not in client.get(post.get_absolute_url()).content.decode()


def test_a_comment_drops_the_pages_that_show_its_post_and_no_others(client: Client) -> None:
    shelves = make_category("One"), make_category("Other")
    # The second stands beside the first and names it, the third doesn't.
    commented, _beside, other = (make_post(category=shelf) for shelf in (shelves[0], shelves[1], shelves[1]))
    lists = ["/", "/archive/", "/feed/", shelves[0].get_absolute_url()]
    paths = [commented.get_absolute_url(), *lists, other.get_absolute_url(), shelves[1].get_absolute_url(), "/tags/"]
    for change in (
        lambda: make_comment(commented, "First answer"),
        lambda: commented.comments.all().set_state("screened"),
        lambda: commented.comments.all().delete(),
    ):
        for path in paths:
            client.get(path)
        change()
        made_anew = [path for path in paths if queries(client, path) > 0]
        assert made_anew == [commented.get_absolute_url(), *lists]


def test_the_box_of_recent_comments_is_right_on_every_page(client: Client) -> None:
    Plugin.objects.create(title="Box", kind=Plugin.Kind.RECENT_COMMENTS)
    post = make_post()
    for path in ("/", "/tags/", "/links/"):
        assert "First answer" not in client.get(path).content.decode()
    comment = make_comment(post, "First answer")
    for path in ("/", "/tags/", "/links/"):
        assert "First answer" in client.get(path).content.decode()
    comment.body = "Corrected answer"
    comment.save()
    for path in ("/", "/tags/", "/links/"):
        text = client.get(path).content.decode()
        assert "Corrected answer" in text and "First answer" not in text
    post.comments.all().set_state("screened")
    for path in ("/", "/tags/", "/links/"):
        assert "Corrected answer" not in client.get(path).content.decode()


def test_the_beacon_brings_the_number_of_comments_to_a_page_kept_from_before(client: Client) -> None:
    post = make_post()
    kept = client.get("/tags/").content
    make_comment(post)
    assert client.get("/tags/").content == kept
    reader = Client(headers={"user-agent": BROWSER})
    told = reader.post("/stats/view", "{}", content_type="text/plain").json()
    assert told["comments"] == 1


def test_an_unpublished_post_is_gone_at_once(client: Client) -> None:
    post = make_post(title="Here and gone")
    for path in ("/", post.get_absolute_url(), "/feed/"):
        assert "Here and gone" in client.get(path).content.decode()
    post.unpublish()
    assert "Here and gone" not in client.get("/").content.decode()
    assert "Here and gone" not in client.get("/feed/").content.decode()
    assert client.get(post.get_absolute_url()).status_code == 404


def test_a_scheduled_post_appears_in_a_kept_page_when_its_time_comes(client: Client) -> None:
    make_post(title="In a moment", published_at=timezone.now() + datetime.timedelta(seconds=0.6))
    assert "In a moment" not in client.get("/").content.decode()
    assert queries(client, "/") == 0
    time.sleep(0.7)
    assert "In a moment" in client.get("/").content.decode()


def _related(client: Client, post: Post) -> list[str]:
    page = client.get(post.get_absolute_url()).content.decode()
    section = re.search(r'<section class="related">.*?</section>', page, re.S)
    return re.findall(r'<a href="[^"]+">([^<]+)</a>', section[0]) if section else []


def test_related_posts_are_those_of_now(client: Client) -> None:
    post, other = make_post(title="Read", tags=("a",)), make_post(title="Other", tags=("a",))
    assert _related(client, post) == ["Other"]
    other.title = "Named anew"
    other.save()
    assert _related(client, post) == ["Named anew"]
    newer = make_post(title="Newer", tags=("a",), category=make_category("Elsewhere"))
    assert _related(client, post) == ["Newer", "Named anew"]
    newer.tags.clear()
    other.unpublish()
    later = make_post(title="Later", tags=("a",), published_at=timezone.now() + datetime.timedelta(seconds=0.5))
    assert _related(client, post) == []
    time.sleep(0.6)
    assert _related(client, post) == [later.title]


def test_each_language_has_a_page_of_its_own(client: Client) -> None:
    make_post()
    english = in_english(Client())
    assert "归档" in client.get("/").content.decode()
    assert "Archive" in english.get("/").content.decode()
    assert queries(client, "/") == queries(english, "/") == 0
    assert queries(client, "/", **{"accept-language": "en"}) == 0  # by their choice alone
    known = english.get("/", headers={"accept-encoding": "gzip"})["ETag"]
    assert english.get("/", headers={"if-none-match": known}).status_code == 304
    assert client.get("/", headers={"if-none-match": known}).status_code == 200


def test_tracking_parameters_make_no_other_page(client: Client) -> None:
    for _ in range(11):
        make_post()
    plain = client.get("/?page=2").content
    assert queries(client, "/?utm_source=x&page=2&fbclid=abc&spm=1.2") == 0
    assert client.get("/?utm_source=x&page=2").content == plain
    first = client.get("/?utm_source=mail&gclid=1").content.decode()
    assert "utm_source" not in first and "gclid" not in first
    # A parameter that the page doesn't know makes no other page either, nor does what is written in another way.
    assert queries(client, "/?mine=1&page=2&%70age=3") == 0
    assert client.get("/?mine=1&page=2").content == plain
    assert client.get("/?mine=1&pageNo=2")["Location"] == "/?page=2"  # but what it knows
    assert 'value="x"' in client.get("/search/?mine=1&q=x").content.decode()  # and other addresses


def test_a_reader_with_a_session_passes_the_kept_pages_by(client: Client, admin_client: Client) -> None:
    draft = make_post(status=Post.Status.PRIVATE)
    shown = make_post()
    client.get(shown.get_absolute_url())
    for_owner = admin_client.get(shown.get_absolute_url())
    assert "no-store" in for_owner["Cache-Control"]  # staff has buttons on it
    assert admin_client.get(draft.get_absolute_url()).status_code == 200
    assert client.get(draft.get_absolute_url()).status_code == 404


def test_what_a_password_guards_is_never_kept(client: Client) -> None:
    post = make_post(password="secret", body="Behind the door")
    asked = client.get(post.get_absolute_url())
    # The question is the same for all: kept by nginx, it takes the place of the text that stood there.
    assert "public" in asked["Cache-Control"] and not asked.cookies
    friend = Client(enforce_csrf_checks=True)
    friend.post(post.get_absolute_url(), {"password": "secret"})
    inside = friend.get(post.get_absolute_url())
    assert "Behind the door" in inside.content.decode()
    assert "private" in inside["Cache-Control"]
    assert "Behind the door" not in client.get(post.get_absolute_url()).content.decode()


def test_a_page_that_took_long_is_no_fresher_for_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*arguments: Any) -> Any:
        page = render(*arguments)
        time.sleep(2)
        return page

    monkeypatch.setattr(views, "render", slowly)
    asked = int(time.time())
    assert client.get("/")["X-Accel-Expires"] in {f"@{asked}", f"@{asked + 1}"}


@pytest.mark.parametrize("told", ["nan", "inf", "-inf", "1e400", "0", "-1", "1e18", "", "x", "²"])
def test_a_time_that_nobody_can_have_asked_at_is_not_believed(client: Client, settings: Settings, told: str) -> None:
    settings.TRUSTED_PROXIES = 1
    for path in ("/", "/tag/nobody-knows-it/"):
        answer = client.get(path, headers={"x-asked-at": told})
        assert answer.status_code in {200, 404}
        assert abs(int(answer["X-Accel-Expires"].removeprefix("@")) - time.time()) < 20
    shortly_before = time.time() - 3
    told_at = client.get("/", headers={"x-asked-at": str(shortly_before)})["X-Accel-Expires"]
    assert told_at == f"@{int(shortly_before)}"


def test_what_stands_where_a_page_was_is_as_fresh_as_a_page(client: Client) -> None:
    post = make_post()
    post.unpublish()
    gone, moved = client.get(post.get_absolute_url()), client.get("/tag/nobody-knows-it/")
    shown = client.get("/")
    now = int(time.time())
    for answer in (gone, moved, shown):
        assert now - 1 <= int(answer["X-Accel-Expires"].removeprefix("@")) <= now
    assert "X-Accel-Expires" not in client.get("/static/nothing.css")


@pytest.mark.parametrize("path", ["/", "/feed/"])
def test_who_has_the_page_gets_a_304_in_every_variant(client: Client, path: str) -> None:
    make_post()
    plain = client.get(path)
    zipped = client.get(path, headers={"accept-encoding": "gzip"})
    packed = client.get(path, headers={"accept-encoding": "gzip, deflate, br, zstd"})
    assert (zipped["Content-Encoding"], packed["Content-Encoding"]) == ("gzip", "br")
    assert gzip.decompress(zipped.content) == brotli.decompress(packed.content) == plain.content
    assert len(packed.content) < len(zipped.content) < len(plain.content)
    assert len({plain["ETag"], zipped["ETag"], packed["ETag"]}) == 3
    assert not plain["ETag"].startswith("W/")
    assert "Accept-Encoding" in plain["Vary"]
    known = [plain["ETag"], zipped["ETag"], packed["ETag"], f"W/{plain['ETag']}", f'"other", {zipped["ETag"]}']
    for etag, (encoding, kept) in product(known, (("gzip", zipped), ("br", packed), ("", plain))):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path, headers={"if-none-match": etag, "accept-encoding": encoding})
        assert (answer.status_code, answer.content, len(captured)) == (304, b"", 0)
        assert answer["ETag"] == kept["ETag"]
    make_post()
    assert client.get(path, headers={"if-none-match": plain["ETag"]}).status_code == 200


def test_caches_outside_may_keep_a_page_for_a_second(client: Client) -> None:
    make_post()
    answer = client.get("/")
    assert answer["Cache-Control"] == "public, max-age=0, s-maxage=1" and "CDN-Cache-Control" not in answer
    assert not answer.cookies


class Watching:
    """A middleware as a stranger would add it, with each hook that Django knows."""

    seen: list[str] = []

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request):
        self.seen.append("request")
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs) -> None:
        self.seen.append(f"view of {request.user} in {request.session.session_key}")

    def process_exception(self, request, exception) -> None:
        self.seen.append(type(exception).__name__)


def test_an_anonymous_page_passes_every_hook_of_every_middleware(client: Client, settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.{Watching.__name__}"]
    Watching.seen.clear()
    answer = client.get("/?page=99")
    assert answer.status_code == 404 and not answer.cookies
    assert Watching.seen == ["request", "view of AnonymousUser in None", "Http404"]


@pytest.mark.parametrize("path", ["/", "/archive/", "/tags/", "/feed/", "/search/?q=word", "/article/{pk}/{slug}/"])
def test_an_anonymous_page_asks_for_no_session_and_sets_no_cookie(client: Client, path: str) -> None:
    post = make_post()
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path.format(pk=post.pk, slug=post.slug))
    assert answer.status_code == 200 and not answer.cookies
    assert not [query for query in captured if re.search("django_session|FROM .auth_user", query["sql"])]


def test_without_memory_to_spare_every_page_is_made_anew(client: Client, settings: Settings) -> None:
    settings.PAGE_CACHE_BYTES = 0
    make_post()
    etag = client.get("/")["ETag"]
    assert queries(client, "/") > 0
    assert client.get("/", headers={"if-none-match": etag}).status_code == 304


# -- Many who want the same page --------------------------------------------------------------------------------------


class Renderer:
    """Renders pages as ever, one more in each, and goes on with none before it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made, self.begun, self.may_go_on = count(1), Semaphore(0), Event()
        render = Template.render

        def made(template: Template, *args: Any) -> str:
            text = f"{render(template, *args)}<!-- number {next(self.made)} -->"
            self.begun.release()
            assert self.may_go_on.wait(20)
            return text

        monkeypatch.setattr(Template, "render", made)


@pytest.fixture
def renderer(client: Client, monkeypatch: pytest.MonkeyPatch) -> Renderer:
    client.get("/")  # reads the components: the page of links needs nothing else
    return Renderer(monkeypatch)


def number_on_the_page() -> int:
    found = re.search(r"<!-- number (\d+) -->", Client().get("/links/").content.decode())
    assert found
    return int(found[1])


def test_of_many_who_want_a_page_one_makes_it(renderer: Renderer) -> None:
    with ThreadPoolExecutor(8) as readers:
        asked = [readers.submit(number_on_the_page) for _ in range(8)]
        assert renderer.begun.acquire(timeout=20)
        assert not renderer.begun.acquire(timeout=0.3)
        renderer.may_go_on.set()
        assert [each.result(20) for each in asked] == [1] * 8


def test_who_comes_after_a_change_gets_no_page_begun_before_it(renderer: Renderer) -> None:
    with ThreadPoolExecutor(2) as readers:
        before = readers.submit(number_on_the_page)
        assert renderer.begun.acquire(timeout=20)
        coherence.invalidate(frozenset())
        after = readers.submit(number_on_the_page)
        time.sleep(0.1)  # it waits for the other
        renderer.may_go_on.set()
        assert (before.result(20), after.result(20)) == (1, 2)


def test_nobody_waits_long_for_a_page_that_hangs(renderer: Renderer) -> None:
    with ThreadPoolExecutor(2) as readers:
        asked = [readers.submit(number_on_the_page) for _ in range(2)]
        for _ in asked:
            assert renderer.begun.acquire(timeout=20)  # the second has not waited for the first to end
        renderer.may_go_on.set()
        assert {each.result(20) for each in asked} == {1, 2}


# -- The cache itself -------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> PageCache:
    monkeypatch.setattr(coherence._changes, "subscribers", [])
    settings.PAGE_CACHE_BYTES = 100_000
    return PageCache()


def a_page(text: str = "x" * 10_000, shown: tuple[int, ...] = (), frame: str = "frame", seconds: float = 60) -> Page:
    response = HttpResponse(text, headers={"Content-Type": "image/x-none"})
    return Page(response, frame, frozenset(shown), time.monotonic() + seconds)


def test_the_least_recently_used_pages_give_way(cache: PageCache) -> None:
    for number in range(9):
        cache.put(number, a_page(), coherence.generation())
        assert cache.get(0, "frame")
    assert cache.size_bytes <= 100_000
    # 12,000 bytes each: eight have room, the one that is read all the time among them.
    assert [number for number in range(9) if cache.get(number, "frame")] == [0, 2, 3, 4, 5, 6, 7, 8]


def test_what_a_page_takes_compressed_is_counted_too(cache: PageCache, rf: RequestFactory) -> None:
    """Noise hardly shrinks: two of six kept pages have to go when all have been compressed."""
    asked = rf.get("/", headers={"accept-encoding": "gzip"})
    asked.asked_at = time.time()
    noise = base64.b85encode(random.Random(7).randbytes(8_000))
    for number in range(6):
        response = HttpResponse(noise + b"%d" % number, headers={"Content-Type": "text/plain"})
        cache.put(number, Page(response, "frame", frozenset(), time.monotonic() + 60), coherence.generation())
    assert len(cache) == 6
    for number in range(6):
        if page := cache.get(number, "frame"):
            page.answer(asked)
            assert cache.get(number, "frame") is page
    assert len(cache) == 4 and 75_000 < cache.size_bytes <= 100_000


def test_a_page_larger_than_all_there_is_is_not_kept(cache: PageCache) -> None:
    cache.put("big", a_page("x" * 100_000), coherence.generation())
    assert len(cache) == 0


def test_a_page_begun_before_a_change_is_not_kept(cache: PageCache) -> None:
    begun = coherence.generation()
    coherence.invalidate(frozenset([1]))
    cache.put("late", a_page(), begun)
    assert cache.get("late", "frame") is None


def test_pages_of_another_frame_or_too_old_are_forgotten(cache: PageCache) -> None:
    cache.put("framed", a_page(shown=(1,)), coherence.generation())
    cache.put("old", a_page(shown=(1,), seconds=-1), coherence.generation())
    assert cache.get("framed", "another") is None
    assert cache.get("old", "frame") is None
    assert (len(cache), cache.size_bytes) == (0, 0)


def test_a_change_drops_the_pages_of_its_posts(cache: PageCache) -> None:
    for key, shown in {"a": (1, 2), "b": (2, 3), "c": (3,)}.items():
        cache.put(key, a_page(shown=shown), coherence.generation())
    cache.drop(frozenset([2]))
    assert [key for key in "abc" if cache.get(key, "frame")] == ["c"]
    cache.drop(None)
    assert (len(cache), cache.size_bytes) == (0, 0)
