"""The extra promise of the counter in Redis: killed, cut off, asked twice, it neither loses nor doubles a view."""

import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client
from redis.connection import Connection

from apps.core import resilience
from apps.core.db import gate
from apps.core.pages import coherence
from apps.core.pages.coherence import LISTS_STAMP, STAMP
from apps.core.redis import clients as blog_redis
from apps.posts.models import Post
from apps.stats import redis_counter as module
from apps.stats.beacon import cache
from apps.stats.counters import Numbers, View
from apps.stats.models import DailyViews, FlushedBatch, PostDailyViews
from apps.stats.redis_counter import BATCH, PENDING, RedisCounter
from apps.stats.services import site_day
from tests.factories import make_post
from tests.services import ROOT, Redis

pytestmark = pytest.mark.django_db
# A flusher that ends, as kill -9 would end it, at the point it is told.
FLUSHER = """
import os, signal, sys, django
django.setup()
from apps.stats import batches, redis_counter
from apps.stats.counters import counter

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

flusher = counter()
match sys.argv[1]:
    case "before the tables":
        redis_counter.apply = die
    case "in the transaction":
        batches._count_referrers = die
    case "after the tables":
        flusher._finish = die
flusher.drain()
"""


def counted(post: Post) -> tuple[int, int, int]:
    pv = DailyViews.objects.numbers(site_day())[0]
    of_post = PostDailyViews.objects.get(post=post, day=site_day()).views
    return pv, of_post, Post.objects.get(pk=post.pk).view_count


def flush_and_die(point: str, redis: Redis) -> None:
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "mysql":
        url = f"mysql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    site = {"DJANGO_SETTINGS_MODULE": "blog_xtg.settings", "DATABASE_URL": url, "REDIS_URL": redis.url}
    done = subprocess.run(
        [sys.executable, "-c", FLUSHER, point],
        cwd=ROOT,
        env={**os.environ, **site, "ENV_FILE": os.devnull},
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["before the tables", "in the transaction", "after the tables"])
def test_a_killed_flusher_loses_and_doubles_nothing(redis_counter: RedisCounter, own_redis: Redis, point: str) -> None:
    post, today = make_post(), site_day()
    for _ in range(3):
        shown = redis_counter.hit(View(today, "ada", post.pk))
    flush_and_die(point, own_redis)
    assert redis_counter._redis.exists(BATCH)
    shown = redis_counter.hit(View(today, "ada", post.pk))
    if point != "after the tables":  # between there and the delete a total without a base may be read twice
        assert shown == Numbers(4, 1, 4)
    redis_counter.drain()
    redis_counter.drain()
    assert counted(post) == (4, 4, 4) and not redis_counter._redis.exists(BATCH, PENDING)
    assert redis_counter.numbers(today, post.pk) == Numbers(4, 1, 4)


def test_two_flushers_with_one_batch_write_it_once(redis_counter: RedisCounter, own_redis: Redis) -> None:
    post, today = make_post(), site_day()
    other = RedisCounter(redis_counter._redis)
    redis_counter.hit(View(today, "ada", post.pk))
    mine, same = redis_counter._taken("a" * 32), other._taken("b" * 32)
    assert mine and same and mine.id == same.id
    assert module.apply(mine, {}) and not module.apply(same, {})
    # The slower one comes to its delete when the next batch is on its way already: that one stays.
    redis_counter._finish(keys=[BATCH, module.TOTALS], args=[mine.id, *module._totals(mine)])
    redis_counter.hit(View(today, "ada", post.pk))
    following = redis_counter._taken("c" * 32)
    other._finish(keys=[BATCH, module.TOTALS], args=[same.id, *module._totals(same)])
    assert following and redis_counter._redis.exists(BATCH)
    other.drain()
    assert counted(post) == (2, 2, 2) and FlushedBatch.objects.count() == 2


def test_a_redis_that_forgot_the_scripts_counts_the_next_view(redis_counter: RedisCounter) -> None:
    post, today = make_post(), site_day()
    for number in range(1, 4):
        redis_counter._redis.script_flush()
        assert redis_counter.hit(View(today, "ada", post.pk)) == Numbers(number, 1, number)


@contextmanager
def at_once() -> Iterator[None]:
    """As if the few seconds in which a server away is left alone were over."""
    blog_redis._breaker.reset()
    yield


def test_views_without_redis_are_counted_when_it_is_back(redis_counter: RedisCounter, own_redis: Redis, caplog) -> None:
    post, today = make_post(), site_day()
    redis_counter.hit(View(today, "ada", post.pk))
    redis_counter.drain()
    own_redis.stop()
    for number in range(25):
        assert redis_counter.hit(View(today, f"visitor {number}", post.pk)) == Numbers()
    redis_counter.drain()
    own_redis.start()  # with nothing in it
    with at_once():
        assert redis_counter.hit(View(today, "ada", post.pk)) == Numbers(27, 26, 27)
    redis_counter.drain()
    assert counted(post) == (27, 27, 27)
    assert "25 views of the time without Redis are counted now, 0 were dropped" in caplog.text


def test_a_day_that_begins_without_redis_has_a_salt_that_the_others_take_over(
    redis_counter: RedisCounter, own_redis: Redis
) -> None:
    today, other = site_day(), RedisCounter(redis_counter._redis)
    own_redis.stop()
    salt = redis_counter.salt(today)
    assert len(salt) == 32 and redis_counter.salt(today) == salt
    own_redis.start()
    with at_once():
        assert redis_counter.salt(today) == salt == other.salt(today)


def test_the_backlog_drops_its_oldest_and_says_how_many(own_redis: Redis, redis_counter: RedisCounter, caplog) -> None:
    counter, today = RedisCounter(redis_counter._redis, backlog_views=10), site_day()
    own_redis.stop()
    for number in range(13):
        counter.hit(View(today - datetime.timedelta(days=number < 3), "ada"))
    own_redis.start()
    with at_once():
        counter.drain()
    assert list(DailyViews.objects.values_list("day", "pv")) == [(today, 10)]
    assert "10 views of the time without Redis are counted now, 3 were dropped" in caplog.text


def test_a_view_that_redis_took_without_answering_is_counted_once(
    redis_counter: RedisCounter, own_redis: Redis
) -> None:
    post, today = make_post(), site_day()
    redis_counter.hit(View(today, "ada", post.pk))
    own_redis.pause()  # what is sent now waits in its socket, and is carried out when it wakes up
    assert redis_counter.hit(View(today, "ada", post.pk)) == Numbers()
    assert redis_counter.hit(View(today, "ada", post.pk)) == Numbers()
    own_redis.resume()
    with at_once():
        assert redis_counter.hit(View(today, "ada", post.pk)) == Numbers(4, 1, 4)
    redis_counter.drain()
    assert counted(post) == (4, 4, 4)


def test_nothing_in_redis_grows_for_ever(redis_counter: RedisCounter) -> None:
    post, today = make_post(), site_day()
    for number in range(50):
        redis_counter.hit(View(today, f"visitor {number}", post.pk, "host:example.com"))
        redis_counter.salt(today)
    redis_counter.drain()
    redis_counter.hit(View(today, "ada", post.pk))
    redis = redis_counter._redis
    keys = {key.decode(): redis.ttl(key) for key in redis.keys("*")}
    assert all(name.startswith("blog:") for name in keys) and len(keys) <= 10
    for_ever = {name for name, seconds in keys.items() if seconds < 0}
    assert for_ever == {PENDING, STAMP, LISTS_STAMP}  # the first is flushed every minute, the others are two words
    assert keys[f"blog:salt:{today}"] <= 24 * 3600 + 60


def test_the_beacon_answers_from_redis_alone(
    redis_counter: RedisCounter, reader: Client, django_assert_num_queries, monkeypatch
) -> None:
    post = make_post()
    body = json.dumps({"post": post.pk, "referrer": "https://www.google.co.jp/"})
    reader.post("/stats/view", body, content_type="text/plain")
    trips, send = [], Connection.send_packed_command

    def noted(self, command, check_health=True):
        if not threading.current_thread().name.startswith("coherence"):  # its heartbeat goes on beside us
            trips.append(command)
        return send(self, command, check_health)

    monkeypatch.setattr(Connection, "send_packed_command", noted)
    with django_assert_num_queries(0):
        response = reader.post("/stats/view", body, content_type="text/plain")
    answer = response.json()
    assert answer | {"pv_today": 2, "uv_today": 1, "views": 2, "post_comments": 0} == answer
    assert len(trips) == 1, trips
    assert response["Content-Length"] == str(len(response.content))  # sent in one piece, not in chunks


def test_without_redis_the_beacon_still_answers(redis_counter: RedisCounter, reader: Client, own_redis: Redis) -> None:
    post = make_post()
    own_redis.stop()
    answer = reader.post("/stats/view", json.dumps({"post": post.pk}), content_type="text/plain")
    assert answer.status_code == 200 and answer.json().keys() == {"posts", "comments", "post_comments"}
    assert reader.get(f"/stats/view?post={post.pk}")["Content-Type"] == "image/gif"
    own_redis.start()
    with at_once():
        assert reader.post("/stats/view", "{}", content_type="text/plain").json()["pv_today"] == 3


@contextmanager
def refusing() -> Iterator[list[str]]:
    """The database takes no statement; what it was asked."""
    asked: list[str] = []

    def refuse(execute, sql, params, many, context):
        asked.append(sql)
        raise OperationalError("The database is away.")

    with connection.execute_wrapper(refuse):
        yield asked
    gate._breaker.reset()


def test_without_the_database_views_are_counted_and_shown_as_far_as_known(
    redis_counter: RedisCounter, reader: Client, monkeypatch
) -> None:
    post = make_post()
    body = json.dumps({"post": post.pk})
    assert reader.post("/stats/view", body, content_type="text/plain").json()["views"] == 1
    with monkeypatch.context() as patch, refusing() as asked:
        later = time.monotonic() + cache.MAX_AGE_SECONDS
        patch.setattr(resilience, "time", SimpleNamespace(monotonic=lambda: later))
        for number in range(2, 5):
            answer = reader.post("/stats/view", body, content_type="text/plain").json()
            assert (answer["views"], answer["uv_today"], answer["post_comments"]) == (number, 1, 0)
        redis_counter.forget_totals()
        for _ in range(2):
            answer = reader.post("/stats/view", body, content_type="text/plain").json()
            assert answer.keys() == {"posts", "comments", "post_comments"}
    assert len(asked) == 1, asked  # whether the post may still be read: not by each view
    answer = reader.post("/stats/view", body, content_type="text/plain").json()
    assert (answer["views"], answer["pv_today"], answer["uv_today"]) == (7, 7, 1)


def test_without_the_database_a_post_this_process_never_saw_is_counted(
    redis_counter: RedisCounter, reader: Client
) -> None:
    post, nobodys = make_post(), 424242
    with refusing() as asked:
        for pk in (post.pk, nobodys, post.pk):
            answer = reader.post("/stats/view", json.dumps({"post": pk}), content_type="text/plain")
            assert answer.status_code == 200 and "post_comments" not in answer.json()
        assert reader.get(f"/stats/view?post={post.pk}").content.startswith(b"GIF89a")
    assert len(asked) <= 2, asked  # the post, and the site's numbers
    redis_counter.drain()
    assert counted(post) == (4, 3, 3) and PostDailyViews.objects.count() == 1


def test_the_sites_numbers_known_last_are_shown_while_another_thread_waits(
    redis_counter: RedisCounter, reader: Client
) -> None:
    make_post()
    before = reader.post("/stats/view", "{}", content_type="text/plain").json()
    with cache._gate:  # as a thread that reads the snapshot from a database that hangs
        for most_seconds in (gate.WAIT_SECONDS + 1, 0.5):
            begun = time.monotonic()
            answer = reader.post("/stats/view", "{}", content_type="text/plain").json()
            assert (answer["posts"], answer["comments"]) == (before["posts"], 0)
            assert time.monotonic() - begun < most_seconds


def test_a_redis_that_lost_its_memory_shows_the_visitors_the_tables_know(redis_counter: RedisCounter) -> None:
    today = site_day()
    for number in range(5):
        redis_counter.hit(View(today, f"visitor {number}"))
    redis_counter.drain()
    redis_counter._redis.flushall()
    assert redis_counter.hit(View(today, "visitor 0")) == Numbers(6, 5)
    redis_counter.drain()
    assert redis_counter.numbers(today) == Numbers(6, 5)
    redis_counter._redis.flushall()
    for number in range(10, 17):  # more than were known before
        shown = redis_counter.hit(View(today, f"visitor {number}"))
    redis_counter.drain()
    assert shown == redis_counter.numbers(today) == Numbers(13, 7)
    assert DailyViews.objects.numbers(today) == (13, 7)


def test_a_post_just_hidden_is_a_404_once_it_is_dropped(redis_counter: RedisCounter, reader: Client) -> None:
    post = make_post()
    body = json.dumps({"post": post.pk})
    assert reader.post("/stats/view", body, content_type="text/plain").status_code == 200
    post.unpublish()
    coherence.invalidate(frozenset([post.pk]))
    assert reader.post("/stats/view", body, content_type="text/plain").status_code == 404
    redis_counter.drain()
    assert counted(post) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_being_asked_for_while_it_changes_is_not_remembered(monkeypatch) -> None:
    post = make_post()
    asked, changed = threading.Event(), threading.Event()
    get = type(Post.objects.all()).get

    def slow(self, **asked_for):
        found = get(self, **asked_for)
        asked.set()
        assert changed.wait(10)
        return found

    monkeypatch.setattr(type(Post.objects.all()), "get", slow)

    def ask() -> None:
        cache.comments_of(post.pk)
        connections.close_all()

    asking = threading.Thread(target=ask)
    asking.start()
    assert asked.wait(10)
    post.unpublish()
    coherence.invalidate(frozenset([post.pk]))
    changed.set()
    asking.join(10)
    with pytest.raises(Post.DoesNotExist):
        cache.comments_of(post.pk)
