"""Who guesses at a password is stopped, and nobody else is."""

from types import SimpleNamespace

import pytest
from django.core.cache.backends import locmem
from django.test import Client

from apps.components.forms import SIGN_INS, SIGN_INS_SECONDS
from apps.posts.views import PASSWORDS
from tests.factories import make_administrator, make_post
from tests.languages import in_english

pytestmark = pytest.mark.django_db
GUESSER, OTHER = {"REMOTE_ADDR": "203.0.113.1"}, {"REMOTE_ADDR": "203.0.113.2"}


def test_who_guesses_a_password_is_stopped_and_the_owner_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make_administrator()
    right = {"username": owner.username, "password": "pw"}
    wrong = {**right, "password": "guessed"}
    client = in_english(Client())
    for _ in range(SIGN_INS):
        page = client.post("/admin/login/", wrong, **GUESSER)
        assert page.status_code == 200 and "Please enter the correct username" in page.content.decode()
    refused = client.post("/admin/login/", right, **GUESSER)
    assert refused.status_code == 200 and "wait ten minutes" in refused.content.decode()
    assert client.post("/admin/login/?next=/admin/", right, **OTHER)["Location"] == "/admin/"
    later = locmem.time.time() + SIGN_INS_SECONDS
    monkeypatch.setattr(locmem, "time", SimpleNamespace(time=lambda: later))
    assert client.post("/admin/login/?next=/admin/", right, **GUESSER)["Location"] == "/admin/"


def test_who_guesses_the_password_of_a_post_is_stopped() -> None:
    post = make_post(password="open sesame")
    path, right = post.get_absolute_url(), {"password": "open sesame"}
    client = in_english(Client())
    assert {client.post(path, {"password": "x"}, **GUESSER).status_code for _ in range(PASSWORDS)} == {403}
    refused = client.post(path, right, **GUESSER)
    assert refused.status_code == 429 and "wait ten minutes" in refused.content.decode()
    assert client.post(path, right, **OTHER).status_code == 302
