"""What a commenter may cost: previews, edits and the texts themselves; and what of it moderators get to see."""

import json
import time

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client

from apps.comments.avatars import identicon
from apps.comments.digests import is_rewritten
from apps.comments.mail.models import Subscription
from apps.comments.models import Comment
from apps.comments.spam import akismet, limits
from apps.posts.rendering.comment_markdown import render_comment
from tests.comments.test_comments import FIELDS, form_address
from tests.factories import make_administrator, make_comment, make_post

SENTENCE = "The weather was fine today and so we went for a walk along the river until the evening."


def write(client: Client, post: object, body: str = SENTENCE) -> Comment:
    client.get(form_address(post))
    assert client.post(form_address(post), FIELDS | {"body": body}).status_code == 302
    return Comment.objects.latest("pk")


# -- Previews ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_previews_are_counted_by_where_they_are_asked_for(settings) -> None:
    settings.TRUSTED_PROXIES = 1
    address = f"/article/{make_post().pk}/comment/preview/"

    def ask(origin: str, part: str = "?part") -> int:
        return Client().post(address + part, {"body": "*x*"}, headers={"x-forwarded-for": origin}).status_code

    first = [ask(f"2001:db8::{number}") for number in range(limits.PREVIEWS_PER_MINUTE)]
    assert set(first) == {200}
    assert ask("2001:db8::ffff") == ask("2001:db8::1", part="") == 429
    assert ask("2001:db8:0:1::1") == ask("203.0.113.7") == 200


@pytest.mark.django_db
def test_a_preview_too_many_says_so_and_keeps_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PREVIEWS_PER_MINUTE", 1)
    post, client = make_post(), Client()
    address = f"/article/{post.pk}/comment/preview/"
    client.post(address, {"body": "x"})
    part, page = client.post(f"{address}?part", {"body": "x"}), client.post(address, {"body": "A long thought."})
    for answer in (part, page):
        assert answer.status_code == 429 and answer["Retry-After"] == "60"
        assert "操作过于频繁，请稍后再试。" in answer.content.decode()
    assert "A long thought." in page.content.decode()


# -- Texts -------------------------------------------------------------------------------------------------------------

HOSTILE = [
    *("[*", "**[", "*[*", "[", "![", "[[", "[_", "> [*", "- [", "[\n", "[](", "[a](", "](", "[*](", "[`", "[<http://"),
    *("*_", "_*_", "**a* ", "*a**b*** ", "好*", "“**”", "* a\n", "> ", "- - ", "# a\n", "```\n", "``a`", "http://a."),
    *("http://a.b/*", "<http://a>", "<a", "&", "\\", "[x]: ", "(", "\n"),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_short_text_keeps_the_processor_busy(unit: str) -> None:
    for text in ((unit * 500)[:500], ("[" * 8 + unit * 500)[:500], (unit * 250)[:250] + "]" * 250):
        assert seconds_for(text) < 0.02, text[:20]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_full_text_of_nonsense_is_bounded(unit: str) -> None:
    for text in ((unit * 10_000)[:10_000], ("[[" + unit * 10_000)[:10_000]):
        assert seconds_for(text, tries=2) < 0.5, text[:20]


def seconds_for(text: str, tries: int = 5) -> float:
    least = 9.0
    for _ in range(tries):
        begun = time.process_time()
        render_comment(text)
        least = min(least, time.process_time() - begun)
        if least < 0.01:
            break
    return least


def test_brackets_beyond_need_are_shown_as_typed_and_the_rest_is_not() -> None:
    html = render_comment(
        "[" * 30 + "*a*\nb\n\n**bold** [link](https://example.com) `x[0]`\n\n```\n" + "[" * 50 + "\n```"
    )
    assert "[" * 30 + "*a*<br>" in html.replace("\n", "") and "<strong>bold</strong>" in html
    assert 'href="https://example.com"' in html and "<code>x[0]</code>" in html and "[" * 50 in html
    nested = "[a [b [c]]](https://example.com) and [x] " * 20
    assert render_comment(nested).count("<a ") == 20


# -- Edits -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_edits_are_counted_and_the_text_is_kept(client: Client) -> None:
    post = make_post()
    comment = write(client, post)
    address = f"{form_address(post)}{comment.floor}/edit/"
    answers = [client.post(address, {"body": f"{SENTENCE} {number}"}) for number in range(limits.EDITS + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {302}
    refused = answers[-1]
    assert refused.status_code == 429 and refused["Retry-After"] == str(limits.EDITS_SECONDS)
    assert f"{SENTENCE} {limits.EDITS}" in refused.content.decode()
    comment.refresh_from_db()
    assert comment.body == f"{SENTENCE} {limits.EDITS - 1}"


@pytest.mark.django_db
@pytest.mark.parametrize("state, held", [("visible", "pending"), ("spam", "spam")])
def test_what_was_sent_before_does_not_come_in_as_an_edit(client: Client, state: str, held: str) -> None:
    post, spam = make_post(), "Our shop sells the finest clocks of the whole country at a price for you alone"
    make_comment(make_post(), spam)
    Comment.objects.all().set_state(state)
    comment = write(client, post)
    client.post(f"{form_address(post)}{comment.floor}/edit/", {"body": spam})
    comment.refresh_from_db()
    assert comment.state == held and {reason.code for reason in comment.why} >= {"edited", "duplicate"}


@pytest.mark.django_db
def test_akismet_is_asked_of_a_rewritten_comment_and_of_no_correction(
    client: Client, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def check(submission) -> tuple[bool, bool]:
        asked.append(submission.body)
        return "clocks" in submission.body, True

    monkeypatch.setattr(akismet, "check", check)
    settings.AKISMET_KEY = "key"
    post = make_post()
    comment = write(client, post)
    address = f"{form_address(post)}{comment.floor}/edit/"
    client.post(address, {"body": SENTENCE.replace("fine", "good")})
    assert asked == [SENTENCE]
    client.post(address, {"body": "Buy clocks! " * 5})
    comment.refresh_from_db()
    assert len(asked) == 2 and comment.state == "spam"


@pytest.mark.parametrize("before, after, rewritten", [
    (SENTENCE, SENTENCE.replace("fine", "find"), False), (SENTENCE, SENTENCE[:40], False),
    (SENTENCE, f"{SENTENCE} Buy clocks in our shop, the finest of the whole country, for you alone!", True),
    ("今天天气很好，我们去了河边散步。", "今天天气很好，我们去河边散了步。", False),
    ("今天天气很好，我们去了河边散步。", "本店出售各种手表，价格优惠，欢迎选购。", True),
    ("a", "b", True), ("x", "x", False), ("…", "!", False),
])  # fmt: skip
def test_a_correction_is_told_from_another_text(before: str, after: str, rewritten: bool) -> None:
    assert is_rewritten(before, after) is rewritten


@pytest.mark.django_db
def test_moderators_see_that_a_comment_was_edited(client: Client, admin_client: Client) -> None:
    post = make_post()
    comment = write(client, post)
    queue, page = "/admin/comments/comment/", post.get_absolute_url()
    assert "编辑时间" not in admin_client.get(queue).content.decode()
    Comment.objects.all().set_state("pending")
    assert "编辑于" not in admin_client.get(page).content.decode()
    Comment.objects.all().set_state("visible")
    client.post(f"{form_address(post)}{comment.floor}/edit/", {"body": f"{SENTENCE} Well."})
    Comment.objects.all().set_state("pending")
    for address in (queue, f"{queue}{comment.pk}/change/"):
        assert "编辑时间" in admin_client.get(address).content.decode(), address
    assert "编辑于" in admin_client.get(page).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("changed, leaves_a_mark", [
    ({"body": "Other words."}, True), ({"author_name": "The Owner"}, True), ({"author_email": "a@example.com"}, False),
    ({}, False),
])  # fmt: skip
def test_what_a_moderator_rewrites_is_marked_as_edited(changed: dict, leaves_a_mark: bool) -> None:
    moderator = make_administrator()
    moderator.is_superuser = False
    moderator.save()
    moderator.user_permissions.set(
        Permission.objects.filter(codename__in=["change_comment", "view_comment"], content_type__app_label="comments")
    )
    client = Client()
    client.force_login(moderator)
    comment = make_comment(make_post())
    form = {name: getattr(comment, name) for name in ("author_name", "author_email", "author_site", "body", "state")}
    assert client.post(f"/admin/comments/comment/{comment.pk}/change/", form | changed).status_code == 302
    comment.refresh_from_db()
    assert (comment.edited_at is not None) is leaves_a_mark
    if "body" in changed:
        assert comment.body == "Other words."


@pytest.mark.django_db
def test_those_who_asked_for_mail_in_public_are_told_no_secret_address() -> None:
    post = make_post()
    make_comment(post, notify_replies=True)
    post.title = "Another title"
    post.save()
    assert Subscription.objects.count() == 1
    post.status = "unlisted"
    post.save()
    assert Subscription.objects.count() == 0
    make_comment(post, notify_replies=True)  # has the address
    post.save()
    assert Subscription.objects.count() == 1 and not mail.outbox


# -- Avatars -----------------------------------------------------------------------------------------------------------


def test_an_avatar_tells_nothing_to_those_who_try_addresses(settings) -> None:
    first = identicon("Ada", "ada@example.com")
    assert identicon("Another name", " ADA@example.com ") == first != identicon("Ada", "bob@example.com")
    identicon.cache_clear()
    settings.SECRET_KEY = "another blog's"
    assert identicon("Ada", "ada@example.com") != first
    identicon.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize("message", [{"post": "x"}, {"post": "1-"}, {"post": "1-xyz"}, {"post": "١"}, {"post": []}])
def test_a_beacon_of_no_post_is_refused(client: Client, message: dict) -> None:
    assert client.post("/stats/view", json.dumps(message), "application/json").status_code == 400
