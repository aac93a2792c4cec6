"""Visibility: every combination of status, kind, password and time, every kind of reader, every address.

The expectations are read from the table in apps/posts/visibility.py.
"""

import asyncio
import datetime
import itertools
import json
from typing import Any, NamedTuple

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from apps.comments.routing import websocket_urlpatterns
from apps.posts import visibility
from apps.posts.models import Category, OldAddress, Post
from apps.posts.pages.sitemaps import ADDRESSES_PER_FILE
from tests.factories import make_comment, make_post
from tests.readers import USERS, signed_in

pytestmark = pytest.mark.django_db

SECRET = "haystack"
PASSWORD = "open sesame"
WORDS = ("listed", "public", "reachable", "searchable")
TIMES = {"past": datetime.timedelta(days=-1), "future": datetime.timedelta(days=1)}


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let websockets see the posts of the test's transaction: channels would close its connection."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


UNLOCKED = "a reader who has given the passwords"
# Anonymous readers walk through all combinations; these through all that the table tells apart; the others through
# those without a password.
WALK_FAR = {UNLOCKED, "staff without a permission", "staff who may change posts", "a superuser"}


class Combination(NamedTuple):
    status: str
    time: str
    kind: str
    password: str

    @property
    def words(self) -> set[str]:
        """The words that the table gives it."""
        columns = ("status", "time", "kind", "password")
        for line in visibility.__doc__.splitlines():
            row = line.split()
            if len(row) == 8 and all(row[at] in {"any", getattr(self, name)} for at, name in enumerate(columns)):
                return {word for word, cell in zip(WORDS, row[4:], strict=True) if cell == "yes"}
        raise AssertionError(f"The table says nothing of {self}.")

    @property
    def is_told_apart(self) -> bool:
        """Whether the table tells it from others: some of those for which it says "any" are for anonymous readers."""
        is_locked_page = (self.kind, self.password) == ("page", "yes")
        return self.status == "published" or (self.time == "past" and not is_locked_page)

    def make(self, number: int) -> Post:
        post = make_post(
            title=f"Needle n{number:02}n",
            body=f"{SECRET} t{number:02}t",
            tags=("shared",),
            status=self.status,
            kind=self.kind,
            published_at=timezone.now() + TIMES[self.time],
            password=PASSWORD if self.password == "yes" else "",
        )
        make_comment(post, f"Said c{number:02}c")
        return post


COMBINATIONS = [Combination(*c) for c in itertools.product(Post.Status.values, TIMES, Post.Kind.values, ("no", "yes"))]


def make_all(who: str = "anonymous") -> dict[Combination, Post]:
    """A post of each combination that this reader walks through."""
    return {
        combination: combination.make(number)
        for number, combination in enumerate(COMBINATIONS)
        if who == "anonymous" or (combination.is_told_apart and (who in WALK_FAR or combination.password == "no"))
    }


def answers(client: Client, post: Post, reference: str, path: str) -> dict[str, int]:
    """The status of each of the post's addresses for this reader, the post being named by that reference and path."""
    form = f"/article/{reference}/comment/"
    asked = json.dumps({"floors": [1, 1]})
    seen = json.dumps({"post": int(reference) if reference.isdigit() else reference})  # as static/js/beacon.js has it
    # Each post is read from another address: what is too much from one is not the subject.
    high, low = divmod(post.pk % 62_500, 250)  # MariaDB numbers on after a test with a hundred thousand posts
    reader = {"REMOTE_ADDR": f"10.0.{high}.{low}"}
    found = {
        "page": client.get(path, **reader),
        "form": client.get(form, **reader),
        "part of the form": client.get(f"{form}?part", **reader),
        "preview": client.post(f"{form}preview/", {"body": "x"}, **reader),
        "floors": client.get(f"{form}floors/?after=0&to=1", **reader),
        "held": client.get(f"{form}held/", **reader),
        "reactions": client.post(f"/article/{reference}/reactions/", asked, "application/json", **reader),
        "beacon": client.post("/stats/view", seen, "application/json", **reader),
        "pixel": client.get(f"/stats/view?post={reference}", **reader),
    }
    for response in found.values():
        if response.status_code == 404 and not post.is_searchable:
            assert post.title.encode() not in response.content
            # The page may hold the address that was asked for, as its reader knows it.
            assert post.slug.encode() not in response.content or post.slug in response.wsgi_request.path
    return {**{name: response.status_code for name, response in found.items()}, "live": live(client, reference)}


def live(client: Client, reference: str) -> int:
    """200 when the live address takes this reader, else 404."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())

    async def connect() -> bool:
        headers = [(b"cookie", cookies.encode())] if cookies else []
        page = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/article/{reference}/", headers)
        is_taken, _code = await page.connect(timeout=20)
        await page.disconnect()
        await asyncio.sleep(0)
        return is_taken

    return 200 if async_to_sync(connect)() else 404


# Addresses that open as soon as a reader may know of the post, and those that need the password.
FOR_ALL_WHO_KNOW = {"page", "beacon", "pixel"}
ASK_THE_PASSWORD = {"form", "part of the form", "preview", "held"}
FOR_ALL_WHO_READ = {"floors", "reactions", "live", *ASK_THE_PASSWORD}


def expected_answers(*, knows: bool, reads: bool) -> dict[str, int]:
    of_text = dict.fromkeys(FOR_ALL_WHO_READ, 200 if reads else 404)
    if knows and not reads:
        of_text |= dict.fromkeys(ASK_THE_PASSWORD, 302)
    return dict.fromkeys(FOR_ALL_WHO_KNOW, 200 if knows else 404) | of_text


def reader(name: str, posts: dict[Combination, Post]) -> tuple[Client, bool, bool]:
    """The client, whether it may see everything, and whether it has given the passwords."""
    if name != UNLOCKED:
        make, sees_all = USERS[name]
        return signed_in(make()), sees_all, False
    client = Client()
    for combination, post in posts.items():
        if combination.password == "yes":
            given = client.post(post.get_absolute_url(), {"password": PASSWORD})
            assert given.status_code == (302 if "reachable" in combination.words else 404)
    return client, False, True


@pytest.mark.one_database  # the queries are asked on both below
@pytest.mark.parametrize("who", [*USERS, UNLOCKED])
def test_each_reader_sees_what_is_theirs_at_every_address(who: str) -> None:
    posts = make_all(who)
    client, sees_all, has_passwords = reader(who, posts)
    for combination, post in posts.items():
        words = combination.words
        is_open = sees_all or has_passwords or combination.password == "no"
        knows = sees_all or "reachable" in words
        by_address = answers(client, post, post.reference, post.get_absolute_url())
        assert by_address == expected_answers(knows=knows, reads=knows and is_open), combination
        assert (SECRET in client.get(post.get_absolute_url()).content.decode()) is (knows and is_open)
        # By its number alone, and by an invented key.
        knows = sees_all or "searchable" in words
        if "searchable" not in words:
            path = post.get_absolute_url() if knows else "/article/0/x/"
            by_number = answers(client, post, str(post.pk), path)
            assert by_number == expected_answers(knows=knows, reads=knows and is_open), combination
        if (combination.kind, combination.password) == ("post", "no"):
            by_guess = answers(client, post, f"{post.pk}-{'0' * 20}", "/article/0/x/")
            told = {name for name, status in by_guess.items() if status != 404}
            assert told <= ({"beacon", "pixel"} if knows else set()), combination
        # Addresses that lead on to the whole one.
        for path in (f"/article/{post.pk}", f"/article/{post.pk}/", f"/article/{post.pk}/wrong/"):
            assert client.get(path).status_code == (301 if knows else 404), (combination, path)
        OldAddress.objects.create(path=f"/old/{post.pk}.html", post=post)
        assert client.get(f"/old/{post.pk}.html").status_code == (301 if knows else 404)
        # Addresses that are the same for all readers.
        for path in (f"/article/{post.pk}/card.png", f"/article/{post.pk}/comments/feed/"):
            assert client.get(path).status_code == (200 if "public" in words else 404), (combination, path)


def named(text: str, sign: str) -> set[int]:
    """The numbers of the posts whose title (n), text (t) or comment (c) stands there."""
    return {number for number in range(len(COMBINATIONS)) if f"{sign}{number:02}{sign}" in text}


@pytest.mark.parametrize("who", [*USERS, UNLOCKED])
def test_lists_feeds_sitemaps_and_the_search_are_the_same_for_every_reader(who: str) -> None:
    posts = make_all(who)
    client, _sees_all, _has_passwords = reader(who, posts)
    of = {word: {COMBINATIONS.index(c) for c in posts if word in c.words} for word in WORDS}
    month = timezone.localtime(next(iter(posts.values())).published_at, timezone.get_default_timezone())
    category = Category.objects.default().get_absolute_url()

    def shown(path: str) -> str:
        content = client.get(path).content.decode()
        return content.partition("<main")[2].partition("</main>")[0] if "<main" in content else content

    for path in (
        *("/", "/archive/", f"/archive/{month:%Y}/", f"/archive/{month:%Y/%m}/", category, "/source/1/"),
        *("/tag/shared/", "/nothing-here/"),
        *(f"{shelf}feed/{end}" for shelf in ("/", category, "/tag/shared/") for end in ("", "atom/", "json/")),
    ):
        assert named(shown(path), "n") == of["listed"], path
        assert named(shown(path), "t") <= of["public"], path  # neither excerpt nor text of what a password guards
    for path in ("/search/?q=needle", "/search/suggest/?q=needle"):
        assert named(shown(path), "n") == of["searchable"], path
        assert named(shown(path), "t") <= of["public"], path
    assert named(shown(f"/search/?q={SECRET}"), "n") == of["public"]
    files = {(post.pk - 1) // ADDRESSES_PER_FILE + 1 for post in posts.values()}
    sitemap = "".join(client.get(f"/sitemap-posts-{file}.xml").content.decode() for file in files)
    in_sitemap = {COMBINATIONS.index(c) for c, post in posts.items() if f"/article/{post.pk}/" in sitemap}
    assert in_sitemap == of["public"]
    for path in ("/comments/feed/", "/comments/feed/atom/"):
        assert named(shown(path), "c") == of["listed"] & of["public"], path
    assert "/tag/shared/" in client.get("/sitemap-lists-1.xml").content.decode()
    # Beside a post everybody may read, listed ones alone.
    public = next(post for combination, post in posts.items() if {"listed", "public"} <= combination.words)
    assert named(shown(public.get_absolute_url()), "n") <= of["listed"]


@pytest.mark.parametrize("kind", Post.Kind.values)
def test_counts_and_tags_tell_of_listed_posts_alone(kind: str) -> None:
    for number, combination in enumerate(COMBINATIONS):
        if combination.kind == kind and "listed" not in combination.words:
            combination.make(number)
    client = Client()
    assert client.get("/tag/shared/").status_code == 404
    assert "shared" not in client.get("/tags/").content.decode()
    assert "/tag/shared/" not in client.get("/sitemap-lists-1.xml").content.decode()


# -- The words themselves ----------------------------------------------------------------------------------------------


def test_each_word_says_the_same_of_one_post_and_of_many() -> None:
    posts = make_all()
    for number, combination in enumerate(COMBINATIONS):
        if combination.time == "past":  # once more, without a time
            post = combination.make(number)
            Post.objects.filter(pk=post.pk).update(published_at=None)
            posts[combination._replace(time="future")._replace(time="none")] = post
    every = {post.pk for post in posts.values()}
    for word in WORDS:
        wanted = {
            post.pk
            for combination, post in posts.items()
            # A time that is missing is as one that has not come.
            if word in combination._replace(time=combination.time.replace("none", "future")).words
        }
        assert {post.pk for post in Post.objects.all() if getattr(visibility, f"is_{word}")(post)} == wanted, word
        assert {post.pk for post in Post.objects.all() if getattr(post, f"is_{word}")} == wanted, word
        assert ids(getattr(Post.objects, word)()) == wanted, word
        opposite = getattr(Post.objects, f"not_{word}")()
        parts = opposite if isinstance(opposite, list) else [opposite]
        others = [pk for part in parts for pk in part.values_list("pk", flat=True)]
        assert len(others) == len(set(others)) and set(others) == every - wanted, word
    assert ids(Post.objects.searchable_among(every)) == ids(Post.objects.searchable())
    assert ids(Post.objects.public()) == ids(Post.objects.searchable().without_password())
    scheduled = {post.pk for post in Post.objects.all() if visibility.is_scheduled(post) and post.published_at}
    assert scheduled == ids(Post.objects.scheduled(timezone.now()))


def ids(posts: Any) -> set[int]:
    return set(posts.values_list("pk", flat=True))


def test_each_word_is_asked_of_a_time_as_well() -> None:
    posts = make_all()
    by_then = timezone.now() + datetime.timedelta(days=2)
    for word in ("listed", "public", "reachable", "searchable"):
        wanted = {post.pk for combination, post in posts.items() if word in combination._replace(time="past").words}
        assert ids(getattr(Post.objects, word)(by_then)) == wanted, word
    assert not ids(Post.objects.not_listed(by_then)) & ids(Post.objects.listed(by_then))
    assert ids(Post.objects.not_listed(by_then)) == ids(Post.objects.all()) - ids(Post.objects.listed(by_then))


@pytest.mark.parametrize("who", USERS)
def test_an_account_finds_the_same_posts_one_by_one_and_in_a_query(who: str) -> None:
    posts = make_all()
    make, sees_all = USERS[who]
    user = make() or AnonymousUser()
    by_number = {post.pk for post in posts.values() if visibility.is_visible_to(user, post)}
    assert by_number == ids(Post.objects.visible_to(user))
    assert by_number == {p.pk for c, p in posts.items() if sees_all or "searchable" in c.words}
    by_link = {post.pk for post in posts.values() if visibility.is_visible_to(user, post, by_link=True)}
    assert by_link == {p.pk for c, p in posts.items() if sees_all or "reachable" in c.words}


@pytest.mark.parametrize("was", COMBINATIONS)
def test_a_change_is_a_withdrawal_when_it_takes_a_post_or_its_text_from_readers(was: Combination) -> None:
    for becomes in COMBINATIONS:
        columns, new = (
            {
                "status": combination.status,
                "published_at": timezone.now() + TIMES[combination.time],
                "password": PASSWORD if combination.password == "yes" else "",
            }
            for combination in (was, becomes)
        )
        is_withdrawn = visibility.is_withdrawn(columns, new)
        had, has = "reachable" in was.words, "reachable" in becomes.words
        if had and (not has or (was.password, becomes.password) == ("no", "yes")):
            assert is_withdrawn, becomes
        if not had:
            assert not is_withdrawn, becomes
