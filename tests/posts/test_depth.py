"""Long lists: every post once and in order on numbered pages, at the same cost however deep."""

import datetime
import re

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.pages import store
from apps.posts.models import Category, Post, Tag
from apps.posts.models.post import month_number
from apps.posts.pages import paging
from tests.factories import make_category, make_post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a list of fifty times the length."""
    monkeypatch.setattr(paging, "POSTS_PER_KEY", 20)
    monkeypatch.setattr(paging, "KEYS_PER_BLOCK", 3)


@pytest.fixture
def shelf() -> Category:
    """A category and tag of 234 posts that came seven at a time, two of them pinned."""
    category, (tag,) = make_category("Long"), Tag.objects.named(["long"])
    newest = timezone.now()
    moments = [newest - datetime.timedelta(hours=number // 7) for number in range(234)]
    posts = Post.objects.bulk_create(
        Post(title=f"Number {number}", slug="x", status="published", category=category, pinned=number in {3, 200},
             published_at=moment, published_month=month_number(moment))
        for number, moment in enumerate(moments)
    )  # fmt: skip
    Post.tags.through.objects.bulk_create(Post.tags.through(post=post, tag=tag) for post in posts)
    store.drop()
    return category


def titles(client: Client, address: str) -> list[str]:
    return re.findall(r"<h2><a href=[^>]+>([^<]+)</a>", client.get(address).content.decode())


def newest_first() -> list[str]:
    return list(Post.objects.order_by("-published_at", "-pk").values_list("title", flat=True))


@pytest.mark.parametrize("address", ["/", "category", "/tag/long/", "/source/1/", "/archive/"])
def test_every_post_stands_once_and_in_order(client: Client, shelf: Category, address: str) -> None:
    expected = newest_first()
    if address == "/":
        pinned = ["Number 3", "Number 200"]
        expected = [*pinned, *(title for title in expected if title not in pinned)]
    path = shelf.get_absolute_url() if address == "category" else address
    found = [titles(client, f"{path}?page={number}") for number in range(1, 25)]
    assert [len(page) for page in found] == [10] * 23 + [4]
    assert [title for page in found for title in page] == expected
    assert client.get(f"{path}?page=25").status_code == 404


def test_many_pinned_posts_come_first_at_any_depth(client: Client, shelf: Category) -> None:
    pinned = list(Post.objects.order_by("pk").values_list("pk", flat=True)[:150])
    Post.objects.filter(pk__in=pinned).update(pinned=True)
    expected = list(Post.objects.order_by("-pinned", "-published_at", "-pk").values_list("title", flat=True))
    assert [title for number in range(1, 25) for title in titles(client, f"/?page={number}")] == expected


def test_a_post_published_meanwhile_moves_the_deep_pages(
    client: Client, shelf: Category, django_capture_on_commit_callbacks
) -> None:
    before = titles(client, "/archive/?page=15")
    with django_capture_on_commit_callbacks(execute=True):
        make_post(title="Newest")
    after = titles(client, "/archive/?page=15")
    assert after[1:] == before[:-1] and after[0] not in before


def test_a_post_whose_time_comes_moves_the_deep_pages(client: Client, shelf: Category) -> None:
    soon = make_post(title="Soon", published_at=timezone.now() + datetime.timedelta(hours=1))
    store.drop()
    before = titles(client, "/?page=15")
    Post.objects.filter(pk=soon.pk).update(published_at=timezone.now())
    store.drop()
    assert titles(client, "/?page=15")[1:] == before[:-1]


@pytest.mark.parametrize("address", ["/", "/archive/", "/tag/long/"])
def test_a_deep_page_is_one_query_once_the_list_is_known(
    client: Client, shelf: Category, django_assert_num_queries, address: str
) -> None:
    client.get(f"{address}?page=12")
    for number in (11, 23):
        with django_assert_num_queries(1):
            assert client.get(f"{address}?page={number}").status_code == 200
