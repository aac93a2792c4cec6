"""A text that is being written is kept on the server, once, and for its writer alone."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.core import resilience
from apps.posts.models import Draft
from apps.posts.tasks import forget_old_drafts
from apps.posts.writing import drafts as keeping
from apps.posts.writing import views
from tests.factories import make_administrator, make_post
from tests.languages import in_english
from tests.posts.test_admin import FORM
from tests.posts.test_editor import user_with

pytestmark = [pytest.mark.django_db]
LIST = "/admin/editor/drafts/"
SLOT = UUID("11111111-2222-4333-8444-555555555555")
HOLDER = "page-one"


@pytest.fixture
def writer(client: Client) -> Client:
    client.force_login(make_administrator())
    return in_english(client)


def state(body: str = "Text", sequence: int = 1, **more: Any) -> dict[str, Any]:
    return {"values": {"title": "Title", "body": body}, "holder": HOLDER, "sequence": sequence, **more}


def save(client: Client, sent: object, slot: UUID = SLOT) -> Any:
    raw = sent if isinstance(sent, bytes) else json.dumps(sent)
    return client.post(f"/admin/editor/draft/{slot}/", raw, content_type="application/json")


def body_of(slot: UUID = SLOT) -> str:
    return json.loads(Draft.objects.get(slot=slot).content)["values"]["body"]


def test_a_draft_is_listed_read_and_thrown_away(writer: Client) -> None:
    assert save(writer, state("First line\nlast 行 🎉\n\n", files={"cover": "a.png"})).status_code == 200
    listed = writer.get(LIST)
    (entry,) = listed.json()["drafts"]
    assert entry["title"] == "Title" and entry["last_line"] == "last 行 🎉" and entry["path"].endswith("/add/")
    assert "values" not in entry and "no-store" in listed["Cache-Control"]
    whole = writer.get(f"/admin/editor/draft/{SLOT}/").json()
    assert whole["values"]["body"] == "First line\nlast 行 🎉\n\n" and whole["files"] == {"cover": "a.png"}
    assert writer.delete(f"/admin/editor/draft/{SLOT}/").status_code == 204
    assert writer.get(LIST).json()["drafts"] == [] and writer.get(f"/admin/editor/draft/{SLOT}/").status_code == 404


def test_what_arrives_twice_or_late_is_stored_once(writer: Client) -> None:
    for sequence, body in ((1, "one"), (3, "three"), (3, "three"), (2, "two")):
        answer = save(writer, state(body, sequence))
        assert answer.status_code == 200
    assert answer.json()["sequence"] == 3 and body_of() == "three" and Draft.objects.count() == 1


def test_the_order_is_that_of_the_changes_whatever_the_writer_s_clock_says(writer: Client) -> None:
    hour_ahead = int((timezone.now() + timedelta(hours=1)).timestamp() * 1000)
    save(writer, state("ahead", hour_ahead))
    # On another computer, whose clock is right, the page counts on from what it has seen.
    assert save(writer, state("later", hour_ahead + 1, holder="page-two", after=hour_ahead)).status_code == 200
    assert body_of() == "later"
    assert abs((Draft.objects.get().saved_at - timezone.now()).total_seconds()) < 60


def test_a_second_page_is_sent_to_a_slot_of_its_own(writer: Client) -> None:
    save(writer, state("mine", 5))
    refused = save(writer, state("other", 9, holder="page-two", after=4))
    assert refused.status_code == 409 and "another window" in refused.json()["error"] and body_of() == "mine"
    # The one that has seen the present state goes on with it, and the first is the second then.
    assert save(writer, state("taken over", 9, holder="page-two", after=5)).status_code == 200
    assert save(writer, state("late", 10, after=5)).status_code == 409 and body_of() == "taken over"


def test_a_draft_that_is_gone_does_not_come_back(writer: Client) -> None:
    save(writer, state("a", 1))
    writer.delete(f"/admin/editor/draft/{SLOT}/")
    assert save(writer, state("b", 2, after=1)).status_code == 409 and not Draft.objects.exists()


def test_nobody_writes_reads_or_deletes_another_s(writer: Client) -> None:
    save(writer, state("mine"))
    other = Client()
    other.force_login(user_with("add_post", "change_post"))
    assert save(other, state("forged", 7, holder=HOLDER, after=1)).status_code == 404
    assert other.get(f"/admin/editor/draft/{SLOT}/").status_code == 404
    other.delete(f"/admin/editor/draft/{SLOT}/")
    assert other.get(LIST).json()["drafts"] == [] and body_of() == "mine"


def test_a_draft_needs_the_right_to_what_it_will_change(client: Client) -> None:
    post = make_post()
    client.force_login(user_with("add_post"))
    assert save(client, state(post=post.pk)).status_code == 404 and not Draft.objects.exists()
    assert save(client, state()).status_code == 200
    changer = Client()
    changer.force_login(user_with("change_post", "view_post"))
    assert save(changer, state(), uuid4()).status_code == 404
    assert save(changer, state(post=post.pk + 1000), uuid4()).status_code == 404
    assert save(changer, state(post=post.pk), uuid4()).status_code == 200


def test_strangers_and_forged_forms_store_nothing(client: Client) -> None:
    assert save(client, state()).status_code == client.get(LIST).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_administrator())
    assert save(strict, state()).status_code == 403
    token = strict.get(LIST).json()["token"]
    kept = strict.post(
        f"/admin/editor/draft/{SLOT}/",
        json.dumps(state()),
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert kept.status_code == 200
    foreign = {"X-CSRFToken": token, "Sec-Fetch-Site": "cross-site"}
    assert strict.delete(f"/admin/editor/draft/{SLOT}/", headers=foreign).status_code == 403 and Draft.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"\xff", b"[]", b"{}", b"null", b"[" * 100_000,
        {**state(), "values": []}, {**state(), "values": "x"}, {**state(), "files": ["a"]}, {**state(), "files": 3},
        {**state(), "sequence": "x"}, {**state(), "sequence": 0}, {**state(), "sequence": 2**70},
        {**state(), "sequence": float("inf")}, {**state(), "post": 2**64}, {**state(), "post": -1},
        {**state(), "after": ["a"]}, {**state(), "holder": ""}, {**state(), "holder": "h" * 37}, {**state(), "base": "b" * 65},
        {**state(), "values": {str(n): "" for n in range(101)}},
    ],
)  # fmt: skip
def test_what_is_no_draft_is_refused(sent: object, writer: Client) -> None:
    answer = save(writer, sent)
    assert answer.status_code == 400 and answer.json()["error"] and not Draft.objects.exists()


def test_odd_text_is_kept(writer: Client) -> None:
    sent = json.dumps(state("half \ud800, nul \0, 表情 🎉")).encode()
    assert save(writer, sent).status_code == 200
    assert body_of() == "half ?, nul \0, 表情 🎉"
    assert save(writer, {**state(sequence=2), "values": {"title": None, "body": 5}}).status_code == 200
    assert save(writer, {**state(sequence=3), "values": {"title": "t" * 900}}).status_code == 200


def test_five_megabytes_are_kept_and_more_is_refused_in_words(writer: Client) -> None:
    largest = "中\n" * (5 * 2**18)
    assert save(writer, json.dumps(state(largest), ensure_ascii=False).encode()).status_code == 200
    assert body_of() == largest
    assert "5 MB" in save(writer, json.dumps(state(largest + "中", 2), ensure_ascii=False).encode()).json()["error"]
    assert body_of() == largest


def test_200_drafts_in_a_minute_get_a_clear_answer(writer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [save(writer, state(sequence=number)) for number in range(1, 201)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert answers[-1]["Retry-After"] == "60" and "wait" in answers[-1].json()["error"]
    assert Draft.objects.get().sequence == views.SAVES_PER_MINUTE
    resilience.reset_all()
    monkeypatch.setattr(keeping, "MOST_DRAFTS", 2)
    assert save(writer, state(), uuid4()).status_code == 200
    full = save(writer, state(), uuid4())
    assert full.status_code == 422 and "2 unsaved drafts" in full.json()["error"] and Draft.objects.count() == 2


def test_saving_the_form_removes_its_draft_unless_more_was_typed(writer: Client) -> None:
    form = FORM | {"status": "draft"}
    save(writer, state("in the form", 4))
    assert writer.post("/admin/posts/post/add/", form | {"title": " ", "copy": f"{SLOT}:4"}).status_code == 200
    assert body_of() == "in the form"
    writer.post("/admin/posts/post/add/", form | {"copy": f"{SLOT}:3"})
    assert Draft.objects.count() == 1
    writer.post("/admin/posts/post/add/", form | {"copy": f"{SLOT}:4"})
    assert not Draft.objects.exists()
    for forged in ("x", f"{'-' * 36}:4", f"{SLOT}:99999999999999999"):
        assert writer.post("/admin/posts/post/add/", form | {"copy": forged}).status_code == 302


def test_the_draft_of_a_deleted_post_stays_as_one_of_a_new_post(writer: Client) -> None:
    post = make_post()
    save(writer, state("work", post=post.pk, base="abc"))
    assert writer.get(LIST).json()["drafts"][0]["path"].endswith(f"/{post.pk}/change/")
    post.delete()
    assert writer.get(LIST).json()["drafts"][0]["path"].endswith("/add/") and body_of() == "work"


def test_drafts_that_nobody_touched_for_90_days_go(writer: Client) -> None:
    for slot, days in ((SLOT, 91), (uuid4(), 89)):
        save(writer, state(), slot)
        Draft.objects.filter(slot=slot).update(saved_at=timezone.now() - timedelta(days=days))
    assert forget_old_drafts() == 1 and not Draft.objects.filter(slot=SLOT).exists() and Draft.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_the_drafts(
    writer: Client, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post()
    for _ in range(20):
        save(writer, state(post=post.pk), uuid4())
    with django_assert_num_queries(3):  # session, user, drafts
        assert len(writer.get(LIST).json()["drafts"]) == 20
    save(writer, state(post=post.pk))
    with django_assert_num_queries(7):  # session, user, post, the transaction's two, the draft twice
        save(writer, state("more", 2, post=post.pk))
