"""Writing a comment: sent twice and stored once, previewed, changed by who wrote it; and whatever else is sent."""

import datetime
import re
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.comments.models import Comment
from apps.comments.services import CommentsClosed, add_comment, reconcile_counts, rerender_stale
from apps.posts.models import Post
from tests.comments.test_comments import FIELDS, comment_count, form_address
from tests.factories import make_comment, make_post
from tests.languages import in_english

pytestmark = pytest.mark.django_db


def key_in(html: str) -> str:
    found = re.search(r'name="submission" value="([0-9a-f]{32})"', html)
    assert found
    return found[1]


# -- Sent twice ------------------------------------------------------------------------------------------------------


def test_what_is_sent_twice_is_stored_once_and_leads_to_the_same_floor(client: Client) -> None:
    post, other = make_post(), make_post()
    key = key_in(client.get(form_address(post)).content.decode())
    sent = FIELDS | {"submission": key}
    first, second = (client.post(form_address(post), sent) for _ in range(2))
    assert first["Location"] == second["Location"] == f"{post.get_absolute_url()}#floor-1"
    assert comment_count(post) == 1 and make_comment(post).floor == 2  # the duplicate has eaten no floor
    # A reader who goes back in the browser and writes something else has written a new comment.
    again = client.post(form_address(post), sent | {"body": "Another thought."})
    assert again["Location"].endswith("#floor-3")
    assert client.post(form_address(other), sent)["Location"].endswith("#floor-1")
    assert key_in(client.get(form_address(post)).content.decode()) != key


def test_a_comment_that_was_stored_is_found_though_the_post_has_closed_since() -> None:
    post = make_post()
    first = add_comment(post=post, body="x", submission="key")
    Post.objects.filter(pk=post.pk).update(comments_open=False)
    assert add_comment(post=post, body="x", submission="key") == first
    with pytest.raises(CommentsClosed):
        add_comment(post=post, body="y", submission="key")


def test_comments_without_a_key_are_all_stored() -> None:
    post = make_post()
    assert [make_comment(post, "Same.").floor for _ in range(2)] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_threads_that_send_the_same_store_one_of_each() -> None:
    post = make_post()
    start = threading.Barrier(12)
    floors: list[tuple[int, int]] = []
    failures: list[BaseException] = []

    def write() -> None:
        try:
            start.wait(timeout=30)
            for number in range(5):
                sent = add_comment(post=post, body=f"Thought {number}.", author_name="Ada", submission="key")
                floors.append((number, sent.floor))
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures
    assert len(floors) == 60 and len(set(floors)) == 5
    assert list(Comment.objects.order_by("floor").values_list("floor", flat=True)) == [1, 2, 3, 4, 5]
    post.refresh_from_db()
    assert (post.comment_count, post.last_floor) == (5, 5) and reconcile_counts() == 0


def test_a_duplicate_costs_no_more_than_a_comment(django_assert_num_queries: Any) -> None:
    post = make_post()
    # Savepoint, floor, which it is, savepoint, insert, release, who is to be told, release; then savepoint, floor, which,
    # rolled back, look-up.
    for statements in (8, 6):
        with django_assert_num_queries(statements):
            add_comment(post=post, body="x", author_name="Ada", submission="key")


# -- Sent by the page's script ---------------------------------------------------------------------------------------


def test_the_script_is_answered_with_the_comment_as_the_page_shows_it(client: Client) -> None:
    post = make_post()
    answer = in_english(client).post(f"{form_address(post)}?part", FIELDS)
    assert answer.status_code == 201 and answer.json()["floor"] == 1
    assert answer.json()["url"] == f"{post.get_absolute_url()}#floor-1"
    page = in_english(client).get(post.get_absolute_url()).content.decode()
    assert "".join(answer.json()["html"].split()) in "".join(page.split())


def test_the_script_gets_the_form_back_with_what_is_wrong(client: Client) -> None:
    post = make_post()
    answer = in_english(client).post(f"{form_address(post)}?part", FIELDS | {"author_email": "nonsense"})
    html = answer.content.decode()
    assert answer.status_code == 422 and html.startswith("<form") and "A **bold** thought." in html
    field = re.search(r"<input[^>]*author_email[^>]*>", html)
    assert field
    described = re.search(r'aria-describedby="([^"]+)"', field[0])
    assert described and 'aria-invalid="true"' in field[0] and " autofocus" in field[0]
    for name in described[1].split():
        assert f'id="{name}"' in html
    Post.objects.filter(pk=post.pk).update(comments_open=False)
    answer = in_english(client).post(f"{form_address(post)}?part", FIELDS)
    assert (answer.status_code, answer.content.decode().strip()) == (403, "<p>Comments are closed.</p>")


# -- Preview ---------------------------------------------------------------------------------------------------------


def test_a_preview_is_what_will_be_shown(client: Client, django_assert_num_queries: Any) -> None:
    post = make_post()
    text = "A **bold** thought.\n\n![x](https://a.example/x.png)"
    client.get("/")  # the site components are read
    with django_assert_num_queries(0):
        shown = client.post(f"{form_address(post)}preview/?part", {"body": text}).content.decode()
    assert make_comment(post, text).html in shown
    for body, words in (("x" * 10_001, "at most 10000"), ("x\n" * 500 + "x", "up to 400 lines"), ("", "required")):
        refused = in_english(client).post(f"{form_address(post)}preview/?part", {"body": body})
        assert refused.status_code == 422 and words in refused.content.decode()


def test_a_preview_without_scripts_keeps_what_was_typed(client: Client) -> None:
    post = make_post()
    sent = FIELDS | {"submission": "f" * 32, "author_email": "not yet", "reply_to_floor": ""}
    page = in_english(client).post(f"{form_address(post)}preview/", sent).content.decode()
    assert "A <strong>bold</strong> thought." in page and "A **bold** thought." in page and 'value="not yet"' in page
    assert key_in(page) == "f" * 32 and not Comment.objects.exists()
    assert client.get(f"{form_address(post)}preview/")["Location"] == form_address(post)


# -- One's own -------------------------------------------------------------------------------------------------------


def own_address(post: Post, floor: int, verb: str) -> str:
    return f"{form_address(post)}{floor}/{verb}/"


def test_who_wrote_a_comment_edits_it(client: Client) -> None:
    post = make_post()
    make_comment(post)
    sent = client.post(form_address(post), FIELDS)
    cookie = sent.cookies["comment-2"]
    assert cookie["httponly"] and cookie["path"] == form_address(post) and 0 < cookie["max-age"] <= 600
    form = in_english(client).get(form_address(post)).content.decode()
    assert own_address(post, 2, "edit") in form and own_address(post, 1, "edit") not in form
    page = in_english(client).get(own_address(post, 2, "edit")).content.decode()
    assert "A **bold** thought." in page
    edited = client.post(own_address(post, 2, "edit"), {"body": "A *better* one."})
    assert edited["Location"] == f"{post.get_absolute_url()}#floor-2"
    comment = Comment.objects.get(floor=2)
    assert comment.edited_at and comment.author_name == "Ada" and comment.floor == 2
    page = in_english(Client()).get(post.get_absolute_url()).content.decode()
    assert "A <em>better</em> one." in page and page.count('class="edited"') == 1
    assert comment_count(post) == 2


def test_what_no_comment_may_say_no_edit_may_say(client: Client) -> None:
    """A reader writes something nice to have it shown, and then something else."""
    post = make_post()
    client.post(form_address(post), FIELDS)
    casino = "Best online casino with free spins, visit https://lucky.example/ now"
    edited = client.post(own_address(post, 1, "edit"), {"body": casino})
    assert edited["Location"] == f"{form_address(post)}held/"
    comment = Comment.objects.get()
    assert comment.state != Comment.State.VISIBLE and "phrases" in [reason.code for reason in comment.why]
    assert "casino" not in Client().get(post.get_absolute_url()).content.decode() and comment_count(post) == 0


def test_an_edit_that_changes_nothing_leaves_no_mark(client: Client) -> None:
    post = make_post()
    client.post(form_address(post), FIELDS)
    client.post(own_address(post, 1, "edit"), {"body": FIELDS["body"]})
    assert Comment.objects.get().edited_at is None


def test_who_wrote_a_comment_deletes_it_and_its_floor_stays_empty(client: Client) -> None:
    post = make_post()
    client.post(form_address(post), FIELDS)
    page = in_english(client).get(own_address(post, 1, "delete")).content.decode()
    assert "A <strong>bold</strong> thought." in page and Comment.objects.exists()
    gone = client.post(own_address(post, 1, "delete"))
    assert gone["Location"] == f"{post.get_absolute_url()}#comments" and not Comment.objects.exists()
    assert comment_count(post) == 0 and make_comment(post).floor == 2
    again = in_english(client).post(own_address(post, 1, "delete"))
    assert again.status_code == 403 and "can no longer be edited or deleted" in again.content.decode()


@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_nobody_else_changes_a_comment(client: Client, verb: str) -> None:
    post, other = make_post(), make_post()
    client.post(form_address(post), FIELDS)
    mine = client.cookies["comment-1"].value
    make_comment(post, "Hers.")
    make_comment(other, "His.")
    thief = Client()
    for name, value, target, floor in (
        ("comment-2", mine, post, 2),
        ("comment-1", mine, other, 1),
        ("comment-1", mine.replace(":", ":x"), post, 1),
        ("comment-1", "", post, 1),
        ("comment-9999999999", mine, post, 1),
    ):
        thief.cookies.clear()
        thief.cookies[name] = value
        answer = in_english(thief).post(own_address(target, floor, verb), {"body": "Mine now."})
        assert answer.status_code == 403 and "can no longer be edited or deleted" in answer.content.decode()
    assert Comment.objects.count() == 3 and not Comment.objects.filter(body="Mine now.").exists()


@pytest.mark.parametrize("verb", ["edit", "delete"])
def test_after_ten_minutes_or_once_hidden_a_comment_stands(client: Client, verb: str) -> None:
    post = make_post()
    client.post(form_address(post), FIELDS)
    Comment.objects.all().set_state("screened")
    assert client.post(own_address(post, 1, verb), {"body": "Late."}).status_code == 403
    Comment.objects.all().set_state("visible")
    Comment.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=10, seconds=1))
    for answer in (client.get(own_address(post, 1, verb)), client.post(own_address(post, 1, verb), {"body": "Late."})):
        assert answer.status_code == 403
    assert Comment.objects.get().body == FIELDS["body"]
    assert own_address(post, 1, verb) not in client.get(form_address(post)).content.decode()


def test_an_edit_is_held_to_what_a_comment_is_held_to(client: Client) -> None:
    post = make_post()
    client.post(form_address(post), FIELDS)
    for body, words in (("", "required"), ("x" * 10_001, "at most 10000"), ("\u200b", "be empty.")):
        answer = in_english(client).post(own_address(post, 1, "edit"), {"body": body})
        assert answer.status_code == 422 and words in answer.content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    answer = in_english(strict).post(own_address(post, 1, "edit"), {"body": "Forged?"})
    assert answer.status_code == 403 and "This form has expired." in answer.content.decode()
    assert "Forged?" in answer.content.decode() and Comment.objects.get().body == FIELDS["body"]
    assert strict.post(own_address(post, 1, "delete")).status_code == 403 and Comment.objects.exists()


def test_no_page_for_everybody_says_whose_a_comment_is(client: Client) -> None:
    post = make_post()
    client.post(form_address(post), FIELDS)
    stranger = in_english(Client()).get(post.get_absolute_url())
    author = in_english(client).get(post.get_absolute_url())
    assert author.content == stranger.content and b"/edit/" not in author.content
    assert "no-store" in client.get(form_address(post))["Cache-Control"]


# -- Whatever is sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, words", [
    ("x" * 65_536, "at most 10000"),
    ("a" + "\n" * 9_998 + "b", "up to 400 lines"),
    ("\n" * 10_000, "required"),
    ("\u200b" * 10_000, "be empty."),
    ("\u202e\u2066\u3164\u2800", "be empty."),
])  # fmt: skip
def test_floods_get_a_clear_answer(client: Client, body: str, words: str) -> None:
    post = make_post()
    answer = in_english(client).post(form_address(post), FIELDS | {"body": body})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Comment.objects.exists() and Post.objects.get(pk=post.pk).last_floor == 0


@pytest.mark.parametrize("body", [
    "> " * 1_000 + "deep", "[" * 10_000, "![" * 5_000, "*" * 10_000, "javascript:alert(1) [x](javascript:alert(1))",
    "\u202eright to left", "a\u200b" * 3_000, "a" + "\u0301" * 3_000, "<script>alert(1)</script>", "&#x202e;",
])  # fmt: skip
def test_odd_comments_are_stored_whole_and_harm_nobody(client: Client, body: str) -> None:
    post = make_post()
    assert client.post(form_address(post), FIELDS | {"body": body}).status_code == 302
    comment = Comment.objects.get()
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", comment.body + comment.html)
    assert not re.search(r"<(?!/?(?:p|br|strong|em|code|pre|blockquote|ul|ol|li|a)\b)", comment.html)
    assert 'href="javascript' not in comment.html
    assert client.get(post.get_absolute_url()).status_code == 200 and comment_count(post) == 1


def test_lines_end_as_the_browsers_counter_has_it(client: Client) -> None:
    post = make_post()
    body = "\r\n".join(["x" * 99] * 100)  # 9,999 characters as the browser counts them
    assert client.post(form_address(post), FIELDS | {"body": body}).status_code == 302
    assert "\r" not in Comment.objects.get().body


@pytest.mark.parametrize("key", ["x" * 65, "\0"])
def test_a_key_of_nobodys_making_is_refused(client: Client, key: str) -> None:
    post = make_post()
    assert client.post(form_address(post), FIELDS | {"submission": key}).status_code == 422
    assert not Comment.objects.exists()


# -- Rendered anew ---------------------------------------------------------------------------------------------------


def test_stale_comments_are_rendered_anew() -> None:
    post = make_post()
    comments = [make_comment(post, f"*{number}*") for number in range(3)]
    Comment.objects.filter(floor__lte=2).update(html="<del>old</del>", renderer_version=0)
    assert rerender_stale() == 2 and rerender_stale() == 0
    for comment in comments:
        html = comment.html
        comment.refresh_from_db()
        assert comment.html == html and comment.edited_at is None
