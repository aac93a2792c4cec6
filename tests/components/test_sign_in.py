"""A guesser of passwords is stopped, and nobody else is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from apps.components.devices import KEPT_SECONDS
from apps.components.forms import SIGN_INS, SIGN_INS_SECONDS, _hashing
from apps.core import resilience
from apps.core.http import rates
from apps.posts.pages.views import PASSWORDS
from tests.factories import make_administrator, make_post
from tests.services import Redis

pytestmark = pytest.mark.django_db
GUESSER, OTHER = {"REMOTE_ADDR": "203.0.113.1"}, {"REMOTE_ADDR": "203.0.113.2"}
LOOKED_AT, REFUSED, IN = "looked at", "refused", "in"


def sign_in(client: Client, password: str, **where: str) -> str:
    page = client.post("/admin/login/?next=/admin/", {"username": "owner", "password": password}, **where)
    if page.status_code == 302:
        assert page["Location"] == "/admin/"
        return IN
    assert page.status_code == 200
    errors = re.findall(r'class="errornote">\s*(.*?)\s*</p>', page.content.decode(), re.S)
    return REFUSED if "请 10 分钟后再试" in errors[0] else LOOKED_AT


def guess_until_refused(**where: str) -> None:
    assert [sign_in(Client(), "guessed", **where) for _ in range(SIGN_INS)] == [LOOKED_AT] * SIGN_INS
    assert sign_in(Client(), "guessed", **where) == REFUSED


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    clock = rates.monotonic

    def pass_by(seconds: float) -> None:
        monkeypatch.setattr(rates, "monotonic", lambda: clock() + seconds)

    return pass_by


def test_a_guesser_is_stopped_and_the_owner_is_not(later: Callable[[float], None]) -> None:
    make_administrator(username="owner")
    guess_until_refused(**GUESSER)
    assert sign_in(Client(), "pw", **GUESSER) == REFUSED
    assert sign_in(Client(), "pw", **OTHER) == IN
    later(SIGN_INS_SECONDS)
    assert sign_in(Client(), "pw", **GUESSER) == IN


def test_a_device_that_has_signed_in_before_is_not_locked_out_by_its_neighbours() -> None:
    owner = make_administrator(username="owner")
    known = Client()
    assert sign_in(known, "pw", **GUESSER) == IN
    known.post("/admin/logout/")
    cookie = next(cookie for name, cookie in known.cookies.items() if name.startswith("device-"))
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and int(cookie["max-age"]) == KEPT_SECONDS
    guess_until_refused(**GUESSER)
    assert sign_in(known, "pw", **GUESSER) == IN
    known.post("/admin/logout/")
    # It has as many tries as a network, of the one name alone, and none that the neighbours' take away.
    assert [sign_in(known, "guessed", **OTHER) for _ in range(SIGN_INS + 1)] == [LOOKED_AT] * SIGN_INS + [REFUSED]
    assert sign_in(known, "pw", **OTHER) == REFUSED
    assert sign_in(Client(), "pw", **OTHER) == IN
    resilience.reset_all()
    guess_until_refused(**GUESSER)
    owner.set_password("another")
    owner.save()
    assert sign_in(known, "another", **GUESSER) == REFUSED
    stranger = Client()
    stranger.cookies[cookie.key] = cookie.value + "x"
    assert sign_in(stranger, "another", **GUESSER) == REFUSED


def test_a_device_stays_known_under_a_new_secret_key(settings: Settings) -> None:
    make_administrator(username="owner")
    known = Client()
    assert sign_in(known, "pw", **GUESSER) == IN
    known.post("/admin/logout/")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-0123456789"
    guess_until_refused(**GUESSER)
    assert sign_in(Client(), "pw", **GUESSER) == REFUSED
    assert sign_in(known, "pw", **GUESSER) == IN


def test_a_device_is_known_for_one_user_alone() -> None:
    owner = make_administrator(username="owner")
    other = make_administrator(username="other")
    client = Client()
    client.post("/admin/login/?next=/admin/", {"username": "other", "password": "pw"}, **GUESSER)
    client.post("/admin/logout/")
    client.cookies[f"device-{owner.pk}"] = client.cookies[f"device-{other.pk}"].value
    guess_until_refused(**GUESSER)
    assert sign_in(client, "pw", **GUESSER) == REFUSED


def test_signing_in_is_not_counted() -> None:
    make_administrator(username="owner")
    assert {sign_in(Client(), "pw", **GUESSER) for _ in range(SIGN_INS + 5)} == {IN}
    guess_until_refused(**GUESSER)


def test_the_old_password_is_guessed_no_more_often_than_at_the_sign_in() -> None:
    make_administrator(username="owner")
    client = Client()
    sign_in(client, "pw")
    wrong = {"old_password": "guessed", "new_password1": "Zx9-long-enough", "new_password2": "Zx9-long-enough"}
    for number in range(SIGN_INS + 1):
        page = client.post("/admin/password_change/", wrong).content.decode()
        assert ("请 10 分钟后再试" in page) == (number == SIGN_INS)
    assert (
        "请 10 分钟后再试" in client.post("/admin/password_change/", {**wrong, "old_password": "pw"}).content.decode()
    )
    resilience.reset_all()
    changed = client.post("/admin/password_change/", {**wrong, "old_password": "pw"})
    assert changed.status_code == 302
    client.post("/admin/logout/")
    guess_until_refused(**GUESSER)
    assert sign_in(client, "Zx9-long-enough", **GUESSER) == IN  # the device was given its cookie anew


def test_few_passwords_are_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    make_administrator(username="owner")
    monkeypatch.setattr("apps.components.forms.HASH_AWAITED_SECONDS", 0.01)
    known = Client()
    sign_in(known, "pw")
    known.post("/admin/logout/")
    with taken(2):
        page = Client().post("/admin/login/", {"username": "owner", "password": "pw"})
        assert page.status_code == 200 and "同时登录的人太多" in page.content.decode()
        assert sign_in(known, "pw") == IN  # the owner's own browser waits for nobody
    assert sign_in(Client(), "pw") == IN


@contextmanager
def taken(number: int) -> Iterator[None]:
    for _ in range(number):
        assert _hashing.acquire(timeout=1)
    try:
        yield
    finally:
        for _ in range(number):
            _hashing.release()


def test_a_guesser_of_a_post_s_password_is_stopped() -> None:
    post = make_post(password="open sesame")
    path, right = post.get_absolute_url(), {"password": "open sesame"}
    client = Client()
    # Right ones are no guesses.
    assert {Client().post(path, right, **GUESSER).status_code for _ in range(PASSWORDS + 1)} == {302}
    assert {client.post(path, {"password": "x"}, **GUESSER).status_code for _ in range(PASSWORDS)} == {403}
    refused = client.post(path, right, **GUESSER)
    assert refused.status_code == 429 and "请 10 分钟后再试" in refused.content.decode()
    assert client.post(path, right, **OTHER).status_code == 302


# -- Nothing pushes a count out ---------------------------------------------------------------------------------------


def foreign_keys() -> None:
    """Entries that a stranger, or the program itself, may make while somebody guesses."""
    for number in range(400):
        cache.set(f"foreign-{number}", number)
        rates.is_one_too_many(f"sign-in:{rates.neighbourhood(f'198.51.{number // 250}.{number % 250}')}", 20, 600)
        rates.is_one_too_many(f"search:{number}", 60, 60)


@pytest.mark.parametrize("where", ["alone", "in Redis", "Redis away"])
def test_foreign_keys_give_a_guesser_no_more_tries(
    where: str, request: pytest.FixtureRequest, counting_in: Callable[[Redis], None]
) -> None:
    make_administrator(username="owner")
    if where != "alone":
        server = request.getfixturevalue("own_redis")
        counting_in(server)
        if where == "Redis away":
            server.stop()
    post = make_post(password="open sesame")
    guess_until_refused(**GUESSER)
    for _ in range(PASSWORDS):
        Client().post(post.get_absolute_url(), {"password": "x"}, **GUESSER)
    foreign_keys()
    cache.clear()
    assert sign_in(Client(), "pw", **GUESSER) == REFUSED
    assert Client().post(post.get_absolute_url(), {"password": "open sesame"}, **GUESSER).status_code == 429
