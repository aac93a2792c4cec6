"""Comments: floors, counts, who sees what."""

import re
import threading

import pytest
from django.db import connection
from django.test import Client

from apps.comments.models import Comment
from apps.comments.services import CommentsClosed, add_comment
from apps.components.models import SiteIdentity
from apps.posts.models import Post
from tests.factories import make_administrator, make_comment, make_post
from tests.languages import in_english

pytestmark = pytest.mark.django_db

FIELDS = {"author_name": "Ada", "author_email": "ada@example.com", "body": "A **bold** thought."}


def comment_count(post: Post) -> int:
    return Post.objects.values_list("comment_count", flat=True).get(pk=post.pk)


def form_address(post: Post) -> str:
    return f"/article/{post.pk}/comment/"


def test_a_reader_comments_and_lands_on_the_own_floor(client: Client) -> None:
    post = make_post()
    response = client.post(form_address(post), FIELDS)
    assert (response.status_code, response["Location"]) == (302, f"{post.get_absolute_url()}#floor-1")
    page = client.get(post.get_absolute_url()).content.decode()
    assert "A <strong>bold</strong> thought." in page and 'id="floor-1"' in page and "1 楼" in page
    assert "ada@example.com" not in page and "gravatar" not in page and "<svg" in page
    assert comment_count(post) == 1


def test_a_reply_names_the_floor_it_answers(client: Client) -> None:
    post = make_post()
    for _ in range(3):
        make_comment(post)
    client.post(form_address(post), FIELDS | {"reply_to_floor": "3"})
    page = client.get(post.get_absolute_url()).content.decode()
    assert '<a href="#floor-3">回复 3 楼</a>' in page
    client.post(form_address(post), FIELDS | {"reply_to_floor": "77"})
    assert Comment.objects.get(floor=5).reply_to_floor is None


def test_pages_of_comments_go_by_floor_and_permalinks_never_move(client: Client) -> None:
    post = make_post()
    comments = [make_comment(post, f"Thought {n}.") for n in range(1, 46)]
    assert comments[20].get_absolute_url() == f"{post.get_absolute_url()}?page=2#floor-21"
    Comment.objects.filter(floor__lte=5).delete()
    post.refresh_from_db()
    page = client.get(f"{post.get_absolute_url()}?page=2").content.decode()
    assert re.findall(r'id="floor-([0-9]+)"', page) == [str(n) for n in range(21, 41)]
    assert client.get(f"{post.get_absolute_url()}?page=3").status_code == 200
    assert client.get(f"{post.get_absolute_url()}?page=4").status_code == 404
    assert client.get(f"/article/{post.pk}?pageNo=-1")["Location"] == f"{post.get_absolute_url()}?page=3"
    assert client.post(form_address(post), FIELDS)["Location"] == f"{post.get_absolute_url()}?page=3#floor-46"


def test_the_floor_of_a_deleted_comment_is_never_given_again() -> None:
    post = make_post()
    make_comment(post)
    make_comment(post).delete()
    assert make_comment(post).floor == 3 and comment_count(post) == 2


def test_the_badge_comes_from_the_account_alone(client: Client) -> None:
    post = make_post()
    administrator = make_administrator(username="站长", email="owner@example.com")
    client.post(form_address(post), FIELDS | {"author_name": "站长", "author_email": "owner@example.com"})
    signed_in = Client()
    signed_in.force_login(administrator)
    signed_in.post(form_address(post), {"body": "It is me."})
    fake, real = Comment.objects.order_by("floor")
    assert not fake.by_administrator and real.by_administrator and real.author_name == "站长"
    page = in_english(client).get(post.get_absolute_url()).content.decode()
    assert page.count('class="badge">Author<') == 1


def test_a_hidden_comment_keeps_its_floor_and_hides_its_text(client: Client, admin_client: Client) -> None:
    post = make_post()
    make_comment(post, "Fine words.")
    make_comment(post, "Buy now.")
    assert Comment.objects.filter(floor=2).set_state("screened") == 1
    for reader, sees in ((client, False), (admin_client, True)):
        page = in_english(reader).get(post.get_absolute_url()).content.decode()
        assert ("Buy now." in page) is sees
        assert 'id="floor-2"' in page and "has been hidden" in page and "Fine words." in page
    assert comment_count(post) == 1
    Comment.objects.filter(floor=2).set_state("visible")
    assert "Buy now." in client.get(post.get_absolute_url()).content.decode() and comment_count(post) == 2


@pytest.mark.parametrize("state", ["pending", "spam"])
def test_pending_and_spam_show_nothing_at_all(client: Client, state: str) -> None:
    post = make_post()
    make_comment(post, "Hm hm.")
    Comment.objects.all().set_state(state)
    page = client.get(post.get_absolute_url()).content.decode()
    assert "Hm hm." not in page and 'id="floor-1"' not in page


def test_counts_stay_exact_by_every_way(admin_client: Client) -> None:
    post, other = make_post(), make_post()
    comments = [make_comment(post) for _ in range(6)] + [make_comment(other)]
    address = "/admin/comments/comment/"

    def act(action: str, *chosen: Comment) -> None:
        data = {"action": action, "_selected_action": [comment.pk for comment in chosen], "post": "yes"}
        assert admin_client.post(address, data).status_code == 302

    act("hide", comments[0], comments[1], comments[6])
    assert (comment_count(post), comment_count(other)) == (4, 0)
    act("approve", comments[0], comments[6])
    assert (comment_count(post), comment_count(other)) == (5, 1)
    act("delete_selected", comments[1], comments[2])
    assert comment_count(post) == 4
    admin_client.post(f"{address}{comments[3].pk}/delete/", {"post": "yes"})
    assert comment_count(post) == 3
    form = {"author_name": "Ada", "author_email": "", "author_site": "", "body": "Edited.", "state": "spam"}
    assert admin_client.post(f"{address}{comments[4].pk}/change/", form).status_code == 302
    assert comment_count(post) == 2
    assert "Edited." in Comment.objects.get(pk=comments[4].pk).html


def test_closed_comments_take_nothing(client: Client) -> None:
    post = make_post(comments_open=False)
    assert client.get(form_address(post)).status_code == 403
    assert client.post(form_address(post), FIELDS).status_code == 403
    with pytest.raises(CommentsClosed):
        add_comment(post=post, body="x")
    page = in_english(client).get(post.get_absolute_url()).content.decode()
    assert "Comments are closed." in page and "Write a comment" not in page
    assert not Comment.objects.exists()


def test_the_site_closes_all_comments(client: Client, django_capture_on_commit_callbacks) -> None:
    post = make_post()
    with django_capture_on_commit_callbacks(execute=True):
        SiteIdentity.objects.get(pk=1).save()
        identity = SiteIdentity.objects.get(pk=1)
        identity.comment_policy = "closed"
        identity.save()
    assert client.post(form_address(post), FIELDS).status_code == 403
    assert not Comment.objects.exists()


@pytest.mark.parametrize("change, words", [
    ({"body": ""}, "required"),
    ({"body": "  \n "}, "required"),
    ({"body": "\u200b\u2060\ufeff"}, "be empty."),
    ({"author_name": "\u200b"}, "Please enter a name."),
    ({"author_name": "\u3164\u2800"}, "Please enter a name."),
    ({"author_name": "\u0301\u0301"}, "Please enter a name."),
    ({"author_name": "\u200e\u200d"}, "Please enter a name."),
    ({"body": "x" * 10_001}, "at most 10000"),
    ({"body": "nul \0 byte"}, "Null characters"),
    ({"author_name": ""}, "required"),
    ({"author_name": "x" * 65}, "at most 64"),
    ({"author_email": "nonsense"}, "Please enter a valid email address."),
    ({"author_site": "javascript:alert(1)"}, "valid URL"),
    ({"reply_to_floor": "-1"}, "greater than or equal"),
    ({"reply_to_floor": "x"}, "whole number"),
])  # fmt: skip
def test_bad_comments_get_a_clear_answer_and_keep_the_text(client: Client, change: dict, words: str) -> None:
    post = make_post()
    response = in_english(client).post(form_address(post), FIELDS | change)
    assert response.status_code == 422 and words in response.content.decode()
    if "body" not in change:
        assert "A **bold** thought." in response.content.decode()
    assert not Comment.objects.exists() and Post.objects.get(pk=post.pk).last_floor == 0


def test_a_comment_of_ten_megabytes_is_refused(client: Client) -> None:
    post = make_post()
    response = client.post(form_address(post), FIELDS | {"body": "x" * 10 * 1024 * 1024})
    assert response.status_code in (400, 413) and "<html" in response.content.decode()
    assert not Comment.objects.exists()


def test_a_forged_form_and_a_malformed_cookie_are_refused(client: Client) -> None:
    post = make_post()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["csrftoken"] = "\x00;=,bad\xff"
    strict.cookies["sessionid"] = "'; DROP TABLE"
    response = in_english(strict).post(form_address(post), FIELDS)
    page = response.content.decode()
    assert response.status_code == 403 and "This form has expired." in page and "A **bold** thought." in page
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    assert not Comment.objects.exists()
    assert strict.post(form_address(post), FIELDS | {"csrfmiddlewaretoken": token}).status_code == 302
    Comment.objects.all().delete()
    assert strict.get(post.get_absolute_url()).status_code == 200
    assert not Comment.objects.exists()


def test_markup_in_a_comment_is_text(client: Client) -> None:
    post = make_post()
    client.post(form_address(post), FIELDS | {"body": "<script>alert(1)</script>\n\n# no heading\n\n[x](javascript:y)"})
    page = client.get(post.get_absolute_url()).content.decode()
    assert "&lt;script&gt;" in page and "<h1>no heading" not in page and 'href="javascript' not in page


@pytest.mark.django_db(transaction=True)
def test_a_hundred_threads_get_floors_one_to_a_hundred() -> None:
    post = make_post()
    start = threading.Barrier(20)
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            start.wait(timeout=30)
            for number in range(5):
                make_comment(post, f"{name}-{number}")
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(f"writer {n}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures
    assert list(Comment.objects.order_by("floor").values_list("floor", flat=True)) == list(range(1, 101))
    assert len(set(Comment.objects.values_list("body", flat=True))) == 100
    assert comment_count(post) == 100


@pytest.mark.parametrize("asked", ["9" * 5000, "-1", "x", "²", "77", "0", ""])
def test_a_link_to_answer_no_floor_is_a_plain_form(client: Client, asked: str) -> None:
    page = client.get(form_address(make_post()), {"reply_to": asked})
    assert page.status_code == 200
    assert re.search(r'name="reply_to_floor"(?! value)', page.content.decode())


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("\u202egro.live", "gro.live"),
        ("\u200eAda\u200f", "Ada"),
        ("A\u200bd\u2060a\ufeff", "Ada"),
        ("A\u00adda\u034f", "Ada"),
        ("Ada\u200d\u200c", "Ada"),
        ("A" + "\u0301" * 50, "A" + "\u0301" * 4),
        ("Ada\x07\x1b[31m\x85B", "Ada[31m B"),
        ("Ada\t\r\n  B", "Ada B"),
        ("Ada \u3164\u2800\u115f", "Ada"),
        ("N" * 50, "N" * 50),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("林 深", "林 深"),
    ],
)
def test_a_name_is_held_to_the_bounds_of_a_text(client: Client, typed: str, name: str) -> None:
    post = make_post()
    site = "https://example.com/\u202egpj.exe\u200b" + "\u0301" * 50
    response = client.post(form_address(post), FIELDS | {"author_name": typed, "author_site": site})
    assert response.status_code == 302
    comment = Comment.objects.get()
    assert (comment.author_name, comment.author_site) == (name, "https://example.com/gpj.exe" + "\u0301" * 4)
    # By every other way, too.
    assert add_comment(post=post, body="x", author_name=typed).author_name == name


def test_a_text_has_no_controls(client: Client) -> None:
    comment = add_comment(post=make_post(), body="a\x1b[31m\x08\tb\r\nc\x85", author_name="Ada")
    assert comment.body == "a[31m\tb\nc"
