"""Numbers kept twice are compared, days long past are kept by month."""

import datetime
import logging
import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.comments.models import Comment
from apps.comments.reactions.models import ReactionCount
from apps.comments.reactions.services import react, reconcile_reactions, standing
from apps.comments.services import reconcile_counts
from apps.posts.models import Post
from apps.stats import reconciling
from apps.stats.counters import View, counter
from apps.stats.models import DailyReferrer, DailyViews, FlushedBatch, PostDailyViews
from apps.stats.retention import MONTHS_KEPT
from apps.stats.services import flush_views, keep_bounded, reconcile_views, site_day
from tests.factories import make_comment, make_post, make_posts

pytestmark = pytest.mark.django_db


def test_totals_that_are_off_are_put_right_and_logged_with_figures(caplog) -> None:
    right, high, low = make_posts(3)
    for post in (right, high, low):
        counter().hit(View(site_day(), "ada", post.pk))
    Post.objects.filter(pk=high.pk).update(view_count=9)
    Post.objects.filter(pk=low.pk).update(view_count=0)
    assert reconcile_views() == 2
    assert set(Post.objects.values_list("view_count", flat=True)) == {1}
    assert f"Views of post {high.pk}: stored 9, counted 1; put right." in caplog.text
    assert f"Views of post {low.pk}: stored 0, counted 1; put right." in caplog.text
    caplog.clear()
    assert reconcile_views() == 0 and not caplog.records


def test_posts_are_looked_at_some_at_a_time(monkeypatch, django_assert_num_queries) -> None:
    monkeypatch.setattr(reconciling, "POSTS_SUMMED_AT_ONCE", 10)
    posts = make_posts(25)
    posts.pop(4).delete()
    for post in posts:
        counter().hit(View(site_day(), "ada", post.pk))
    with django_assert_num_queries(1 + 3):
        assert reconciling.correct_posts() == 0
    off = [posts[number].pk for number in (0, 9, 10, 19, 20, 23)]
    Post.objects.filter(pk__in=off).update(view_count=9)
    assert reconciling.correct_posts() == 6
    assert set(Post.objects.values_list("view_count", flat=True)) == {1}


def test_what_is_right_costs_the_same_however_many_posts_there_are() -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert reconcile_views() == reconcile_counts() == 0
        return len(queries)

    for post in make_posts(3):
        counter().hit(View(site_day(), "ada", post.pk))
    before = cost()
    for post in make_posts(30):
        counter().hit(View(site_day(), "ada", post.pk))
        make_comment(post)
    assert cost() == before <= 5


def test_a_day_cannot_have_fewer_views_than_its_posts_or_than_its_visitors(caplog) -> None:
    post, today = make_post(), site_day()
    yesterday = today - datetime.timedelta(days=1)
    counter().hit(View(today, "ada", post.pk))
    counter().hit(View(yesterday, "ada", post.pk))
    DailyViews.objects.filter(day=today).update(pv=0)
    DailyViews.objects.filter(day=yesterday).update(uv=5)
    assert reconcile_views() == 2
    assert list(DailyViews.objects.values_list("pv", "uv")) == [(1, 1), (1, 1)]
    assert f"Views of {today}: stored 0 by 1 visitors, posts alone counted 1; put right to 1 by 1." in caplog.text


@pytest.mark.django_db(transaction=True)
def test_views_that_arrive_meanwhile_are_kept(any_counter) -> None:
    posts, today = make_posts(3), site_day()
    counter.cache_clear()
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            for number in range(30):
                counter().hit(View(today, "ada", posts[number % 3].pk))
                Post.objects.filter(pk=posts[number % 3].pk).update(view_count=1000)
                if number % 5 == 0:
                    flush_views()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()
            done.set()

    reading = threading.Thread(target=read)
    reading.start()
    while not done.wait(0.01):
        reconcile_views()
    reading.join(30)
    reconcile_views()
    assert not failures and set(Post.objects.values_list("view_count", flat=True)) == {10}
    assert sum(PostDailyViews.objects.values_list("views", flat=True)) == 30
    assert counter().numbers(today, posts[0].pk).views == 10


def test_after_a_correction_the_corrected_total_is_shown(redis_counter) -> None:
    post, today = make_post(), site_day()
    Post.objects.filter(pk=post.pk).update(view_count=70)
    assert redis_counter.hit(View(today, "ada", post.pk)).views == 71
    assert reconcile_views() == 1
    assert redis_counter.numbers(today, post.pk).views == 1


def test_comment_counts_and_floors_are_put_right(caplog) -> None:
    right, count_off, floor_off, emptied = make_posts(4)
    for post in (right, count_off, floor_off, emptied):
        make_comment(post)
        make_comment(post)
    Comment.objects.filter(post=right, floor=2).delete()
    Comment.objects.filter(post=emptied).delete()
    Post.objects.filter(pk=count_off.pk).update(comment_count=7)
    Post.objects.filter(pk=floor_off.pk).update(last_floor=1)
    assert reconcile_counts() == 2
    rows = list(Post.objects.order_by("pk").values_list("comment_count", "last_floor"))
    assert rows == [(1, 2), (2, 2), (2, 2), (0, 2)]
    said = f"Comments of post {count_off.pk}: stored 7 up to floor 2, counted 2 up to floor 2; put right."
    assert said in caplog.text
    assert make_comment(floor_off).floor == 3 and reconcile_counts() == 0


def test_numbers_of_reactions_are_put_right(caplog) -> None:
    post = make_post()
    make_comment(post)
    for number in range(3):
        react(post, floor=0, kind="like", visitor=f"visitor {number}", on=True, address="192.0.2.1")
    react(post, floor=1, kind="love", visitor="visitor 0", on=True, address="192.0.2.1")
    react(post, floor=1, kind="love", visitor="visitor 0", on=False, address="192.0.2.1")
    assert reconcile_reactions() == 0
    ReactionCount.objects.filter(kind="like").update(number=7)
    ReactionCount.objects.filter(kind="love").update(number=1)
    assert reconcile_reactions() == 2
    assert standing(post, 1, 20, "")["counts"] == {0: {"like": 3}}
    assert f"Reactions like of post {post.pk}, floor 0: stored 7, counted 3; put right." in caplog.text


def test_months_long_past_are_kept_in_one_row_and_no_view_is_lost(caplog) -> None:
    post, other = make_posts(2)
    today = site_day()
    first = today.replace(day=1)
    for _ in range(MONTHS_KEPT):
        first = (first - datetime.timedelta(days=1)).replace(day=1)
    old = [first - datetime.timedelta(days=number) for number in range(1, 20)]
    for day in (*old, first, first + datetime.timedelta(days=3), today):
        PostDailyViews.objects.create(post=post, day=day, views=2)
        DailyReferrer.objects.create(day=day, kind="host", name="example.com", views=3)
    PostDailyViews.objects.create(post=other, day=old[0], views=5)
    Post.objects.filter(pk=post.pk).update(view_count=2 * 22)
    Post.objects.filter(pk=other.pk).update(view_count=5)
    batches = [FlushedBatch.objects.create(id=name) for name in ("old", "new")]
    FlushedBatch.objects.filter(pk="old").update(applied_at=timezone.now() - datetime.timedelta(days=8))

    assert keep_bounded() == 18 + 18 + 1
    assert keep_bounded() == 0
    month = old[0].replace(day=1)
    kept = sorted(PostDailyViews.objects.filter(day__lt=first).values_list("post", "day", "views"))
    assert kept == [(post.pk, month, 38), (other.pk, month, 5)]
    assert PostDailyViews.objects.filter(day__gte=first).count() == 3
    assert list(DailyReferrer.objects.filter(day__lt=first).values_list("day", "views")) == [(month, 57)]
    assert list(FlushedBatch.objects.all()) == batches[1:]
    caplog.set_level(logging.WARNING)
    assert reconcile_views() == 1 and "posts alone counted 2" in caplog.text  # today, which the test made by hand
