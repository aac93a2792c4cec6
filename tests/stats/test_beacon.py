"""A beacon is answered the same by Django's view and by a worker before it; and what goes to which."""

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from apps.core.observability import metrics
from apps.core.observability.logs import request_id
from apps.posts.models import Post
from apps.stats.beacon import answer as module
from tests.factories import make_administrator, make_comment, make_post
from tests.services import BROWSER
from tests.stats.ways import ADDRESS, Worker

pytestmark = pytest.mark.django_db
PREFETCH = {"user-agent": BROWSER, "sec-purpose": "prefetch"}  # shown the numbers and not counted
SAME = ("Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options", "Allow")


def asked(client: Client, method: str, query: str, body: str) -> Any:
    return client.generic(method, f"{ADDRESS}{query}", body, "text/plain", headers=PREFETCH)


@pytest.mark.parametrize(
    ("method", "query", "body", "status"),
    [
        ("POST", "", "", 200),
        ("POST", "", "{}", 200),
        ("POST", "", '{"post": PK, "referrer": "https://example.com/"}', 200),
        ("POST", "", '{"post": "UNLISTED"}', 200),
        ("POST", "", '{"post": 424242}', 404),
        ("POST", "", '{"post": DRAFT}', 404),
        ("POST", "", "[]", 400),
        ("POST", "", '{"post": "1"}', 400),
        ("POST", "", "{" + " " * 500 + "}", 400),
        ("POST", "", "\ufffd\x00", 400),
        ("POST", "?post=424242", "{}", 200),
        ("GET", "", "", 200),
        ("GET", "?post=PK", "", 200),
        ("GET", "?post=UNLISTED", "", 200),
        ("GET", "?post=424242", "", 404),
        ("GET", "?post=x", "", 400),
        ("GET", "?post=%ff%00", "", 400),
        ("HEAD", "", "", 405),
        ("PUT", "", "{}", 405),
        ("OPTIONS", "", "", 405),
    ],
)
def test_both_ways_answer_the_same(method: str, query: str, body: str, status: int) -> None:
    post, draft, unlisted = make_post(), make_post(status="draft"), make_post(status="unlisted")
    make_comment(post, "A comment.")
    for name, value in (("PK", post.pk), ("DRAFT", draft.pk), ("UNLISTED", unlisted.reference)):
        query, body = query.replace(name, str(value)), body.replace(name, str(value))
    ours, djangos = asked(Worker(), method, query, body), asked(Client(), method, query, body)
    assert (ours.status_code, djangos.status_code) == (status, status)
    assert getattr(ours, "is_shortcut", False) == (method in {"GET", "POST"})
    assert ours.content == djangos.content
    assert {name: ours.get(name) for name in SAME} == {name: djangos.get(name) for name in SAME}
    assert len(ours["X-Request-Id"]) == len(djangos["X-Request-Id"]) == 32
    assert ours["X-Content-Type-Options"] == "nosniff" and ours["Cache-Control"] == "private, no-store"


def test_numbers_are_told_as_json(reader: Client) -> None:
    post = make_post()
    make_comment(post, "A comment.")
    answer = reader.post(ADDRESS, json.dumps({"post": post.pk}), content_type="text/plain")
    shown = {"pv_today": 1, "uv_today": 1, "posts": 1, "comments": 1, "views": 1, "post_comments": 1}
    assert json.loads(answer.content) == shown


@pytest.mark.parametrize(
    "sent",
    [
        {"HTTP_COOKIE": "sessionid=x"},
        {"HTTP_AUTHORIZATION": "Basic eDp5"},
        {"HTTP_HOST": "other.example"},
        {"HTTP_HOST": "a b"},
        {"REQUEST_METHOD": "DELETE"},
        {"PATH_INFO": "/stats/view/"},
    ],
)
def test_what_is_out_of_the_ordinary_goes_to_django(sent: dict[str, str]) -> None:
    answer = Worker().post(ADDRESS, "{}", content_type="text/plain", **sent)
    assert not hasattr(answer, "is_shortcut")


def test_whoever_may_read_drafts_is_told_of_them() -> None:
    draft, owner = make_post(status="draft"), Worker(headers={"user-agent": BROWSER})
    owner.force_login(make_administrator())
    answer = owner.post(ADDRESS, json.dumps({"post": draft.pk}), content_type="text/plain")
    assert (answer.status_code, answer.json()["post_comments"]) == (200, 0)
    assert Post.objects.get(pk=draft.pk).view_count == 0


def test_a_beacon_by_plain_http_is_led_to_https(way: type[Client], settings: Settings) -> None:
    settings.HTTPS, settings.TRUSTED_PROXIES, settings.SITE_URL = True, 1, "https://testserver"
    by = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "content_type": "text/plain"}
    plain = way().post(ADDRESS, "{}", HTTP_X_FORWARDED_PROTO="http", **by)
    assert (plain.status_code, plain["Location"]) == (301, f"https://testserver{ADDRESS}")
    assert way().post(ADDRESS, "{}", HTTP_X_FORWARDED_PROTO="https", **by).status_code == 200


def test_a_proxys_request_id_is_echoed_and_a_readers_is_not(way: type[Client], settings: Settings) -> None:
    given = "0123456789abcdef"
    for proxies, is_echoed in ((0, False), (1, True)):
        settings.TRUSTED_PROXIES = proxies
        answer = way().get(ADDRESS, headers={"x-request-id": given, "x-forwarded-for": "192.0.2.1"})
        assert (answer["X-Request-Id"] == given) == is_echoed


@pytest.mark.parametrize(("error", "status"), [(OperationalError("gone"), 503), (ValueError("wrong"), 500)])
def test_a_fault_is_logged_with_the_requests_id_and_answered(
    way: type[Client], error: Exception, status: int, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    ids = []

    def fail(*_: Any, **__: Any) -> None:
        ids.append(request_id())
        raise error

    monkeypatch.setattr(module, "count_view", fail)
    client = way(raise_request_exception=False)
    with caplog.at_level(logging.ERROR):
        answer = client.post(ADDRESS, "{}", content_type="text/plain")
    assert answer.status_code == status and ids == [answer["X-Request-Id"]]
    assert answer["X-Content-Type-Options"] == "nosniff" and "text/html" in answer["Content-Type"]
    (logged,) = [record for record in caplog.records if record.name == "django.request"]
    assert logged.exc_info[1] is error and request_id() == ""


def test_it_is_timed_under_its_name_and_told_to_the_access_log(
    way: type[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    observed = []
    monkeypatch.setattr(metrics, "observe_request", lambda *told: observed.append(told))
    client = way()
    client.get(ADDRESS)
    answer = client.get(ADDRESS, {"post": "x"})
    assert [told[:2] for told in observed] == [("stats:beacon", 200), ("stats:beacon", 400)]
    assert answer.wsgi_request.META["blog.told"] == ',"view":"stats:beacon","queries":0'
