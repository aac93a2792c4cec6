"""A change in one process of a fleet shows in every other: reads at full speed, changes at random, parts failing.

Every answer is held against what its page may show at that moment (changing.py). COHERENCE_CHANGES=500 is the long run.
"""

import http.client
import os
import random
import statistics
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from apps.core.pages import coherence
from apps.core.redis.clients import client
from tests.fleet.changing import BOUND_SECONDS, NGINX_BOUND_SECONDS, Blog, sleep_until
from tests.fleet.conftest import Fleet
from tests.services import Redis, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database("mariadb"), pytest.mark.alone]

CHANGES = int(os.environ.get("COHERENCE_CHANGES", "40"))
READERS = 2  # of each process, and of nginx
PUT_BACK_SECONDS = 0.4  # after a change: whoever began before it has come to an end


@dataclass
class Seen:
    """The findings of all clients: readers, and who looks for a change."""

    stale: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class Place:
    """A process or nginx, asked over a connection that stays open."""

    def __init__(self, name: str, port: int, blog: Blog, seen: Seen) -> None:
        self.name, self._blog, self._seen = name, blog, seen
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def look(self, *paths: str) -> None:
        for path in paths:
            asked_at = time.monotonic()
            self._connection.request("GET", path)
            response = self._connection.getresponse()
            text = response.read().decode()
            self._seen.statuses[response.status] += 1
            bound_seconds = NGINX_BOUND_SECONDS if self.name == "nginx" else BOUND_SECONDS
            wrong = self._blog.wrong(path, response.status, text, asked_at, bound_seconds)
            if wrong:
                self._seen.stale.append(f"{self.name}: {wrong}")

    def close(self) -> None:
        self._connection.close()


def places(fleet: Fleet, blog: Blog, seen: Seen) -> list[Place]:
    """Every process, and nginx as the last."""
    ports = {f"process {number}": server.port for number, server in enumerate(fleet.servers)}
    return [Place(name, port, blog, seen) for name, port in {**ports, "nginx": fleet.nginx.port}.items()]


@contextmanager
def reading(fleet: Fleet, blog: Blog, seen: Seen) -> Iterator[None]:
    """Read all pages of each process and of nginx, again and again at full speed, until the block ends."""
    over = threading.Event()

    def read(place: Place, turn: int) -> None:
        with closing(place):
            while not over.is_set():
                paths = blog.paths()
                place.look(paths[turn % len(paths)])
                turn += 1

    readers = [
        threading.Thread(target=read, args=(place, 5 * number))
        for number in range(READERS)
        for place in places(fleet, blog, seen)
    ]
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        over.set()
        for reader in readers:
            reader.join(30)


def check(
    fleet: Fleet,
    changes: int,
    before_commit: Callable[[int], None] = lambda number: None,
    looks_after: tuple[float, ...] = (BOUND_SECONDS,),
) -> None:
    """Make the changes; 100 ms after each commit every process must show it, 1.2 s after it nginx must.

    `looks_after` are seconds after the commit: readers ask all the time, but not for every page at every moment.
    """
    blog, seen, asked_after = Blog(), Seen(), []

    def look(place: Place, paths: list[str], moment: float) -> None:
        sleep_until(moment)
        place.look(*paths)

    def are_hearing() -> bool:
        redis = client()
        assert redis
        return int(redis.pubsub_numsub(coherence.CHANNEL)[0][1]) > len(fleet.servers)  # the test itself is one more

    with ExitStack() as open_ones, reading(fleet, blog, seen):
        *processes, nginx = (open_ones.enter_context(closing(place)) for place in places(fleet, blog, seen))
        threads = open_ones.enter_context(ThreadPoolExecutor(len(processes)))
        # It looks a second later, while other changes go on.
        nginx_thread = open_ones.enter_context(ThreadPoolExecutor(1))
        at_nginx = []
        wait_until(are_hearing, 20)
        for number in range(changes):
            change = blog.change(partial(before_commit, number))
            paths = blog.where_to_look(change)
            for seconds in looks_after:
                list(threads.map(partial(look, paths=paths, moment=change.counts_from + seconds), processes))
            asked_after.append(change.counts_from + BOUND_SECONDS - change.committed_at)
            at_nginx.append(nginx_thread.submit(look, nginx, paths, change.counts_from + NGINX_BOUND_SECONDS))
        for looked in at_nginx:
            looked.result()
    print(
        f"{changes} changes, looked for {1000 * statistics.median(asked_after):.0f} ms after the commit,"
        f" at most {1000 * max(asked_after):.0f}; {seen.statuses.total()} answers, of nginx"
        f" {dict(Counter(line['cache'] for line in fleet.nginx.requests()))}"
    )
    assert not seen.stale, "\n".join([f"{len(seen.stale)} stale:", *seen.stale[:20]])
    assert set(seen.statuses) <= {200, 301, 404}
    assert seen.statuses[200] > 10 * changes  # the readers did read


@pytest.fixture
def reached(member: Redis, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many listeners each word of a change has reached, the test's own among them."""
    present = coherence.backend()
    assert isinstance(present, coherence.RedisBackend)
    publish, numbers = present._publish, list[int]()

    def counting(*args):
        number = publish(*args)
        if threading.current_thread() is threading.main_thread():
            numbers.append(number)
        return number

    monkeypatch.setattr(present, "_publish", counting)
    return numbers


def test_every_process_shows_a_change_within_100_ms(fleet, reached: list[int]) -> None:
    running = fleet()
    check(running, CHANGES)
    assert max(reached) > len(running.servers)


def test_a_slow_renderer_puts_nothing_old_back(fleet) -> None:
    """Each change comes while every process is making all its pages anew."""
    by_chance = random.Random(20261128)

    def make_anew(number: int) -> None:
        coherence.backend().publish(coherence.Change(coherence.new_stamp(), None))
        time.sleep(by_chance.uniform(0.05, 0.2))

    running = fleet(wsgi="tests.fleet.slow:wsgi", asgi="tests.fleet.slow:asgi")
    for server in running.servers:
        with urllib.request.urlopen(server.url, timeout=20) as response:
            assert b"<!-- by the slow renderer -->" in response.read()
    check(running, CHANGES // 2, make_anew, looks_after=(BOUND_SECONDS, PUT_BACK_SECONDS))


def test_a_listener_that_is_cut_off_is_not_missed(fleet, own_redis: Redis, reached: list[int]) -> None:
    """Just before each commit; or a little earlier, so that they are coming back; or until everybody has been asked."""
    by_chance = random.Random(20261128)
    with own_redis.client() as redis, ThreadPoolExecutor(1) as thread:

        def cut() -> None:
            redis.client_kill_filter(_type="pubsub")

        def keep_cut() -> None:
            end = time.monotonic() + 2 * BOUND_SECONDS
            while time.monotonic() < end:
                cut()
                time.sleep(0.01)

        def cut_in_some_way(number: int) -> None:
            if number == 0:
                reached.clear()  # what was told while the processes started
            cut()
            if number % 3 == 1:
                time.sleep(by_chance.uniform(0.03, 0.09))
            elif number % 3 == 2:
                thread.submit(keep_cut)

        running = fleet()
        check(running, CHANGES // 2, cut_in_some_way)
    print("listeners reached, and by how many words:", dict(sorted(Counter(reached).items())))
    assert sum(number < len(running.servers) for number in reached) > CHANGES // 6


def test_a_redis_that_restarts_is_not_missed(fleet, own_redis: Redis) -> None:
    """It goes away just before a commit, and comes back without its memory after some changes were made without it."""

    def restart(number: int) -> None:
        if number % 10 == 5:
            own_redis.stop()
        elif number % 10 == 9:
            own_redis.start()

    check(fleet(), CHANGES // 2, restart)


def test_a_lost_message_is_noticed_by_the_stamp(
    fleet,
    reached: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of three are lost, so that some that arrive follow one that did not."""
    by_chance, channel = random.Random(20261128), coherence.CHANNEL

    def lose(number: int) -> None:
        lost = by_chance.random() < 2 / 3
        monkeypatch.setattr(coherence, "CHANNEL", "nobody listens here" if lost else channel)

    running = fleet()
    check(running, CHANGES // 2, lose)
    assert reached.count(0) > CHANGES // 6
    assert max(reached) > len(running.servers)
