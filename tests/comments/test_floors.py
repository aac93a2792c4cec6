"""The part address that open pages fetch floors from."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.comments.models import Comment
from apps.posts.models import Post
from tests.factories import make_administrator, make_comment, make_post

pytestmark = pytest.mark.django_db


def address(post: Post, after: object, to: object) -> str:
    return f"/article/{post.reference}/comment/floors/?after={after}&to={to}"


def floors(html: bytes) -> list[int]:
    return [int(floor) for floor in re.findall(r'id="floor-([0-9]+)"', html.decode())]


def test_floors_come_as_the_page_shows_them(client: Client) -> None:
    post = make_post()
    for number in range(1, 24):
        make_comment(post, f"Thought {number}.", reply_to_floor=number - 1 or None)
    page = client.get(f"{post.get_absolute_url()}?page=2").content.decode()
    part = client.get(address(post, 20, 23))
    assert floors(part.content) == [21, 22, 23]
    assert "".join(part.content.decode().split()) in "".join(page.split())
    assert part["X-Robots-Tag"] == "noindex" and "public" in part["Cache-Control"]


def test_hidden_ones_keep_their_floor_and_others_are_not_there(client: Client, admin_client: Client) -> None:
    post = make_post()
    for number in range(1, 5):
        make_comment(post, f"Thought {number}.")
    Comment.objects.filter(floor=2).set_state("screened")
    Comment.objects.filter(floor=3).set_state("pending")
    part = client.get(address(post, 0, 4)).content
    assert floors(part) == [1, 2, 4] and b"Thought 2." not in part and b"Thought 3." not in part
    own = admin_client.get(address(post, 0, 4))
    assert b"Thought 2." in own.content and "private" in own["Cache-Control"]


@pytest.mark.parametrize("after, to", [
    (0, 0), (1, 1), (2, 1), (0, 21), (0, 4), (3, 4), ("x", 2), (0, "²"), ("", ""), (0, "9" * 10), (-1, 2), (0, "9" * 9),
])  # fmt: skip
def test_only_floors_that_were_given_have_an_address(client: Client, after: object, to: object) -> None:
    post = make_post()
    for _ in range(3):
        make_comment(post)
    assert client.get(address(post, after, to)).status_code == 404


def test_who_may_not_read_the_post_gets_no_floor(client: Client, admin_client: Client) -> None:
    for fields, readable in [
        ({"status": "draft"}, False),
        ({"status": "private"}, False),
        ({"status": "unlisted"}, True),
        ({"password": "open sesame"}, False),
    ]:
        post = make_post(**fields)
        make_comment(post)
        answer = client.get(address(post, 0, 1))
        assert answer.status_code == (200 if readable else 404), fields
        own = admin_client.get(address(post, 0, 1))
        assert own.status_code == 200 and "private" in own["Cache-Control"], fields
        if readable:
            assert "private" in answer["Cache-Control"]
    assert client.get("/article/999999/comment/floors/?after=0&to=1").status_code == 404
    # The post of the last turn, once its password has been given:
    client.post(post.get_absolute_url(), {"password": "open sesame"})
    answer = client.get(address(post, 0, 1))
    assert answer.status_code == 200 and "private" in answer["Cache-Control"]
    post.password = "another"
    post.save()
    assert client.get(address(post, 0, 1)).status_code == 404


@pytest.mark.parametrize("comments", [2, 20])
def test_it_costs_one_query(client: Client, django_assert_num_queries, comments: int) -> None:
    post = make_post()
    for _ in range(comments):
        make_comment(post)
    client.get("/")
    with django_assert_num_queries(1):
        assert client.get(address(post, 0, comments)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_it_is_kept_until_the_comments_change() -> None:
    post = make_post()
    make_comment(post, "First.")
    Client().get(address(post, 0, 1))
    with CaptureQueriesContext(connection) as captured:
        assert b"First." in Client().get(address(post, 0, 1)).content
    assert len(captured) == 0
    Comment.objects.filter(post=post).set_state("screened")
    assert b"First." not in Client().get(address(post, 0, 1)).content
    owner = Client()
    owner.force_login(make_administrator())
    assert b"First." in owner.get(address(post, 0, 1)).content
    assert b"First." not in Client().get(address(post, 0, 1)).content
