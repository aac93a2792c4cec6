"""Moderation: the queue, bulk actions, replies in place, buttons on the page, undo; counts exact after each."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.comments.live import notifications
from apps.comments.models import Comment, LearnedTotals, Lesson, Moderation
from apps.comments.moderation.services import CannotUndo, decide, undo
from apps.comments.services import reconcile_counts
from apps.comments.verdict import Reason, Verdict
from apps.posts.models import Post
from tests.factories import make_administrator, make_comment, make_post
from tests.languages import in_english

pytestmark = pytest.mark.django_db
QUEUE = "/admin/comments/comment/"
HELD = Verdict("pending", 3, (Reason("links", 3, "5"),))


def count(post: Post) -> int:
    """The stored number of comments, which must be the true one."""
    assert reconcile_counts() == 0
    return Post.objects.values_list("comment_count", flat=True).get(pk=post.pk)


def learned() -> tuple[int, int]:
    return LearnedTotals.objects.values_list("spam_comments", "ham_comments").filter(pk=1).first() or (0, 0)


def state(comment: Comment) -> str:
    return Comment.objects.values_list("state", flat=True).get(pk=comment.pk)


def act(client: Client, action: str, *chosen: Comment) -> str:
    data = {"action": action, "_selected_action": [comment.pk for comment in chosen], "post": "yes"}
    return in_english(client).post(QUEUE, data, follow=True).content.decode()


def press_undo(client: Client, page: str) -> str:
    """Send the form that stands in the last message, as it stands there."""
    action, form = re.findall(r'<form class="undo" method="post" action="([^"]+)">(.*?)</form>', page, re.DOTALL)[-1]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    return in_english(client).post(action, fields, follow=True).content.decode()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable) -> Callable:
    """told(call) returns the floors that open pages were told of as new during the call."""

    def run(call: Callable) -> list[int]:
        floors: list[int] = []
        tell = lambda messages: floors.extend(one["floor"] for one in messages if "floor" in one)  # noqa: E731
        monkeypatch.setattr(notifications, "_send", tell)
        with django_capture_on_commit_callbacks(execute=True):
            call()
        return floors

    return run


def test_pending_ones_come_first_with_score_and_reasons(admin_client: Client) -> None:
    assert min(Comment.State.values) == Comment.State.PENDING  # which the order of the list is built on
    post = make_post()
    make_comment(post, "An old one that waits.", verdict=HELD)
    for _ in range(3):
        make_comment(post, "A newer one to be seen.")
    make_comment(post, "Newest of all.", verdict=Verdict("spam", 8.5, (Reason("honeypot", 4),)))
    page = in_english(admin_client).get(QUEUE).content.decode()
    assert page.index("An old one that waits.") < page.index("Newest of all.") < page.index("A newer one")
    assert "too many links: 5 (+3)" in page and "8.5" in page and "filled in the honeypot field" in page
    page = in_english(admin_client).get(f"{QUEUE}?state__exact=spam").content.decode()
    assert "Newest of all." in page and "that waits" not in page


def test_every_bulk_action_keeps_counts_exact_and_can_be_undone(admin_client: Client) -> None:
    post, other = make_post(), make_post()
    seen, waiting, far = make_comment(post), make_comment(post, verdict=HELD), make_comment(other)
    before = Comment.objects.order_by("pk").values("pk", "floor", "state", "body", "author_name", "score", "reasons")
    rows = list(before)
    assert (count(post), count(other)) == (1, 1)
    for action, now, counts in (
        ("approve", "visible", (2, 1)),
        ("hide", "screened", (0, 0)),
        ("mark_as_spam", "spam", (0, 0)),
        ("delete_selected", None, (0, 0)),
    ):
        page = act(admin_client, action, seen, waiting, far)
        assert set(Comment.objects.values_list("state", flat=True)) == ({now} if now else set())
        assert (count(post), count(other)) == counts
        assert "3 comments restored." in press_undo(admin_client, page)
        assert list(before.all()) == rows and (count(post), count(other)) == (1, 1)
        assert learned() == (0, 0) and not Lesson.objects.exists()


def test_an_action_is_undone_once_by_who_did_it_and_not_for_ever(admin_client: Client, admin_user: Any) -> None:
    comment = make_comment(make_post(), verdict=HELD)
    done = decide([comment.pk], "approve", admin_user)
    for token, user in (
        (done.undo_token, make_administrator()),
        (done.undo_token[:-1] + "!", admin_user),
        ("", admin_user),
    ):
        with pytest.raises(CannotUndo):
            undo(token, user)
    assert undo(done.undo_token, admin_user) == 1 and state(comment) == "pending"
    with pytest.raises(CannotUndo):
        undo(done.undo_token, admin_user)
    page = in_english(admin_client).post("/comments/undo/", {"token": done.undo_token}, follow=True)
    assert "can no longer be undone" in page.content.decode()
    decide([comment.pk], "spam", admin_user)
    Moderation.objects.update(made_at="2020-01-01T00:00Z")
    decide([comment.pk], "screen", admin_user)
    assert Moderation.objects.count() == 1


def test_undo_leaves_alone_what_was_decided_since(admin_user: Any) -> None:
    post = make_post()
    comments = [make_comment(post) for _ in range(2)]
    first = decide([comment.pk for comment in comments], "screen", admin_user)
    decide([comments[0].pk], "spam", admin_user)
    assert undo(first.undo_token, admin_user) == 1
    assert [state(comment) for comment in comments] == ["spam", "visible"] and count(post) == 1


def test_the_post_being_gone_there_is_nothing_to_bring_back(admin_user: Any) -> None:
    comment = make_comment(make_post())
    done = decide([comment.pk], "delete", admin_user)
    Post.objects.all().delete()
    with pytest.raises(CannotUndo):
        undo(done.undo_token, admin_user)


def test_the_classifier_learns_from_marks_and_forgets_those_taken_back(admin_user: Any) -> None:
    post = make_post()
    comment, other = make_comment(post, "Cheap cabinets.", verdict=HELD), make_comment(post, "A fine idea.")
    for decision, lesson in (("spam", (1, 0)), ("spam", (1, 0)), ("screen", (0, 0)), ("approve", (0, 1))):
        done = decide([comment.pk], decision, admin_user)
        assert learned() == lesson, decision
    undo(done.undo_token, admin_user)
    assert learned() == (0, 0)
    decide([comment.pk, other.pk], "spam", admin_user)
    assert learned() == (2, 0)
    done = decide([comment.pk], "delete", admin_user)
    assert learned() == (2, 0)  # spam that is gone goes on teaching
    undo(done.undo_token, admin_user)
    decide([comment.pk], "approve", admin_user)
    assert learned() == (1, 1)


def test_an_approved_comment_is_announced_like_a_new_one(admin_user: Any, told: Callable) -> None:
    post = make_post()
    waiting, seen = make_comment(post, verdict=HELD), make_comment(post)
    both = [waiting.pk, seen.pk]
    assert told(lambda: decide(both, "approve", admin_user)) == [waiting.floor]
    assert told(lambda: decide(both, "screen", admin_user)) == []
    assert told(lambda: decide(both, "approve", admin_user)) == []
    assert told(lambda: decide(both, "spam", admin_user)) == []
    assert told(lambda: decide(both, "approve", admin_user)) == [waiting.floor, seen.floor]


def test_the_form_of_one_comment_decides_as_well(admin_client: Client, told: Callable) -> None:
    post = make_post()
    comment = make_comment(post, "Waits.", verdict=HELD)
    form = {"author_name": "Ada", "author_email": "", "author_site": "", "body": "Edited.", "state": "visible"}
    pages: list = []
    address = f"{QUEUE}{comment.pk}/change/"
    assert "too many links" in in_english(admin_client).get(address).content.decode()
    assert told(lambda: pages.append(admin_client.post(address, form, follow=True))) == [1]
    assert count(post) == 1 and learned() == (0, 1)
    press_undo(admin_client, pages[0].content.decode())
    assert count(post) == 0 and learned() == (0, 0) and Comment.objects.get().body == "Edited."
    page = admin_client.post(f"{QUEUE}{comment.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert not Comment.objects.exists()
    press_undo(admin_client, page)
    assert Comment.objects.get().floor == 1


def test_reply_in_place_approves_and_lands_on_its_floor(admin_client: Client) -> None:
    post = make_post()
    comment = make_comment(post, "A question that waits.", verdict=HELD)
    page = in_english(admin_client).get(f"{QUEUE}?state__exact=pending").content.decode()
    assert f'name="reply-{comment.pk}"' in page and "Approve and reply" in page
    address = f"{QUEUE}{comment.pk}/reply/"
    assert "be empty." in in_english(admin_client).post(address, follow=True).content.decode()
    back = f"http://testserver{QUEUE}?state__exact=pending"
    sent = in_english(admin_client).post(address, {f"reply-{comment.pk}": "An *answer*."}, headers={"referer": back})
    assert sent["Location"] == f"{QUEUE}?state__exact=pending"
    assert "Your reply was posted as #2." in in_english(admin_client).get(QUEUE).content.decode()
    answer = Comment.objects.get(floor=2)
    assert answer.reply_to_floor == 1 and answer.by_administrator and state(comment) == "visible" and count(post) == 2
    Post.objects.update(comments_open=False)
    page = in_english(admin_client).post(address, {f"reply-{comment.pk}": "More."}, follow=True).content.decode()
    assert "Comments are closed." in page and count(post) == 2


def test_staff_moderates_from_the_page(admin_client: Client) -> None:
    post = make_post()
    seen, waiting = make_comment(post, "A thought."), make_comment(post, "It waits here.", verdict=HELD)
    page = in_english(admin_client).get(post.get_absolute_url())
    text = page.content.decode()
    assert "no-store" in page["Cache-Control"] and "It waits here." in text and "too many links: 5" in text
    assert f'action="/article/{post.pk}/comment/1/moderate/"' in text
    for comment, decision, now in (
        (waiting, "approve", ("visible", "visible")),
        (seen, "screen", ("screened", "visible")),
        (seen, "approve", ("visible", "visible")),
        (seen, "spam", ("spam", "visible")),
    ):
        address = f"/article/{post.pk}/comment/{comment.floor}/moderate/"
        answer = in_english(admin_client).post(address, {"decision": decision})
        assert answer["Location"] == f"{post.get_absolute_url()}#moderation"
        assert (state(seen), state(waiting)) == now
        assert count(post) == now.count("visible")
    address = f"/article/{post.pk}/comment/2/moderate/"
    page = in_english(admin_client).post(address, {"decision": "delete"}, follow=True)
    assert not Comment.objects.filter(floor=2).exists() and "1 comment deleted." in page.content.decode()
    assert "1 comment restored." in press_undo(admin_client, page.content.decode())
    assert Comment.objects.get(floor=2).body == "It waits here."


@pytest.mark.parametrize("who", ["nobody", "reader", "staff without leave"])
def test_nobody_else_moderates_or_sees_what_waits(client: Client, who: str, django_user_model: Any) -> None:
    post = make_post()
    comment = make_comment(post)
    make_comment(post, "It waits here.", verdict=HELD)
    if who != "nobody":
        client.force_login(django_user_model.objects.create_user("x", is_staff=who != "reader"))
    page = in_english(client).get(post.get_absolute_url()).content.decode()
    assert "It waits here." not in page and "/moderate/" not in page
    for decision in ("screen", "delete"):
        address = f"/article/{post.pk}/comment/1/moderate/"
        assert client.post(address, {"decision": decision}).status_code == 403
        assert client.get(address).status_code == 405
    assert client.post("/comments/undo/", {"token": "x"}).status_code == 403
    assert client.post(f"{QUEUE}{comment.pk}/reply/", {f"reply-{comment.pk}": "x"}).status_code in (302, 403)
    assert state(comment) == "visible" and Comment.objects.count() == 2


def test_who_may_only_change_may_not_delete(client: Client, django_user_model: Any) -> None:
    post = make_post()
    make_comment(post)
    user = django_user_model.objects.create_user("moderator", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_comment"))
    client.force_login(user)
    address = f"/article/{post.pk}/comment/1/moderate/"
    assert 'value="delete"' not in client.get(post.get_absolute_url()).content.decode()
    assert client.post(address, {"decision": "delete"}).status_code == 403
    assert client.post(address, {"decision": "spam"}).status_code == 302
    assert client.post(address, {"decision": "nonsense"}).status_code == 400


def test_the_buttons_want_their_token(admin_user: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)
    post = make_post()
    make_comment(post)
    address = f"/article/{post.pk}/comment/1/moderate/"
    assert strict.post(address, {"decision": "spam"}).status_code == 403
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', strict.get(post.get_absolute_url()).content.decode())[1]
    page = in_english(strict).post(address, {"decision": "spam", "csrfmiddlewaretoken": token}, follow=True)
    assert "1 comment marked as spam." in page.content.decode() and count(post) == 0
    press_undo(strict, page.content.decode())
    assert count(post) == 1


def test_a_thousand_and_one_comments_at_once(admin_user: Any) -> None:
    post = make_post()
    rows = [
        Comment(post=post, floor=n, author_name="Bot", body=f"Offer {n % 7}", html="", state="pending")
        for n in range(1, 1002)
    ]
    Comment.objects.bulk_create(rows)
    Post.objects.filter(pk=post.pk).update(last_floor=1001)
    ids = list(Comment.objects.values_list("pk", flat=True))
    done = decide(ids, "approve", admin_user)
    assert (done.count, done.undo_token, count(post), learned()) == (1001, "", 1001, (0, 1001))
    assert decide(ids, "delete", admin_user).count == 1001 and count(post) == 0
