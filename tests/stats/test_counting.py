"""Views: counted once each, by whom they should be."""

import datetime
import threading

import pytest
from django.db import connection
from django.test import Client

from apps.posts.models import Post
from apps.stats.counters import View
from apps.stats.database_counter import DatabaseCounter
from apps.stats.models import DailySalt, DailyViews, DailyVisitor, PostDailyViews
from apps.stats.services import count_view, site_day
from tests.factories import make_administrator, make_post
from tests.services import BROWSER

pytestmark = pytest.mark.django_db
ADDRESS = "/stats/view"


def beacon(client: Client, body: str = "{}", **extra):
    return client.post(ADDRESS, body, content_type="text/plain;charset=UTF-8", **extra)


def counted() -> tuple[int, int]:
    row = DailyViews.objects.filter(day=site_day()).values_list("pv", "uv").first()
    return row or (0, 0)


def test_views_are_exact_and_visitors_are_counted_once(reader: Client) -> None:
    post = make_post()
    for _ in range(5):
        answer = beacon(reader, f'{{"post": {post.pk}}}').json()
    beacon(reader)
    beacon(reader, REMOTE_ADDR="10.1.2.3")
    assert counted() == (7, 2)
    assert answer["views"] == 5 and answer["pv_today"] == 5 and answer["uv_today"] == 1
    assert Post.objects.get(pk=post.pk).view_count == 5
    assert PostDailyViews.objects.get(post=post, day=site_day()).views == 5


def test_the_pixel_counts_for_readers_without_scripts(reader: Client) -> None:
    post = make_post()
    answer = reader.get(f"{ADDRESS}?post={post.pk}")
    assert answer["Content-Type"] == "image/gif" and answer.content.startswith(b"GIF89a")
    assert "no-store" in answer["Cache-Control"] and counted() == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_what_a_view_costs_without_redis(reader: Client, django_assert_num_queries) -> None:
    of_post = f'{{"post": {make_post().pk}, "referrer": "%s"}}'
    for body in (of_post % "https://example.com/", "{}"):
        beacon(reader, body)
    for body, statements in ((of_post % "", 8), (of_post % "https://example.com/", 9), ("{}", 5)):
        with django_assert_num_queries(statements):
            beacon(reader, body)
        with django_assert_num_queries(statements + 4):
            beacon(reader, body, REMOTE_ADDR=f"10.1.1.{statements}")


def test_robots_owners_and_prefetches_are_not_counted(reader: Client) -> None:
    robots = ("", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5.0",
              "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)")  # fmt: skip
    for agent in robots:
        beacon(Client(headers={"user-agent": agent}))
    beacon(reader, headers={"sec-purpose": "prefetch;prerender"})
    reader.force_login(make_administrator())
    assert beacon(reader).status_code == 200
    assert counted() == (0, 0)


def test_a_request_that_no_session_was_looked_up_for_is_a_readers(rf) -> None:
    request = rf.post(ADDRESS, headers={"user-agent": BROWSER})
    assert not hasattr(request, "user")
    assert count_view(request.META, None).pv == 1
    assert count_view(rf.post(ADDRESS, headers={"user-agent": "curl/8.5.0"}).META, None).pv == 1
    assert counted() == (1, 1) and DailyViews.objects.get().robots == 1


@pytest.mark.parametrize("body", ["[]", "nonsense", '{"post": "1"}', '{"post": -1}', '{"post": 1.5}', '{"post": true}',
                                  "[" * 100_000, "{}" + " " * 1_000_000, "\x00", '{"post": 99999999999999999999}', "{" + " " * 500 + "}", "[" * 150])  # fmt: skip
def test_a_bad_beacon_is_a_400_and_counts_nothing(reader: Client, body: str) -> None:
    assert beacon(reader, body).status_code == 400
    assert counted() == (0, 0)


@pytest.mark.parametrize("asked", ["x", "-1", "", "1 OR 1", "99999999999999999999"])
def test_a_bad_pixel_is_a_400(reader: Client, asked: str) -> None:
    assert reader.get(ADDRESS, {"post": asked}).status_code == 400


def test_an_unknown_post_counts_nothing_at_all(reader: Client) -> None:
    assert beacon(reader, '{"post": 424242}').status_code == 404
    assert counted() == (0, 0)


def test_a_visitor_is_linked_to_nothing_after_the_day() -> None:
    counter, today = DatabaseCounter(), site_day()
    tomorrow = today + datetime.timedelta(days=1)
    old_salt = counter.salt(today)
    counter.hit(View(today, "visitor"))
    assert counter.salt(tomorrow) != old_salt
    assert not DailyVisitor.objects.filter(day=today).exists() and not DailySalt.objects.filter(day=today).exists()
    counter.hit(View(tomorrow, "visitor"))
    assert (counter.numbers(today).uv, counter.numbers(tomorrow).uv) == (1, 1)


def test_what_nobody_may_read_is_neither_counted_nor_told(reader: Client) -> None:
    for post in (make_post(status="draft"), make_post(status="private")):
        assert beacon(reader, f'{{"post": {post.pk}}}').status_code == 404
        assert beacon(Client(), f'{{"post": {post.pk}}}').status_code == 404  # a robot
        assert Post.objects.get(pk=post.pk).view_count == 0
    unlisted = make_post(status="unlisted")
    assert beacon(reader, f'{{"post": "{unlisted.reference}"}}').json()["views"] == 1
    assert reader.get(f"/stats/view?post={unlisted.reference}").status_code == 200
    for guess in (f"{unlisted.pk}", f'"{unlisted.pk}-{"0" * 20}"'):
        assert beacon(reader, f'{{"post": {guess}}}').status_code == 404
    assert reader.get(f"/stats/view?post={unlisted.pk}").status_code == 404


def test_only_the_posts_own_page_counts_as_its_view(reader: Client) -> None:
    post = make_post(password="x")
    mark = f'<body data-post="{post.pk}"'
    assert mark not in reader.get(post.get_absolute_url()).content.decode()
    reader.post(post.get_absolute_url(), {"password": "x"})
    page = reader.get(post.get_absolute_url())
    assert mark in page.content.decode() and "private" in page["Cache-Control"]
    assert mark not in reader.get(f"/article/{post.pk}/comment/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_first_views_of_a_day_are_all_counted() -> None:
    posts = [make_post() for _ in range(6)]
    counter, failures = DatabaseCounter(), []
    days = [site_day() + datetime.timedelta(days=number) for number in range(4)]
    for day in days:
        start = threading.Barrier(24)

        def read(number: int, day: datetime.date = day, start: threading.Barrier = start) -> None:
            try:
                start.wait(timeout=30)
                counter.hit(View(day, f"visitor {number}", posts[number % 7].pk if number % 7 < 6 else None))
            except BaseException as failure:
                failures.append(failure)
            finally:
                connection.close()

        threads = [threading.Thread(target=read, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    assert not failures
    assert list(DailyViews.objects.order_by("day").values_list("pv", "uv")) == [(24, 24)] * len(days)
    assert sum(Post.objects.values_list("view_count", flat=True)) == len(days) * 21
