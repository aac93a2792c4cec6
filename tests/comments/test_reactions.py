"""Reactions without sign-in: one for each visitor and kind, exact at any speed, bounded by address."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from apps.comments.models import Comment
from apps.comments.reactions.models import Reaction
from apps.core import resilience
from tests.factories import make_comment, make_post
from tests.services import Redis

pytestmark = pytest.mark.django_db


def ask(client: Client, post: Any, status: int = 200, **message: Any) -> Any:
    response = client.post(
        f"/article/{post.pk}/reactions/", {"floors": [1, 20], **message}, content_type="application/json"
    )
    assert response.status_code == status, response.content
    assert status != 200 or response["Cache-Control"] == "private, no-store"
    return response.json() if status in {200, 429} else None


def test_a_reader_reacts_once_and_takes_it_back(client: Client) -> None:
    post = make_post()
    make_comment(post)
    first = ask(client, post, kind="like")
    assert first["counts"] == {"0": {"like": 1}} and first["mine"] == {"0": ["like"]}
    visitor = first["visitor"]
    for _ in range(3):  # a click that is sent again is the same click
        again = ask(client, post, kind="like", visitor=visitor)
    assert again == {"counts": {"0": {"like": 1}}, "mine": {"0": ["like"]}}
    ask(client, post, kind="love", visitor=visitor)
    both = ask(client, post, kind="cheer", floor=1, visitor=visitor)
    assert both["counts"] == {"0": {"like": 1, "love": 1}, "1": {"cheer": 1}}
    for _ in range(2):
        ask(client, post, kind="love", on=False, visitor=visitor)
    assert ask(client, post)["counts"] == {"0": {"like": 1}, "1": {"cheer": 1}}
    assert ask(client, post)["mine"] == {}
    assert ask(client, post, visitor=visitor)["mine"] == {"0": ["like"], "1": ["cheer"]}


def test_another_reader_is_another(client: Client) -> None:
    post = make_post()
    visitors = {ask(client, post, kind="like")["visitor"] for _ in range(3)}
    assert len(visitors) == 3 and ask(client, post)["counts"] == {"0": {"like": 3}}


@pytest.mark.parametrize("visitor", ["x", "0" * 32, f"{'0' * 32}:forged", "é:ü", "\0"])
def test_nobody_makes_up_an_id(client: Client, visitor: str) -> None:
    post = make_post()
    assert ask(client, post, kind="like", visitor=visitor)["visitor"] != visitor
    assert Reaction.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    ["", "[]", "1", "{", '{"kind": "hate"}', '{"kind": ["like"]}', '{"floor": -1}', '{"floor": true}', '{"floors": 3}',
     '{"floors": [1]}', '{"floors": ["a", "b"]}', '{"visitor": {}}', '{"on": 1}', '{"floor": 99999999999}',
     '{"visitor": "' + "x" * 600 + '"}', "[" * 400],
)  # fmt: skip
def test_what_is_no_message_is_refused(client: Client, body: str) -> None:
    address = f"/article/{make_post().pk}/reactions/"
    assert client.post(address, body, content_type="application/json").status_code == 400


def test_no_form_of_another_site_can_react(client: Client) -> None:
    post = make_post()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        address = f"/article/{post.pk}/reactions/"
        assert client.post(address, '{"kind": "like"}', content_type=content_type).status_code == 400
    assert client.get(address).status_code == 405 and not Reaction.objects.exists()


def test_what_a_reader_cannot_see_takes_no_reaction(client: Client, admin_client: Client) -> None:
    for post in (make_post(status="draft"), make_post(password="sesame")):
        ask(client, post, 404, kind="like")
    ask(client, make_post(pk=4242), 200)
    post = make_post()
    make_comment(post)
    ask(client, post, 404, kind="like", floor=2)
    Comment.objects.all().set_state("screened")
    ask(client, post, 404, kind="like", floor=1)
    assert not Reaction.objects.exists()


def test_with_a_comment_go_its_reactions(client: Client) -> None:
    post = make_post()
    comment = make_comment(post)
    ask(client, post, kind="like", floor=1)
    ask(client, post, kind="like")
    Comment.objects.by_ids([comment.pk]).delete()
    assert ask(client, post)["counts"] == {"0": {"like": 1}}


def test_a_page_asks_for_its_own_floors(client: Client, django_assert_num_queries) -> None:
    post = make_post()
    for _ in range(25):
        make_comment(post)
    visitor = ask(client, post, kind="like", floor=3)["visitor"]
    ask(client, post, kind="smile", floor=23, visitor=visitor)
    assert ask(client, post)["counts"] == {"3": {"like": 1}}
    assert ask(client, post, visitor=visitor)["mine"] == {"3": ["like"]}
    with django_assert_num_queries(3):  # the post, the numbers, the reader's own
        assert ask(client, post, floors=[21, 40], visitor=visitor)["counts"] == {"23": {"smile": 1}}


def test_an_address_reacts_so_often_and_no_more(client: Client, settings) -> None:
    settings.REACTIONS_PER_MINUTE, settings.REACTION_VISITORS_PER_HOUR = 5, 3
    post = make_post()
    visitor, *_others = [ask(client, post, kind="like")["visitor"] for _ in range(3)]
    assert ask(client, post, 429, kind="like") and ask(client, post)["counts"] == {"0": {"like": 3}}
    for on in (False, True):
        ask(client, post, kind="like", on=on, visitor=visitor)
    ask(client, post, 429, kind="like", on=False, visitor=visitor)
    for household in ("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::1"):
        client.post(
            f"/article/{post.pk}/reactions/", {"kind": "love"}, content_type="application/json", REMOTE_ADDR=household
        )
    elsewhere = {"content_type": "application/json", "REMOTE_ADDR": "2001:db8::3"}
    assert client.post(f"/article/{post.pk}/reactions/", {"kind": "love"}, **elsewhere).status_code == 429
    resilience.reset_all()
    ask(client, post, kind="like", on=False, visitor=visitor)


def test_without_redis_the_process_counts_alone(
    client: Client, settings, own_redis: Redis, counting_in: Callable[[Redis], None]
) -> None:
    counting_in(own_redis)
    settings.REACTION_VISITORS_PER_HOUR = 2
    post = make_post()
    ask(client, post, kind="like")
    own_redis.stop()
    for _ in range(2):
        ask(client, post, kind="like")
    ask(client, post, 429, kind="like")
    assert ask(client, post)["counts"] == {"0": {"like": 3}}


@pytest.mark.django_db(transaction=True)
def test_a_storm_is_counted_exactly(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":  # writers take turns; on a busy machine 240 of them take longer than its patience
        monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 60)
    settings.REACTIONS_PER_MINUTE = settings.REACTION_VISITORS_PER_HOUR = 10_000
    post = make_post()
    visitors = [ask(Client(), post, kind="smile")["visitor"] for _ in range(20)]
    start = threading.Barrier(20)
    failures: list[BaseException] = []

    def storm(number: int) -> None:
        client = Client()
        try:
            start.wait(timeout=30)
            for turn in range(6):  # each visitor presses from two windows at once, and takes every other one back
                visitor = visitors[(number // 2) * 2]
                ask(client, post, kind="like", visitor=visitor)
                ask(client, post, kind="love", on=bool(turn % 2), visitor=visitors[number])
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=storm, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures
    assert ask(Client(), post)["counts"] == {"0": {"smile": 20, "like": 10, "love": 20}}
    assert Reaction.objects.count() == 50


def test_the_page_is_the_same_for_all_and_asks_afterwards(client: Client) -> None:
    post = make_post()
    before = client.get(post.get_absolute_url()).content
    ask(client, post, kind="like")
    assert client.get(post.get_absolute_url()).content == before
    assert f'data-reactions="/article/{post.pk}/reactions/"' in before.decode()
