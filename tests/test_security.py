"""Security headers of each answer, and which forms are accepted from where."""

from typing import Any

import pytest
from django.test import Client

from apps.comments.mail.links import stop_url
from apps.comments.models import Comment
from tests.factories import make_administrator, make_comment, make_post

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
OWN, FOREIGN = "http://testserver", "https://evil.example"

CROSS_SITE = [
    {"sec-fetch-site": "cross-site", "origin": FOREIGN},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "https://neighbour.example"},
    {"sec-fetch-site": "none", "origin": FOREIGN},
    {"origin": FOREIGN},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://testserver:81"},
    {"origin": "null"},
    {"origin": ""},
]
OWN_PAGES = [
    {"sec-fetch-site": "same-origin", "origin": OWN},
    {"sec-fetch-site": "same-origin"},
    {"origin": OWN},
    {"origin": "https://testserver"},  # what a proxy that ends TLS is not believed about
    {"sec-fetch-site": "none"},
    {},  # a browser of before 2020, a mail program
]


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_another_site_s_form_opens_no_post_and_ends_no_session(client: Client, headers: dict[str, str]) -> None:
    post = make_post(password="open sesame")
    answer = client.post(post.get_absolute_url(), {"password": "open sesame"}, headers=headers)
    assert answer.status_code == 403 and not answer.cookies


@pytest.mark.parametrize("headers", OWN_PAGES)
def test_our_own_form_opens_it(client: Client, headers: dict[str, str]) -> None:
    post = make_post(password="open sesame")
    assert client.post(post.get_absolute_url(), {"password": "open sesame"}, headers=headers).status_code == 302


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_another_site_s_form_shows_changes_and_ends_nothing(client: Client, headers: dict[str, str]) -> None:
    post = make_post()
    make_comment(post)
    form: dict[str, Any] = {"headers": headers}
    shown = client.post(f"/article/{post.pk}/comment/preview/?part", {"body": "Foreign words"}, **form)
    assert shown.status_code == 403 and "Foreign words" not in shown.content.decode()
    stop = client.post(stop_url("0" * 32).removeprefix(OWN), {"List-Unsubscribe": "One-Click"}, **form)
    assert stop.status_code == 403
    liked = client.post(f"/article/{post.pk}/reactions/", '{"kind": "like"}', content_type="application/json", **form)
    assert liked.status_code == 403
    assert client.post(f"/article/{post.pk}/comment/", {"body": "Foreign words"}, **form).status_code == 403
    assert Comment.objects.count() == 1


def test_a_mail_program_ends_the_mail_in_one_click(client: Client) -> None:
    stop = client.post(stop_url("0" * 32).removeprefix(OWN), {"List-Unsubscribe": "One-Click"})
    assert stop.status_code == 200


def test_a_foreign_page_is_no_page_of_ours_because_any_name_is_allowed(client: Client, settings: Any) -> None:
    settings.LISTED_HOSTS = settings.ALLOWED_HOSTS = ["*"]
    post = make_post(password="open sesame")
    right = {"password": "open sesame"}
    refused = client.post(post.get_absolute_url(), right, headers={"origin": FOREIGN})
    taken = client.post(post.get_absolute_url(), right, HTTP_HOST="any.example", HTTP_ORIGIN="http://any.example")
    assert (refused.status_code, taken.status_code) == (403, 302)


def test_every_answer_tells_the_browser_not_to_guess_and_pages_what_they_may_not(client: Client) -> None:
    post = make_post()
    client.force_login(make_administrator())
    for reader in (Client(), client):
        for path in ("/", post.get_absolute_url(), "/search/", "/admin/login/", "/feed/", "/nothing/"):
            answer = reader.get(path)
            assert answer["X-Content-Type-Options"] == "nosniff", path
            for feature in ("camera", "microphone", "geolocation", "payment", "usb", "browsing-topics"):
                assert f"{feature}=()" in answer["Permissions-Policy"], path
    for path in ("/healthz", "/readyz", "/metrics", "/stats/view", "/static/js/theme.js", "/robots.txt"):
        assert Client().get(path)["X-Content-Type-Options"] == "nosniff", path


def test_a_sign_in_that_would_lead_elsewhere_leads_to_the_admin(client: Client) -> None:
    owner = make_administrator()
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        fields = {"username": owner.username, "password": "pw", "next": elsewhere}
        assert Client().post(f"/admin/login/?next={elsewhere}", fields)["Location"] == "/admin/"
