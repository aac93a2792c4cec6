"""Mail about comments, sent to a server that speaks SMTP."""

import datetime
import re
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.comments.mail import dispatcher
from apps.comments.mail.delivery import LEASE, deliver
from apps.comments.mail.models import Notice, Receiver, SilencedAuthor, Subscription
from apps.comments.models import Comment
from apps.components.models import SiteIdentity
from apps.core.pages import store
from apps.posts.models import Post
from tests.factories import make_administrator, make_comment, make_post
from tests.languages import in_english
from tests.services import wait_until
from tests.smtp import SMTPServer, closed_port

pytestmark = pytest.mark.django_db

FIELDS = {"author_name": "Ada", "author_email": "ada@example.com", "body": "A **bold** thought."}
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def smtp(settings) -> Iterator[SMTPServer]:
    with SMTPServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 3
        yield server


def send() -> int:
    return deliver(store.current_site())


def let_pass(span: datetime.timedelta) -> None:
    """Play that so much time has gone by."""
    for model, names in ((Notice, ("created_at", "due_at", "moved_at")), (Receiver, ("asked_at",))):
        for row in model.objects.all():
            for name in names:
                setattr(row, name, getattr(row, name) - span)
            row.save()


def subject(letter: EmailMessage) -> str:
    """The subject as a mail program shows it: a long one begins on the header's second line, after a space."""
    return str(letter["Subject"]).strip()


def plain(letter) -> str:
    return letter.get_body(("plain",)).get_content()


def html(letter) -> str:
    return letter.get_body(("html",)).get_content()


def link(letter, part: str) -> str:
    """The path of the link to /comments/mail/<part>/ in the letter's text."""
    return re.search(rf"(/comments/mail/{part}/\S+/)", plain(letter))[1]


def speak_english() -> None:
    SiteIdentity(pk=1, title="Between the lines", language="en").save()
    store.drop()


@pytest.fixture
def post() -> Post:
    speak_english()
    return make_post(title="On walking", author=make_administrator(email="writer@example.com"))


def subscribe(client: Client, smtp: SMTPServer, post: Post, email: str = "ada@example.com") -> Comment:
    """A comment whose writer has asked for answers and confirmed it; what was sent for that is cleared away."""
    comment = make_comment(post, "First.", author_email=email, notify_replies=True)
    send()
    (question,) = (letter for letter in smtp.letters if letter.to == [email] and "confirm" in plain(letter))
    assert client.post(link(question, "confirm")).status_code == 200
    smtp.letters.clear()
    return comment


# -- To the author -------------------------------------------------------------------------------------------------


def test_the_author_hears_of_a_comment_once(client: Client, smtp: SMTPServer, post: Post) -> None:
    client.post(f"/article/{post.pk}/comment/", FIELDS)
    assert send() == 1 and send() == 0
    (letter,) = smtp.letters
    assert letter.to == ["writer@example.com"] and letter["To"] == "writer@example.com"
    assert subject(letter) == "Ada commented on “On walking”"
    assert letter["From"] == "Between the lines <noreply@testserver>"
    assert "A **bold** thought." in plain(letter) and f"http://testserver{post.floor_url(1)}" in plain(letter)
    assert "A <strong>bold</strong> thought." in html(letter)
    assert "ada@example.com" not in letter.raw.decode() and letter["Auto-Submitted"] == "auto-generated"


def test_the_author_hears_nothing_of_the_own_comment(smtp: SMTPServer, post: Post) -> None:
    make_comment(post, user=post.author)
    assert send() == 0 and not smtp.letters


def test_a_comment_that_awaits_approval_is_said_to_do_so_and_not_told_again(smtp: SMTPServer, post: Post) -> None:
    make_comment(post)
    Comment.objects.all().set_state("pending")
    send()
    Comment.objects.all().set_state("visible")
    send()
    (letter,) = smtp.letters
    assert subject(letter) == "A comment on “On walking” is awaiting approval" and "/admin/comments/" in plain(letter)


@pytest.mark.parametrize("state", ["spam", "screened"])
def test_nobody_hears_of_spam_until_it_is_none(client: Client, smtp: SMTPServer, post: Post, state: str) -> None:
    subscribe(client, smtp, post)
    make_comment(post, "Buy now.", reply_to_floor=1, author_email="x@example.com", notify_replies=True)
    Comment.objects.filter(floor=2).set_state(state)
    assert send() == 0
    Comment.objects.filter(floor=2).set_state("visible")
    assert send() == 3  # to the author, to who was answered, and the question to who asks for answers


def test_nobody_hears_of_a_deleted_comment(client: Client, smtp: SMTPServer, post: Post) -> None:
    subscribe(client, smtp, post)
    make_comment(post, "Oh no.", reply_to_floor=1, author_email="x@example.com").delete()
    assert send() == 0 and not smtp.letters


def test_letters_are_in_the_sites_language(client: Client, smtp: SMTPServer) -> None:
    post = make_post(title="走路", author=make_administrator(email="writer@example.com"))
    in_english(client).post(f"/article/{post.pk}/comment/", FIELDS)
    send()
    (letter,) = smtp.letters
    assert 'lang="zh-hans"' in html(letter)


# -- To who was answered -------------------------------------------------------------------------------------------


def test_who_did_not_ask_hears_nothing(smtp: SMTPServer) -> None:
    post = make_post()
    make_comment(post)
    make_comment(post, reply_to_floor=1, author_email="bob@example.com")
    assert send() == 0 and not smtp.letters


def test_nothing_but_one_question_goes_to_an_address_before_it_confirms(client: Client, smtp: SMTPServer) -> None:
    speak_english()
    post = make_post(title="On walking")
    ticked = FIELDS | {"notify_replies": "on", "author_name": "Walter of the Hills"}
    for time in ("first", "second", "third"):
        said = f"I walked to the hills for the {time} time: https://hills.example/"
        client.post(f"/article/{post.pk}/comment/", ticked | {"body": said})
        make_comment(post, "An answer.", reply_to_floor=1, author_email="bob@example.com")
        send()
    (question,) = smtp.letters
    assert question.to == ["ada@example.com"] and "List-Unsubscribe" not in question
    assert "ills" not in question.raw.decode()  # who comments can't have the blog send words of theirs
    path = link(question, "confirm")
    for _ in range(2):
        page = in_english(client).get(path)
        assert page.status_code == 200 and "Confirm subscription" in page.content.decode()
    assert send() == 0  # to look is not to confirm
    assert in_english(client).post(path).status_code == 200
    assert send() == 3
    assert {subject(letter) for letter in smtp.letters[1:]} == {"Ada replied to your comment on “On walking”"}


def test_an_answer_is_told_to_who_was_answered_alone(client: Client, smtp: SMTPServer) -> None:
    speak_english()
    post = make_post(title="On walking")
    subscribe(client, smtp, post)
    subscribe(client, smtp, post, "carl@example.com")
    make_comment(post, "I agree.", reply_to_floor=1, author_name="Bob", author_email="bob@example.com")
    assert send() == 1
    (letter,) = smtp.letters
    assert letter.to == ["ada@example.com"] and "I agree." in plain(letter)
    assert not re.search("(bob|carl)@", letter.raw.decode())
    make_comment(post, "To myself.", reply_to_floor=1, author_email="ADA@example.com")
    make_comment(post, "To nobody.", author_email="bob@example.com")
    assert send() == 0


def test_an_author_who_was_answered_gets_one_letter(client: Client, smtp: SMTPServer, post: Post) -> None:
    subscribe(client, smtp, post, "writer@example.com")
    make_comment(post, reply_to_floor=1, author_email="bob@example.com")
    assert send() == 1


def test_one_click_ends_the_mail_for_good(client: Client, smtp: SMTPServer) -> None:
    post = make_post()
    subscribe(client, smtp, post)
    make_comment(post, "I agree.", reply_to_floor=1, author_email="bob@example.com")
    send()
    (letter,) = smtp.letters
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = letter["List-Unsubscribe"].strip(" <>").removeprefix("http://testserver")
    assert address == link(letter, "stop") and "ada" not in address
    assert client.get(address).status_code == 200 and Subscription.objects.exists()
    mail_program = Client(enforce_csrf_checks=True)
    for _ in range(2):
        assert mail_program.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not Subscription.objects.exists()
    make_comment(post, "Hello?", reply_to_floor=1, author_email="bob@example.com")
    make_comment(post, "Pestered.", notify_replies=True)
    assert send() == 0  # and whoever types the address can't even have the question sent again at once
    let_pass(datetime.timedelta(days=8))
    send()
    assert not Receiver.objects.exists()


def test_a_new_secret_key_ends_no_mail_and_no_link(client: Client, smtp: SMTPServer, settings: Settings) -> None:
    post = make_post(author=make_administrator(email="writer@example.com"))
    subscribe(client, smtp, post)
    make_comment(post, "I agree.", reply_to_floor=1, author_email="bob@example.com")
    send()
    before = next(letter for letter in smtp.letters if letter.to == ["ada@example.com"])
    make_comment(post, "So do I.", reply_to_floor=1, author_email="bob@example.com")
    smtp.letters.clear()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-0123456789"
    make_comment(post, "And I myself.", reply_to_floor=1, author_email="ada@example.com")
    let_pass(datetime.timedelta(hours=1))
    send()
    (after,) = (letter for letter in smtp.letters if letter.to == ["ada@example.com"])
    assert "So do I." in plain(after) and "And I myself." not in plain(after)
    assert client.post(link(before, "stop")).status_code == 200
    assert not Subscription.objects.exists()


def test_an_authors_click_ends_the_authors_mail(client: Client, smtp: SMTPServer, post: Post) -> None:
    make_comment(post)
    send()
    client.post(link(smtp.letters[0], "stop"))
    make_comment(post)
    assert send() == 0 and SilencedAuthor.objects.get().user == post.author


@pytest.mark.parametrize("part", ["confirm", "stop"])
@pytest.mark.parametrize("token", ["x", "x:y:z", "é", "a" * 3000])
def test_a_forged_link_is_no_link(client: Client, part: str, token: str) -> None:
    for method in (client.get, client.post):
        assert method(f"/comments/mail/{part}/{token}/").status_code == 404


def test_one_kind_of_link_is_not_another(client: Client, smtp: SMTPServer) -> None:
    post = make_post()
    make_comment(post, notify_replies=True)
    send()
    token = link(smtp.letters[0], "confirm").split("/")[-2]
    assert client.post(f"/comments/mail/stop/{token}/").status_code == 404


def test_a_post_that_is_no_longer_everybodys_is_not_told_of(client: Client, smtp: SMTPServer) -> None:
    post = make_post()
    subscribe(client, smtp, post)
    make_comment(post, "I agree.", reply_to_floor=1, author_email="bob@example.com")
    Post.objects.update(status="private")
    assert send() == 0
    Post.objects.update(status="published", password="sesame")
    send()
    assert "I agree." not in smtp.letters[0].raw.decode()


# -- What people type ----------------------------------------------------------------------------------------------


NAMES = ["Ada\r\nBcc: all@example.com", '"Ada" <x@example.com>', "名" * 64, "\u202eadA", "🎉, ;:<>@", "=?utf-8?q?x?="]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_can_do_nothing_to_a_letter(smtp: SMTPServer, post: Post, name: str) -> None:
    Post.objects.update(title="Title\r\nX-Injected: yes")
    make_comment(post, "<b>x</b>\n.\n..\nQUIT", author_name=name)
    assert send() == 1
    (letter,) = smtp.letters
    assert letter.to == ["writer@example.com"] and not letter["Bcc"] and not letter["X-Injected"]
    assert len(letter.get_all("Subject")) == 1 and "<b>x</b>" not in html(letter)


@pytest.mark.parametrize(
    "address",
    ["o'hara+tag@example.com", '"a b"@example.com', "ada@bücher.example", "a@[127.0.0.1]", f"{'x' * 64}@example.com"],
)
def test_odd_addresses_get_their_mail(smtp: SMTPServer, post: Post, address: str) -> None:
    post.author.email = address
    post.author.save()
    make_comment(post)
    assert send() == 1 and len(smtp.letters[0].to) == 1


@pytest.mark.parametrize(
    "address", ["a@example.com\r\nBcc: all@example.com", "a@b@c", "用户@例子.公司", "a, b@example.com"]
)
def test_what_is_no_address_stops_nobody_elses_mail(smtp: SMTPServer, post: Post, address: str, caplog) -> None:
    other = make_post(author=make_administrator(email="other@example.com"))
    type(post.author).objects.filter(pk=post.author_id).update(email=address)
    for written in (post, other):
        make_comment(written)
    send()
    assert ["other@example.com"] in [letter.to for letter in smtp.letters]
    assert all(len(letter.to) == 1 and not letter["Bcc"] for letter in smtp.letters)
    assert send() == 0 and "a@" not in caplog.text


# -- Many ----------------------------------------------------------------------------------------------------------


def test_above_five_letters_an_hour_they_come_together(smtp: SMTPServer, post: Post) -> None:
    for number in range(5):
        make_comment(post, f"Thought {number}.")
        send()
    assert len(smtp.letters) == 5
    for number in range(60):
        make_comment(post, f"Later thought {number}.")
    assert send() == 0
    let_pass(61 * MINUTE)
    assert send() == 1
    letter = smtp.letters[-1]
    assert subject(letter) == "60 new comments" and "Later thought 0." in plain(letter)
    assert "10 more" in plain(letter) and "10 more" in html(letter)
    assert send() == 0 and not Notice.objects.exclude(state="sent").exists()


def test_a_heap_comes_together_at_once(smtp: SMTPServer, post: Post) -> None:
    for _ in range(7):
        make_comment(post)
    assert send() == 1 and subject(smtp.letters[0]) == "7 new comments"


def test_questions_to_strangers_are_few(smtp: SMTPServer, settings) -> None:
    post = make_post()
    for number in range(65):
        make_comment(post, author_email=f"victim{number}@example.com", notify_replies=True)
    send()
    assert len(smtp.letters) == 60
    let_pass(61 * MINUTE)
    send()
    assert len({letter["To"] for letter in smtp.letters}) == len(smtp.letters) == 65


# -- When things go wrong ------------------------------------------------------------------------------------------


def test_a_server_that_is_away_gets_the_letter_when_it_is_back(settings, smtp: SMTPServer, post: Post) -> None:
    make_comment(post)
    settings.EMAIL_PORT = closed_port()
    assert send() == 0
    settings.EMAIL_PORT = smtp.port
    assert send() == 0  # not before a minute is over
    let_pass(MINUTE)
    assert send() == 1 and len(smtp.letters) == 1 and send() == 0


def test_a_server_that_says_nothing_is_waited_for_once_a_round(smtp: SMTPServer, post: Post) -> None:
    for email in ("a@example.com", "b@example.com"):
        make_comment(make_post(author=make_administrator(email=email)))
    smtp.hangs_at = "greeting"
    assert send() == 0
    assert sorted(Notice.objects.values_list("attempts", flat=True)) == [0, 1]
    smtp.hangs_at = ""
    let_pass(MINUTE)
    assert send() == 2 and len(smtp.letters) == 2


def test_not_now_is_tried_again_and_never_is_not(smtp: SMTPServer, post: Post, caplog) -> None:
    make_comment(post)
    smtp.answers = ["451 busy", "421 going", "250 ok"]
    assert send() == 0
    let_pass(MINUTE)
    assert send() == 0
    let_pass(2 * MINUTE)
    assert send() == 1 and len(smtp.letters) == 1
    make_comment(post)
    smtp.answers = ["550 nobody here"]
    assert send() == 0
    let_pass(datetime.timedelta(days=1))
    assert send() == 0 and len(smtp.letters) == 1 and "writer@" not in caplog.text


@pytest.mark.parametrize("hangs_at", ["end", "cut"])
def test_what_may_have_arrived_is_not_sent_again(smtp: SMTPServer, post: Post, hangs_at: str) -> None:
    make_comment(post)
    smtp.hangs_at = hangs_at
    assert send() == 0 and len(smtp.letters) == 1
    smtp.hangs_at = ""
    let_pass(datetime.timedelta(days=1))
    assert send() == 0 and len(smtp.letters) == 1


def test_a_letter_that_never_goes_out_is_given_up(settings, smtp: SMTPServer, post: Post) -> None:
    make_comment(post)
    settings.EMAIL_PORT = closed_port()
    for _ in range(13):
        send()
        let_pass(datetime.timedelta(hours=6))
    settings.EMAIL_PORT = smtp.port
    assert send() == 0 and not smtp.letters


def test_what_a_dead_worker_had_claimed_goes_out_later(smtp: SMTPServer, post: Post) -> None:
    make_comment(post)
    Notice.objects.claim([Notice.objects.get().pk], "of a worker that died")
    assert send() == 0
    let_pass(LEASE)
    assert send() == 1 and send() == 0


@pytest.mark.django_db(transaction=True)
def test_twelve_workers_at_once_send_each_letter_once(smtp: SMTPServer) -> None:
    for number in range(12):
        make_comment(make_post(author=make_administrator(email=f"writer{number}@example.com")))
    assert dispatcher.wait(30)  # of this process, woken by the comments
    Notice.objects.update(state="waiting", letter="", due_at=timezone.now())
    smtp.letters.clear()
    start = threading.Barrier(12)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            start.wait(30)
            send()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert sorted(letter["To"] for letter in smtp.letters) == sorted(f"writer{n}@example.com" for n in range(12))


@pytest.mark.django_db(transaction=True)
def test_a_blog_of_one_sends_by_itself_and_nobody_waits(client: Client, smtp: SMTPServer) -> None:
    post = make_post(author=make_administrator(email="writer@example.com"))
    smtp.hangs_at = "greeting"
    assert client.post(f"/article/{post.pk}/comment/", FIELDS).status_code == 302
    assert smtp.hanging.wait(30)  # the answer is there while the server still says nothing
    smtp.hangs_at = ""
    smtp.released.set()
    wait_until(lambda: Notice.objects.get().attempts == 1, 30)
    Notice.objects.update(due_at=timezone.now())
    dispatcher.call()
    assert dispatcher.wait(30)
    assert len(smtp.letters) == 1
