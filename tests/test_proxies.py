"""SITE_URL alone gives a blog behind any proxy; one that is asked in a way it can't trust serves, and says so once."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from apps.core import resilience
from apps.core.http import proxies
from blog_xtg.doctor.configuration import configuration
from blog_xtg.doctor.findings import ERROR
from tests.services import site_settings

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SITE = "https://blog.example.com"
NAME = {"HTTP_HOST": "blog.example.com"}
READER = "93.184.216.34"
FROM_SETTINGS = (
    *(
        "SITE_URL",
        "HTTPS",
        "ALLOWED_HOSTS",
        "LISTED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "SECURE_HSTS_SECONDS",
        "SESSION_COOKIE_SECURE",
    ),
    *("CSRF_COOKIE_SECURE", "TRUSTED_PROXIES", "SECURE_PROXY_SSL_HEADER"),
)


@pytest.fixture
def configured(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """configured(NAME=value) makes of this process what these settings would make of one."""
    monkeypatch.setattr(proxies, "_file", lambda: tmp_path / "seen.json")

    def configure(**variables: str) -> None:
        made = site_settings(**variables)
        for name in FROM_SETTINGS:
            setattr(settings, name, getattr(made, name, None))
        forget_all()

    yield configure
    forget_all()


def forget_all() -> None:
    resilience.reset_all()


def get(path: str = "/", **meta: str) -> HttpResponse:
    response: HttpResponse = Client().get(
        path, **{"REMOTE_ADDR": "127.0.0.1", **meta}
    )  # a port is taken of a call alone
    return response


def sentences(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "apps.core.http.proxies"]


def told_by_doctor() -> list[str]:
    """Its errors, but for the one that every test on MariaDB deserves: these run without Redis."""
    errors = [finding.text for finding in configuration({}) if finding.level == ERROR]
    return [text for text in errors if not text.startswith("DATABASE_URL names a server, but REDIS_URL is not set")]


def test_an_https_address_means_a_proxy_and_a_day_of_hsts() -> None:
    made = site_settings(SITE_URL=SITE)
    assert (made.TRUSTED_PROXIES, made.SECURE_HSTS_SECONDS) == (1, 24 * 3600)
    assert site_settings(SITE_URL="http://blog.example.com").TRUSTED_PROXIES == 0
    assert site_settings(SITE_URL=SITE, TRUSTED_PROXIES="2").TRUSTED_PROXIES == 2


@pytest.mark.parametrize(
    "headers",
    [
        {
            "HTTP_X_FORWARDED_FOR": READER,
            "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_X_FORWARDED_HOST": "blog.example.com",
        },
        {"HTTP_X_FORWARDED_FOR": READER, "HTTP_X_FORWARDED_PROTO": "HTTPS"},
        {"HTTP_X_FORWARDED_FOR": READER},
        {"HTTP_FORWARDED": f"for={READER};proto=https"},
        {},
        {"HTTP_HOST": "127.0.0.1:8000", "SERVER_PORT": "8000"},
        {"HTTP_X_FORWARDED_FOR": READER, "HTTP_X_FORWARDED_PROTO": "http", "HTTP_SEC_FETCH_SITE": "none"},
    ],
    ids=["all", "capitals", "no scheme", "Forwarded", "nothing", "no name", "a proxy behind another"],
)
def test_no_proxy_leads_a_reader_in_circles(configured: Callable[..., None], headers: dict[str, str]) -> None:
    configured(SITE_URL=SITE)
    response = get(**{**NAME, **headers})
    assert response.status_code == 200
    assert get("/admin/login/", **{**NAME, **headers}).status_code == 200
    secure = headers.get("HTTP_X_FORWARDED_PROTO") == "https"
    assert (response.headers.get("Strict-Transport-Security") == "max-age=86400") is secure


def test_a_reader_who_came_by_http_is_led_to_the_site_once(configured: Callable[..., None]) -> None:
    configured(SITE_URL=SITE)
    plain = {**NAME, "HTTP_X_FORWARDED_FOR": READER, "HTTP_X_FORWARDED_PROTO": "http", "HTTP_USER_AGENT": "curl/8"}
    response = get("/archive/?page=2", **plain)
    assert (response.status_code, response.headers["Location"]) == (301, f"{SITE}/archive/?page=2")
    assert get("/archive/", **{**plain, "HTTP_X_FORWARDED_PROTO": "https"}).status_code == 200
    # A reader who comes back by http again and again is shown the page.
    codes = [get("/tags/", **plain).status_code for _ in range(8)]
    assert codes == [301] * proxies.CIRCLES + [200] * (8 - proxies.CIRCLES)
    assert get("/links/", **plain).status_code == 301


@pytest.mark.parametrize("origin", [SITE, "http://127.0.0.1:8000"], ids=["behind the proxy", "before there is one"])
def test_forms_are_taken_where_the_setup_link_leads(configured: Callable[..., None], origin: str) -> None:
    configured(SITE_URL=SITE)
    asked = {"HTTP_HOST": origin.partition("//")[2], "REMOTE_ADDR": "127.0.0.1", "SERVER_PORT": "8000"}
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/", **asked)
    form = {"username": "a", "password": "b", "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post("/admin/login/", form, HTTP_ORIGIN=origin, **asked).status_code == 200


@pytest.mark.parametrize(
    ("proxy_count", "forwarded", "status"),
    [
        ("0", {}, 200),
        ("0", {"HTTP_X_FORWARDED_FOR": READER}, 404),
        ("0", {"HTTP_X_FORWARDED_FOR": "10.0.0.1"}, 404),
        ("0", {"HTTP_FORWARDED": f"for={READER}"}, 404),
        ("0", {"HTTP_X_REAL_IP": READER}, 404),
        ("1", {"HTTP_X_FORWARDED_FOR": "10.0.0.1"}, 200),
        ("1", {"HTTP_X_FORWARDED_FOR": READER}, 404),
        ("2", {"HTTP_X_FORWARDED_FOR": READER}, 404),
        ("2", {"HTTP_X_FORWARDED_FOR": "10.0.0.1"}, 404),
    ],
)
def test_figures_are_not_for_who_comes_through_a_proxy_that_is_not_believed(
    configured: Callable[..., None], proxy_count: str, forwarded: dict[str, str], status: int
) -> None:
    configured(SITE_URL="http://blog.example.com", TRUSTED_PROXIES=proxy_count)
    assert get("/metrics", HTTP_HOST="127.0.0.1:8000", **forwarded).status_code == status


@pytest.mark.parametrize(
    ("environ", "headers", "sentence"),
    [
        (
            {"SITE_URL": "http://blog.example.com"},
            {"HTTP_X_FORWARDED_FOR": READER},
            "A proxy stands in front (requests come with X-Forwarded-For), but TRUSTED_PROXIES is 0",
        ),
        (
            {"SITE_URL": SITE, "TRUSTED_PROXIES": "0"},
            {"HTTP_FORWARDED": f"for={READER}"},
            "A proxy stands in front (requests come with Forwarded), but TRUSTED_PROXIES is 0",
        ),
        (
            {"SITE_URL": SITE, "TRUSTED_PROXIES": "2"},
            {"HTTP_X_FORWARDED_FOR": READER, "HTTP_X_FORWARDED_PROTO": "https"},
            "TRUSTED_PROXIES is 2, but requests for https://blog.example.com come with 1 address in X-Forwarded-For",
        ),
        (
            {"SITE_URL": SITE},
            {},
            "TRUSTED_PROXIES is 1, but requests for https://blog.example.com come with no address in X-Forwarded-For",
        ),
        (
            {"SITE_URL": SITE},
            {"HTTP_X_FORWARDED_FOR": f"{READER}, 172.18.0.2", "HTTP_X_FORWARDED_PROTO": "https"},
            "TRUSTED_PROXIES is 1, but the address in X-Forwarded-For that it takes for a reader's is another proxy's"
            " (172.18.0.2)",
        ),
    ],
    ids=["unbelieved", "https unbelieved", "two for one", "no address", "one for two"],
)
def test_what_cannot_be_trusted_is_said_once_and_by_doctor(
    configured: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    environ: dict[str, str],
    headers: dict[str, str],
    sentence: str,
) -> None:
    configured(**environ)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            get(**{**NAME, **headers})
    (said,) = sentences(caplog)
    assert said.startswith(sentence)
    assert [text for text in told_by_doctor() if text.startswith(sentence)]
    configured(SITE_URL=SITE, ALLOWED_HOSTS="blog.example.org", TRUSTED_PROXIES="3")
    assert not [text for text in told_by_doctor() if text.startswith(sentence)], "mended, perhaps"


def test_a_name_that_is_refused_is_said_at_the_door_and_by_doctor(
    configured: Callable[..., None], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(SITE_URL="http://127.0.0.1:8000")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            get(HTTP_HOST="blog.example.org")
    (said,) = [text for record in caplog.records if "blog.example.org" in (text := record.getMessage())]
    assert "SITE_URL" in said
    assert [text for text in told_by_doctor() if text.startswith("Requests for blog.example.org are refused")]
    configured(SITE_URL=SITE, ALLOWED_HOSTS="blog.example.org")
    assert not [text for text in told_by_doctor() if "are refused" in text], "mended, perhaps"


def test_https_that_is_told_to_be_http_is_said_after_a_minute_and_taken_back(
    configured: Callable[..., None], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(SITE_URL=SITE)
    headers = {**NAME, "HTTP_X_FORWARDED_FOR": READER, "HTTP_SEC_FETCH_SITE": "same-origin"}
    get(**headers, HTTP_X_FORWARDED_PROTO="http")
    assert sentences(caplog) == []
    monkeypatch.setattr(proxies, "PLAIN_SECONDS", -1)
    for _ in range(3):
        get(**headers, HTTP_X_FORWARDED_PROTO="http")
    (said,) = sentences(caplog)
    assert said.startswith("SITE_URL is https, but the proxy says of readers who come by https that they come by http")
    assert any(text in said for text in told_by_doctor())
    get(**headers, HTTP_X_FORWARDED_PROTO="https")
    assert told_by_doctor() == []


def test_a_blog_that_is_asked_rightly_says_nothing(
    configured: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    configured(SITE_URL=SITE)
    behind = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": READER}
    get(**NAME, **behind)
    get(**NAME, **{**behind, "HTTP_X_FORWARDED_FOR": f"1.2.3.4, {READER}"})  # forged by the reader
    get(HTTP_HOST="127.0.0.1:8000", SERVER_PORT="8000")
    for stranger in ("203.0.113.7", "shop.example.net", "localhost.example", "[::1", "a" * 300 + ".com"):
        get(HTTP_HOST=stranger, **behind)  # robots try every name
    assert sentences(caplog) == []
    assert told_by_doctor() == []
