"""What one process of a fleet changes, every other shows: reads at full speed, changes at random, parts failing."""

import http.client
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import pytest

from apps.components import coherence
from apps.components.models import Menu, MenuItem, Plugin
from apps.posts.models import Post
from tests.factories import make_category, make_comment, make_post
from tests.fleet.conftest import Fleet
from tests.services import Redis

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database("mariadb"), pytest.mark.alone]

CHANGES = int(os.environ.get("COHERENCE_CHANGES", "40"))
NGINX_EVERY = int(os.environ.get("COHERENCE_NGINX_EVERY", "5"))  # changes; each takes a second
BOUND_SECONDS = 0.1
NGINX_BOUND_SECONDS = 1.2
POSTS = 6


@dataclass
class Change:
    """Where to look, and how to tell the state after the change from the one before."""

    name: str
    path: str
    shows: Callable[[int, str], bool]


class Blog:
    """Some posts, a menu and a plugin; every change leaves a word of its own to be found on a page."""

    def __init__(self) -> None:
        self.random = random.Random(20261123)
        self.number = 0
        self.category = make_category("Shelf")
        self.posts = [make_post(category=self.category, title=f"Post {letter}") for letter in "ABCDEF"[:POSTS]]
        self.menu = Menu.objects.create(name="Menu")
        MenuItem.objects.create(menu=self.menu, category=self.category)
        self.plugin = Plugin.objects.create(title="Box", content="nothing yet")

    def change(self) -> Change:
        self.number += 1
        kind = self.random.choice([self.edit, self.retitle, self.turn, self.turn, self.comment, self.box, self.rename])
        return kind(f"word{self.number}x")

    def edit(self, word: str) -> Change:
        post = self._post()
        post.status, post.body = "published", f"The text: {word}."
        post.save()
        return self._showing("edit", post.get_absolute_url(), word)

    def retitle(self, word: str) -> Change:
        post = self._post()
        post.status, post.title, post.slug = "published", f"Title {word}", f"{post.pk}"
        post.save()
        return self._showing("new title in a list", "/", word)

    def turn(self, word: str) -> Change:
        post = self._post()
        path = post.get_absolute_url()
        if post.status == "published":
            post.unpublish()
            return Change("unpublish", path, lambda status, text: status == 404)
        post.publish()
        return Change("publish", path, lambda status, text: status == 200)

    def comment(self, word: str) -> Change:
        post = self._post()
        if post.status != "published":
            post.publish()
        make_comment(post, f"I say {word}")
        post.refresh_from_db()
        page = f"?page={post.floor_pages}" if post.floor_pages > 1 else ""
        return self._showing("comment", post.get_absolute_url() + page, word)

    def box(self, word: str) -> Change:
        self.plugin.content = f"Boxed {word}"
        self.plugin.save()
        return self._showing("plugin", self.random.choice(["/", "/archive/", "/tags/"]), word)

    def rename(self, word: str) -> Change:
        self.menu.name = f"Menu {word}"
        self.menu.save()
        return self._showing("menu", self.random.choice(["/", self.category.get_absolute_url()]), word)

    def paths(self) -> list[str]:
        return ["/", "/archive/", "/tags/", "/feed/", self.category.get_absolute_url()] + [
            f"/article/{post.pk}/{post.slug}/" for post in self.posts
        ]

    def _post(self) -> Post:
        post = self.random.choice(self.posts)
        post.refresh_from_db()
        return post

    def _showing(self, name: str, path: str, word: str) -> Change:
        return Change(name, path, lambda status, text: status == 200 and word in text)


def connected(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=20)


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path, headers={"Accept-Language": "en"})
    response = connection.getresponse()
    return response.status, response.read().decode()


@contextmanager
def reading(fleet: Fleet, blog: Blog) -> Iterator[Counter]:
    """Two readers at full speed on each process and on nginx, until the block ends; counts answers by status."""
    over, answers = threading.Event(), Counter[int]()

    def read(port: int, start: int) -> None:
        connection = connected(port)
        turn = start
        while not over.is_set():
            paths = blog.paths()
            status, _text = ask(connection, paths[turn % len(paths)])
            answers[status] += 1
            turn += 1
        connection.close()

    ports = [server.port for server in [*fleet.servers, fleet.nginx]]
    readers = [threading.Thread(target=read, args=(port, 5 * n)) for n in range(2) for port in ports]
    for reader in readers:
        reader.start()
    try:
        yield answers
    finally:
        over.set()
        for reader in readers:
            reader.join(30)


def not_showing(change: Change, places: dict[str, http.client.HTTPConnection]) -> list[str]:
    """Ask all at once; return those that show the state before the change."""
    with ThreadPoolExecutor(len(places)) as threads:
        answers = threads.map(lambda connection: ask(connection, change.path), places.values())
        return [
            f"{change.name} at {change.path}, {place}: {status}"
            for place, (status, text) in zip(places, answers, strict=True)
            if not change.shows(status, text)
        ]


def check(fleet: Fleet, blog: Blog, changes: int, after: Callable[[int], None] | None = None) -> None:
    """Make the changes; 100 ms after each commit every process must show it, 1.2 s after it nginx must."""
    stale: list[str] = []
    with ExitStack() as open_ones, reading(fleet, blog) as answers:
        *processes, nginx = (
            open_ones.enter_context(closing(connected(server.port))) for server in [*fleet.servers, fleet.nginx]
        )
        places = {f"process {place}": connection for place, connection in enumerate(processes)}
        for number in range(changes):
            change = blog.change()
            committed_at = time.monotonic()
            if after:
                after(number)
            time.sleep(max(0.0, committed_at + BOUND_SECONDS - time.monotonic()))
            stale += [f"{number}: {old}" for old in not_showing(change, places)]
            if number % NGINX_EVERY == 0:
                time.sleep(max(0.0, committed_at + NGINX_BOUND_SECONDS - time.monotonic()))
                stale += [f"{number}: {old}" for old in not_showing(change, {"nginx": nginx})]
    assert not stale
    assert set(answers) <= {200, 301, 404}
    assert answers[200] > changes  # the readers did read


def test_every_process_shows_a_change_within_100_ms(fleet) -> None:  # type: ignore[no-untyped-def]
    check(fleet(), Blog(), CHANGES)


def test_a_slow_renderer_puts_nothing_old_back(fleet) -> None:  # type: ignore[no-untyped-def]
    running = fleet(wsgi="tests.fleet.slow:wsgi", asgi="tests.fleet.slow:asgi")
    assert all("<!-- by the slow renderer -->" in ask(connected(server.port), "/")[1] for server in running.servers)
    check(running, Blog(), CHANGES // 2)


def test_a_listener_that_is_cut_off_is_not_missed(fleet, own_redis: Redis) -> None:  # type: ignore[no-untyped-def]
    with own_redis.client() as redis:

        def cut(number: int) -> None:
            if number % 3 == 0:
                redis.client_kill_filter(_type="pubsub")

        check(fleet(), Blog(), CHANGES // 2, cut)


def test_a_redis_that_restarts_is_not_missed(fleet, own_redis: Redis) -> None:  # type: ignore[no-untyped-def]
    """It comes back without its memory, each time after some changes were made without it."""

    def restart(number: int) -> None:
        if number % 10 == 5:
            own_redis.stop()
        elif number % 10 == 9:
            own_redis.start()

    check(fleet(), Blog(), CHANGES // 2, restart)


def test_a_lost_message_is_noticed_by_the_stamp(fleet, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(coherence, "CHANNEL", "nobody listens here")
    check(fleet(), Blog(), CHANGES // 2)
