"""The contract of every counter, checked against each of them."""

import datetime
import threading

import pytest
from django.db import connection

from apps.posts.models import Post
from apps.stats.counters import Counter, Numbers, View
from apps.stats.models import DailyReferrer, DailyViews, PostDailyViews
from apps.stats.referrers import NAMES_A_DAY
from apps.stats.services import site_day
from tests.factories import make_post

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def of_day(day: datetime.date) -> tuple[int, int, int] | None:
    return DailyViews.objects.filter(day=day).values_list("pv", "uv", "robots").first()


def referrers() -> dict[str, int]:
    return {f"{row.kind}:{row.name}": row.views for row in DailyReferrer.objects.all()}


def test_a_view_counts_for_its_day_its_post_and_its_visitor(any_counter: Counter) -> None:
    post, other, today = make_post(), make_post(), site_day()
    assert any_counter.hit(View(today, "ada", post.pk)) == Numbers(1, 1, 1)
    assert any_counter.hit(View(today, "ada", post.pk)) == Numbers(2, 1, 2)
    assert any_counter.hit(View(today, "bob", other.pk)) == Numbers(3, 2, 1)
    assert any_counter.hit(View(today, "bob")) == Numbers(4, 2)
    any_counter.drain()
    assert of_day(today) == (4, 2, 0)
    assert list(Post.objects.order_by("pk").values_list("view_count", flat=True)) == [2, 1]
    assert list(PostDailyViews.objects.order_by("post").values_list("post", "day", "views")) == [
        (post.pk, today, 2),
        (other.pk, today, 1),
    ]


def test_what_is_shown_never_goes_back_when_it_is_flushed(any_counter: Counter) -> None:
    post, today = make_post(), site_day()
    Post.objects.filter(pk=post.pk).update(view_count=5000)
    DailyViews.objects.create(day=today, pv=70, uv=9)
    for number in range(1, 6):
        shown = any_counter.hit(View(today, "ada", post.pk))
        assert (shown.pv, shown.views) == (70 + number, 5000 + number)
        assert any_counter.numbers(today, post.pk) == shown
        if number % 2:
            any_counter.drain()
            assert any_counter.numbers(today, post.pk) == shown
    any_counter.forget_totals()
    assert any_counter.numbers(today, post.pk) == shown
    any_counter.drain()
    assert Post.objects.get(pk=post.pk).view_count == 5005 and of_day(today)[0] == 75


def test_midnight_parts_the_days(any_counter: Counter) -> None:
    post, today = make_post(), site_day()
    any_counter.hit(View(today, "ada", post.pk))
    assert any_counter.hit(View(today + DAY, "ada", post.pk)) == Numbers(1, 1, 2)
    any_counter.hit(View(today + DAY, "ada", post.pk))
    any_counter.drain()
    assert (of_day(today), of_day(today + DAY)) == ((1, 1, 0), (2, 1, 0))
    assert sorted(PostDailyViews.objects.values_list("day", "views")) == [(today, 1), (today + DAY, 2)]
    assert Post.objects.get(pk=post.pk).view_count == 3


def test_robots_are_counted_apart(any_counter: Counter) -> None:
    post, today = make_post(), site_day()
    any_counter.hit(View(today, post_id=post.pk))
    any_counter.hit(View(today))
    shown = any_counter.hit(View(today, "ada", post.pk))
    any_counter.drain()
    assert shown == Numbers(1, 1, 1) and of_day(today) == (1, 1, 2)


def test_referrers_are_counted_by_day_and_bounded(any_counter: Counter) -> None:
    today = site_day()
    for number in range(NAMES_A_DAY + 20):
        any_counter.hit(View(today, "ada", referrer=f"host:{number}.example"))
    for referrer in ("host:0.example", "host:late.example", "", "host:0.example"):
        any_counter.hit(View(today, "ada", referrer=referrer))
    any_counter.drain()
    counted = referrers()
    assert len(counted) == NAMES_A_DAY + 1 and counted["host:0.example"] == 3 and counted["other:"] == 21
    assert sum(counted.values()) == NAMES_A_DAY + 23
    any_counter.hit(View(today + DAY, "ada", referrer="engine:Google"))
    any_counter.drain()
    assert referrers()["engine:Google"] == 1


def test_engines_have_room_on_a_day_full_of_invented_hosts(any_counter: Counter) -> None:
    today = site_day()
    any_counter.hit(View(today, "ada", referrer="engine:Google"))
    for number in range(NAMES_A_DAY + 1):
        any_counter.hit(View(today, "ada", referrer=f"host:{number}.example"))
    for engine in ("engine:Google", "engine:Bing", "engine:Bing", "host:bing.example"):
        any_counter.hit(View(today, "ada", referrer=engine))
    any_counter.drain()
    counted = referrers()
    assert (counted["engine:Google"], counted["engine:Bing"], counted["other:"]) == (2, 2, 2)
    assert len(counted) == NAMES_A_DAY + 3  # the engine that came first took no host's place


def test_a_post_deleted_meanwhile_counts_for_the_site_alone(any_counter: Counter) -> None:
    gone, stays, today = make_post(), make_post(), site_day()
    any_counter.hit(View(today, "ada", gone.pk))
    gone_pk = gone.pk
    gone.delete()
    any_counter.hit(View(today, "ada", gone_pk))
    any_counter.hit(View(today, "ada", stays.pk))
    any_counter.drain()
    assert of_day(today) == (3, 1, 0)
    assert list(PostDailyViews.objects.values_list("post", "views")) == [(stays.pk, 1)]


def test_the_salt_is_one_for_all_and_another_every_day(any_counter: Counter) -> None:
    today = site_day()
    salt = any_counter.salt(today)
    assert len(salt) == 32 and any_counter.salt(today) == salt
    another = type(any_counter)(*([any_counter._redis] if hasattr(any_counter, "_redis") else []))
    assert another.salt(today) == salt
    assert any_counter.salt(today + DAY) != salt


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_when_many_count_and_flush_at_once(any_counter: Counter) -> None:
    posts, today = [make_post(), make_post()], site_day()
    failures: list[BaseException] = []

    def read(name: str) -> None:
        try:
            for number in range(10):
                any_counter.hit(View(today, name, posts[number % 2].pk))
                if number % 4 == 0:
                    any_counter.drain()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=read, args=(f"visitor {n % 4}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    any_counter.drain()
    assert not failures and of_day(today) == (80, 4, 0)
    assert [Post.objects.get(pk=post.pk).view_count for post in posts] == [40, 40]
    assert sum(PostDailyViews.objects.values_list("views", flat=True)) == 80
    shown = any_counter.numbers(today, posts[0].pk)
    assert shown == Numbers(80, 4, 40)
