"""Becoming the first administrator: once, by the one who holds the link."""

import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.components.models import SetupToken
from apps.components.services import SetupRefused, create_first_administrator, new_setup_token
from apps.core import environment
from blog_xtg.preparing import invitation
from tests.factories import make_administrator
from tests.services import BlogServer

pytestmark = pytest.mark.django_db
FIELDS = {"username": "站长", "email": "", "password1": "long-and-good-9", "password2": "long-and-good-9"}


def test_the_link_makes_the_administrator_once(client: Client) -> None:
    output = StringIO()
    call_command("setup_link", site="http://testserver", stdout=output)
    link = output.getvalue().strip()
    assert link.startswith("http://testserver/setup/?token=")
    assert client.get(link).status_code == 200
    token = link.partition("token=")[2]
    assert client.post("/setup/", FIELDS | {"token": token}).status_code == 302
    assert User.objects.get().is_superuser
    assert client.get("/admin/").status_code == 200  # signed in
    for method in (client.get, client.post, Client().get, Client().post):
        assert method(link).status_code == 404
    assert Client().post("/setup/", FIELDS | {"token": token, "username": "another"}).status_code == 404
    with pytest.raises(CommandError):
        call_command("setup_link")


@pytest.mark.parametrize("token", ["", "wrong", "\0", "é" * 50])
def test_nobody_gets_in_without_the_token(client: Client, token: str) -> None:
    new_setup_token()
    assert client.get("/setup/", {"token": token}).status_code == 404
    assert client.post("/setup/", FIELDS | {"token": token}).status_code == 404
    assert not User.objects.exists()


def test_a_new_link_makes_the_old_one_void(client: Client) -> None:
    old, new = new_setup_token(), new_setup_token()
    assert client.get("/setup/", {"token": old}).status_code == 404
    assert client.get("/setup/", {"token": new}).status_code == 200


def test_a_link_lasts_a_day_and_then_says_how_to_make_another(client: Client) -> None:
    token = new_setup_token()
    SetupToken.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert client.get("/setup/", {"token": token}).status_code == 200
    SetupToken.objects.update(created_at=timezone.now() - timedelta(hours=24, minutes=1))
    for answer in (client.get("/setup/", {"token": token}), client.post("/setup/", FIELDS | {"token": token})):
        assert answer.status_code == 410
        assert "manage.py setup_link" in answer.content.decode()
    assert client.get("/setup/", {"token": "wrong"}).status_code == 404
    with pytest.raises(SetupRefused):
        create_first_administrator(token=token, username="late", email="", password="x")
    assert not User.objects.exists()
    assert "token=" in invitation("http://testserver", anew=False)
    assert client.get("/setup/", {"token": new_setup_token()}).status_code == 200
    make_administrator()
    assert client.get("/setup/", {"token": token}).status_code == 404


def test_a_start_that_is_repeated_leaves_the_link_good(client: Client) -> None:
    link = invitation("http://testserver", anew=False).split()[-1]
    assert "token=" not in invitation("http://testserver", anew=False)
    assert client.get(link).status_code == 200
    assert "token=" in invitation("http://testserver", anew=True)
    make_administrator()
    assert invitation("http://testserver", anew=True) == ""


def test_a_database_without_tables_is_said_in_a_line(tmp_path: Path) -> None:
    blog = BlogServer(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    line = r"CommandError: The database can't be asked \(no such table: .*"
    with pytest.raises(RuntimeError, match=rf"\Amanage.py setup_link failed:\n{line}\n\Z"):
        blog.manage("setup_link")
    blog.close()


def test_weak_passwords_are_refused_and_the_link_stays_good(client: Client) -> None:
    token = new_setup_token()
    for password in ("123456789", "password", "short"):
        weak = FIELDS | {"token": token, "password1": password, "password2": password}
        assert client.post("/setup/", weak).status_code == 422
    assert not User.objects.exists()
    assert client.post("/setup/", FIELDS | {"token": token}).status_code == 302


def test_with_an_administrator_there_is_no_setup(client: Client) -> None:
    token = new_setup_token()
    make_administrator()
    assert client.get("/setup/", {"token": token}).status_code == 404
    assert client.post("/setup/", FIELDS | {"token": token}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_becomes_administrator() -> None:
    token = new_setup_token()
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def try_it(number: int) -> None:
        try:
            start.wait(timeout=30)
            create_first_administrator(token=token, username=f"user{number}", email="", password="x")
            outcomes.append("made")
        except SetupRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["made"] + ["refused"] * 7
    assert User.objects.filter(is_superuser=True).count() == 1


def test_the_link_leads_to_where_the_blog_was_started_last(settings, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(environment, "VAR_DIR", tmp_path)
    settings.SITE_URL = "http://127.0.0.1:8000"
    for started, expected in (("", settings.SITE_URL), ("http://127.0.0.1:8231", "http://127.0.0.1:8231")):
        if started:
            environment.note_start(started)
        output = StringIO()
        call_command("setup_link", stdout=output)
        assert output.getvalue().startswith(f"{expected}/setup/?token=")
    settings.SITE_URL = "https://blog.example.com"  # which a proxy in front leads to
    output = StringIO()
    call_command("setup_link", stdout=output)
    assert output.getvalue().startswith("https://blog.example.com/setup/?token=")
    settings.SITE_URL = "http://127.0.0.1:8000"
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # a fleet is another blog
    output = StringIO()
    call_command("setup_link", stdout=output)
    assert output.getvalue().startswith(f"{settings.SITE_URL}/setup/?token=")
