"""The spam filter: each rule by itself, what the commenter sees, limits, and what the classifier learns."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.comments.live import notifications
from apps.comments.models import BlocklistEntry, Comment, LearnedToken, LearnedTotals, Lesson
from apps.comments.services import reconcile_counts
from apps.comments.spam import limits, rules
from apps.comments.spam.classifier import judge, teach
from apps.comments.spam.services import weigh
from apps.comments.spam.stamps import age_of, stamp
from apps.comments.spam.submission import Submission
from apps.comments.verdict import Verdict
from apps.components.models import SiteIdentity
from apps.posts.models import Post
from tests.factories import make_administrator, make_comment, make_post
from tests.languages import in_english
from tests.services import Redis

pytestmark = pytest.mark.django_db
FIELDS = {"author_name": "Ada", "author_email": "ada@example.com", "body": "The index on (state, created_at) did it."}
CASINO = "Best online casino with free spins, visit https://lucky.example/ now"


def written(body: str = FIELDS["body"], **fields: Any) -> Submission:
    """As somebody writes who took a minute for it."""
    plain = {"post_id": 1, "author_name": "Ada", "author_email": "ada@example.com", "address": "203.0.113.9"}
    return Submission(**{**plain, "body": body, "stamp": stamp(1, 60), **fields})


def codes(submission: Submission) -> set[str]:
    return {reason.code for reason in weigh(submission).reasons}


def address(post: Post) -> str:
    return f"/article/{post.pk}/comment/"


def send(client: Client, post: Post, body: str = FIELDS["body"], **fields: str) -> Any:
    sent = FIELDS | {"body": body, "opened": stamp(post.pk, 60), **fields}
    return in_english(client).post(address(post), sent)


def hold(policy: str) -> None:
    SiteIdentity(comment_holding=policy).save()


# -- The rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields, code", [
    ({"honeypot": "http://spam.example/"}, "honeypot"),
    ({"stamp": ""}, "no_stamp"),
    ({"stamp": "1:1700000000:forged"}, "no_stamp"),
    ({"stamp": "\0\ud800"}, "no_stamp"),
    ({"stamp": stamp(2, 60)}, "no_stamp"),
    ({"body": " ".join(f"see https://a{n}.example/" for n in range(3))}, "links"),
    ({"body": "https://only.example/"}, "only_link"),
    ({"body": "Look: [url=https://a.example]here[/url]"}, "markup"),
    ({"body": 'Look: <a  href="https://a.example">here</a>'}, "markup"),
    ({"body": "代开各类发票，加微信 fapiao8888"}, "phrases"),
    ({"author_name": "Buy cheap viagra"}, "phrases"),
])  # fmt: skip
def test_what_each_rule_sees(fields: dict, code: str) -> None:
    assert code in codes(written(**fields))


def test_a_form_sent_at_once_is_suspicious_but_not_held() -> None:
    verdict = weigh(written(stamp=stamp(1)))
    assert [reason.code for reason in verdict.reasons] == ["too_fast"] and verdict.is_visible


@pytest.mark.parametrize("body", [
    "Two links are fine: https://docs.djangoproject.com/ and https://www.postgresql.org/docs/, thanks!",
    "My configuration:\n\n```nginx\n" + "\n".join(f"proxy_pass http://10.0.0.{n}:8000;" for n in range(9)) + "\n```\n\nDoes it?",
    "In code `<a href=x>` and `[url=x]` are no links, are they? They don't show up here.",
    "谢谢！",
    "http://testserver/article/1/ and http://testserver/article/2/ and http://testserver/article/3/ say so",
])  # fmt: skip
def test_what_the_rules_leave_alone(body: str) -> None:
    assert weigh(written(body)).state == "visible", weigh(written(body))


def test_the_same_long_text_is_seen_again_on_any_post_whatever_its_case() -> None:
    text = "What a wonderful article, I learned so much from it!"
    assert codes(written(text)) == set()
    make_comment(make_post(), text)
    assert "duplicate" in codes(written(text.upper().replace(" ", "  ")))
    assert weigh(written(text)).state == "pending"
    Comment.objects.all().set_state("spam")
    assert weigh(written(text)).state == "spam"
    Comment.objects.update(created_at=timezone.now() - timezone.timedelta(days=31))
    assert codes(written(text)) == set()


def test_short_thanks_are_no_duplicates() -> None:
    make_comment(make_post(), "感谢分享！")
    assert codes(written("感谢分享！")) == set()


@pytest.mark.parametrize("kind, value, fields, found", [
    ("word", "区块链大会", {"body": "欢迎参加区块链大会"}, True),
    ("word", "Cheap Flights", {"body": "Get CHEAP  flights today"}, True),
    ("word", "ass", {"body": "The class assigns a password."}, False),
    ("word", "c++", {"body": "I write C++ and C."}, True),
    ("word", "spammer", {"author_name": "Spammer"}, True),
    ("address", "203.0.113.0/24", {}, True),
    ("address", "203.0.113.10", {}, False),
    ("address", "2001:db8::/32", {"address": "2001:db8::7"}, True),
    ("address", "203.0.113.0/24", {"address": "nonsense"}, False),
    ("email", "ada@example.com", {}, True),
    ("email", "example.com", {"author_email": "bob@mail.EXAMPLE.com"}, True),
    ("email", "ample.com", {}, False),
    ("site", "spam.example", {"author_site": "https://www.spam.example/x"}, True),
    ("site", "spam.example", {"body": "see http://a.spam.example/x for more of these"}, True),
    ("site", "spam.example", {"body": "see http://nospam.example/x for more of these"}, False),
])  # fmt: skip
def test_the_blocklist(kind: str, value: str, fields: dict, found: bool) -> None:
    entry = BlocklistEntry(kind=kind, value=value)
    entry.full_clean()
    entry.save()
    assert ("blocklist" in codes(written(**fields))) is found
    if found:
        assert weigh(written(**fields)).state == "pending"
        BlocklistEntry.objects.update(outcome="spam")
        assert weigh(written(**fields)).state == "spam"


def test_the_blocklist_in_the_admin_takes_no_nonsense(admin_client: Client) -> None:
    fields = {"kind": "address", "value": "300.1.1.1", "outcome": "hold", "note": ""}
    page = in_english(admin_client).post("/admin/comments/blocklistentry/add/", fields)
    assert "An address or a network" in page.content.decode()
    admin_client.post("/admin/comments/blocklistentry/add/", fields | {"value": "203.0.113.77/24"})
    admin_client.post(
        "/admin/comments/blocklistentry/add/", fields | {"kind": "site", "value": "https://Spam.example/"}
    )
    assert set(BlocklistEntry.objects.values_list("value", flat=True)) == {"203.0.113.0/24", "spam.example"}


def test_comments_of_staff_are_never_weighed(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert weigh(written(CASINO, is_staff=True, honeypot="x", holding="everyone")) == Verdict()


def test_weighing_costs_no_more_than_said(django_assert_max_num_queries: Any) -> None:
    _taught()
    BlocklistEntry.objects.create(value="nothing of it")
    with django_assert_max_num_queries(5):
        weigh(written("A question that is long enough to have a digest?", holding="first_time"))


# -- What the commenter sees ---------------------------------------------------------------------------------------


def test_a_held_comment_is_thanked_for_and_seen_by_nobody(client: Client) -> None:
    post = make_post()
    response = send(client, post, CASINO)
    assert (response.status_code, response["Location"]) == (302, f"{address(post)}held/")
    page = in_english(client).get(response["Location"])
    assert "is awaiting approval" in page.content.decode() and "no-store" in page["Cache-Control"]
    comment = Comment.objects.get()
    assert comment.state == "pending" and comment.score >= 3 and comment.reasons
    for path in (post.get_absolute_url(), "/", "/feed/", "/search/?q=casino"):
        shown = client.get(path).content.decode()
        assert "casino with free" not in shown and "awaits" not in shown, path
    assert Post.objects.get(pk=post.pk).comment_count == 0 and reconcile_counts() == 0


def test_spam_gets_the_same_answer(client: Client) -> None:
    post = make_post()
    assert send(client, post, CASINO, topic="x")["Location"].endswith("/held/")
    assert Comment.objects.get().state == "spam"


@pytest.mark.parametrize("body, announced", [(FIELDS["body"], [1]), (CASINO, [])])
def test_open_pages_hear_of_visible_comments_alone(
    client: Client, body: str, announced: list, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[int] = []
    monkeypatch.setattr(notifications, "_send", lambda messages: told.extend(one["floor"] for one in messages))
    with django_capture_on_commit_callbacks(execute=True):
        send(client, make_post(), body)
    assert told == announced


def test_a_form_that_is_too_old_comes_back_with_the_text(client: Client) -> None:
    post = make_post()
    response = send(client, post, opened=stamp(post.pk, 25 * 3600))
    page = response.content.decode()
    assert response.status_code == 422 and "This page has expired" in page and FIELDS["body"] in page
    assert not Comment.objects.exists()
    fresh = page.split('name="opened" value="')[1].split('"')[0]
    assert age_of(fresh, post.pk) >= 3  # who sends it at once has typed before
    assert send(client, post, opened=fresh)["Location"].endswith("#floor-1")
    assert Comment.objects.get().reasons is None


def test_the_form_hides_its_trap_from_people(client: Client) -> None:
    page = in_english(client).get(address(make_post())).content.decode()
    trap = page.split('<div class="visually-hidden" aria-hidden="true">')[1].split("</div>")[0]
    assert 'name="topic"' in trap and 'tabindex="-1"' in trap and 'autocomplete="off"' in trap


@pytest.mark.parametrize("policy, first, second", [
    ("nobody", "visible", "visible"), ("first_time", "pending", "visible"), ("everyone", "pending", "pending"),
])  # fmt: skip
@pytest.mark.usefixtures("_fresh_site")
def test_whose_comments_the_site_holds(client: Client, policy: str, first: str, second: str) -> None:
    hold(policy)
    post = make_post()
    send(client, post)
    assert Comment.objects.get().state == first
    Comment.objects.all().set_state("visible")
    send(client, post, "Something else.")
    assert Comment.objects.get(floor=2).state == second
    send(client, post, "From another.", author_email="eve@example.com")
    assert Comment.objects.get(floor=3).state == first
    staff = Client()
    staff.force_login(make_administrator())
    staff.post(address(post), {"body": "From me."})
    assert Comment.objects.get(floor=4).state == "visible"


@pytest.fixture
def _fresh_site() -> Iterator[None]:
    from apps.core.pages import store

    yield
    store.drop()


# -- Limits --------------------------------------------------------------------------------------------------------


def flood(client: Client, post: Post, number: int) -> list[int]:
    return [send(client, post, f"Thought number {n}.").status_code for n in range(number)]


def test_too_many_from_one_address_wait(client: Client, settings: Any) -> None:
    settings.COMMENTS_PER_ADDRESS_PER_MINUTE = 3
    post = make_post()
    assert flood(client, post, 3) == [302] * 3
    response = send(client, post, "One too many.")
    page = response.content.decode()
    assert response.status_code == 429 and response["Retry-After"] == "60"
    assert "Too many comments" in page and "One too many." in page and Comment.objects.count() == 3
    other = Client(REMOTE_ADDR="203.0.113.5")
    assert send(other, post).status_code == 302
    staff = Client()
    staff.force_login(make_administrator())
    assert staff.post(address(post), {"body": "It is me."}).status_code == 302


def test_too_many_under_one_post_and_in_one_day(client: Client, settings: Any) -> None:
    settings.COMMENTS_PER_POST_PER_MINUTE = 2
    post = make_post()
    assert flood(client, post, 3) == [302, 302, 429]
    settings.COMMENTS_PER_ADDRESS_PER_DAY = 4
    assert send(client, make_post()).status_code == 302
    response = send(client, make_post())
    assert response.status_code == 429 and response["Retry-After"] == "86400"
    settings.COMMENTS_PER_ADDRESS_PER_DAY = settings.COMMENTS_PER_POST_PER_MINUTE = 0
    settings.COMMENTS_PER_ADDRESS_PER_MINUTE = 0
    assert flood(client, post, 12) == [302] * 12


def test_a_household_of_ipv6_is_one_address(settings: Any) -> None:
    settings.COMMENTS_PER_ADDRESS_PER_MINUTE = 1
    limits.check("2001:db8::1", 1)
    with pytest.raises(limits.Refused):
        limits.check("2001:db8::2", 1)
    limits.check("2001:db8:0:1::2", 1)


def test_processes_share_the_count_in_redis(
    settings: Any, redis_server: Redis, counting_in: Callable[[Redis], None]
) -> None:
    counting_in(redis_server)
    settings.COMMENTS_PER_ADDRESS_PER_MINUTE = 50
    post = make_post()
    refused: list[int] = []

    def check() -> None:
        for _ in range(20):
            try:
                limits.check("203.0.113.1", post.pk)
            except limits.Refused as refusal:
                refused.append(refusal.status)

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert refused == [429] * 30
    with redis_server.client() as counts:
        assert any(0 < counts.ttl(key) <= 60 for key in counts.keys("blog:rates:comments:address:*"))


def test_without_redis_comments_come_in_and_the_process_counts_alone(
    client: Client, settings: Any, own_redis: Redis, counting_in: Callable[[Redis], None]
) -> None:
    counting_in(own_redis)
    settings.COMMENTS_PER_ADDRESS_PER_MINUTE = 2
    post = make_post()
    assert flood(client, post, 1) == [302]
    own_redis.stop()
    begun = time.monotonic()
    assert flood(client, post, 3) == [302, 302, 429]
    assert time.monotonic() - begun < 20


# -- What the classifier learns ------------------------------------------------------------------------------------

HAM = [f"The query planner of version {n} takes the index on the foreign key, see EXPLAIN." for n in range(20)]
JUNK = [
    f"Our company {n} offers wonderful kitchen cabinets at factory wholesale, welcome to inquire." for n in range(20)
]


def _taught() -> tuple[list[Comment], list[Comment]]:
    post = make_post()
    ham, junk = ([make_comment(post, text) for text in texts] for texts in (HAM, JUNK))
    teach(ham, False)
    teach(junk, True)
    return ham, junk


def learned() -> tuple[dict, list]:
    totals = LearnedTotals.objects.values("spam_comments", "ham_comments", "spam_tokens", "ham_tokens").get()
    rows = LearnedToken.objects.exclude(spam=0, ham=0).order_by("pk").values_list("pk", "spam", "ham")
    return totals, list(rows)


def test_it_says_nothing_before_it_has_learned_enough_of_both() -> None:
    post = make_post()
    teach([make_comment(post, text) for text in JUNK], True)
    teach([make_comment(post, text) for text in HAM[:19]], False)
    assert judge(written(JUNK[0])) is None
    teach([make_comment(post, HAM[19])], False)
    assert judge(written(JUNK[0])) > 1


def test_it_tells_new_texts_apart_and_knows_nothing_of_unknown_words() -> None:
    _taught()
    assert judge(written("Wholesale kitchen cabinets from our factory", author_name="Li", author_email="a@b.c")) > 1
    assert judge(written("Does EXPLAIN show the index on a foreign key?", author_name="Li", author_email="a@b.c")) < -1
    assert judge(written("量子纠缠", author_name="Zoë", author_email="a@b.c")) == 0
    assert weigh(written("Wonderful wholesale cabinets from our factory, welcome to inquire!")).state == "pending"


def test_it_forgets_exactly_what_it_learned() -> None:
    _ham, _junk = _taught()
    before = learned()
    comment = make_comment(make_post(), "Cabinets, and an index: 中文也在里面 https://a.example/")
    teach([comment], True)
    once = learned()
    assert once != before
    teach([comment], True)
    assert learned() == once
    Comment.objects.filter(pk=comment.pk).update(body="Edited since.")
    comment.refresh_from_db()
    teach([comment], False)
    assert learned() != once
    teach([comment], None)
    assert learned() == before and not Lesson.objects.filter(pk=comment.pk).exists()
    totals = LearnedTotals.objects.get()
    assert totals.vocabulary == LearnedToken.objects.count()


@pytest.mark.django_db(transaction=True)
def test_many_may_teach_at_once() -> None:
    post = make_post()
    comments = [make_comment(post, f"The same words for everybody, and {n} alone.") for n in range(24)]
    failures: list[BaseException] = []

    def mark(number: int) -> None:
        try:
            for comment in comments[number::4]:
                teach([comment], number % 2 == 0)
                teach([comment], number % 2 == 1)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=mark, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures
    totals, rows = learned()
    assert (totals["spam_comments"], totals["ham_comments"]) == (12, 12)
    assert sum(spam for _pk, spam, _ham in rows) == totals["spam_tokens"]
    assert max(spam for _pk, spam, _ham in rows) == 12
    assert LearnedTotals.objects.get().vocabulary == LearnedToken.objects.count()


# -- Akismet, when a key is set ------------------------------------------------------------------------------------


@pytest.fixture
def akismet(settings: Any) -> Iterator[Callable[..., list]]:
    """akismet(answer, …) starts a server that says so to everybody; returns what it was asked."""
    running: list[http.server.HTTPServer] = []

    def start(answer: bytes = b"true", status: int = 200, tip: str = "", wait_seconds: float = 0) -> list[str]:
        asked: list[str] = []

        class Fake(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked.append(self.path + "?" + self.rfile.read(int(self.headers["Content-Length"])).decode())
                stopping.wait(wait_seconds)
                self.send_response(status)
                if tip:
                    self.send_header("X-akismet-pro-tip", tip)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                """Nothing to tell."""

        server = http.server.HTTPServer(("127.0.0.1", 0), Fake)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        settings.AKISMET_KEY = "key"
        settings.AKISMET_URL = f"http://127.0.0.1:{server.server_port}/1.1"
        return asked

    stopping = threading.Event()
    yield start
    stopping.set()
    for server in running:
        server.shutdown()
        server.server_close()


def test_akismet_is_asked_and_believed(akismet: Callable) -> None:
    asked = akismet(b"true")
    assert weigh(written()).state == "pending"
    assert asked[0].startswith("/1.1/comment-check?api_key=key&") and "comment_author=Ada" in asked[0]
    akismet(b"true", tip="discard")
    assert weigh(written()).state == "spam"
    akismet(b"false")
    assert weigh(written()).state == "visible"


@pytest.mark.parametrize("broken", [{"answer": b"invalid"}, {"status": 500}, {"answer": b""}, {"wait_seconds": 20}])
def test_akismet_that_fails_stops_no_comment(akismet: Callable, broken: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.comments.spam.akismet.WAIT_SECONDS", 0.3)
    akismet(**broken)
    assert weigh(written()).state == "visible"


def test_akismet_that_is_away_stops_no_comment(settings: Any) -> None:
    settings.AKISMET_KEY, settings.AKISMET_URL = "key", "http://127.0.0.1:9/1.1"
    assert weigh(written()).state == "visible"


def test_without_a_key_nobody_is_asked(akismet: Callable, settings: Any) -> None:
    asked = akismet()
    settings.AKISMET_KEY = ""
    weigh(written())
    assert asked == [] and rules.akismet not in rules.RULES
