"""Names of people as they are written where they come from."""

import json
import re

import pytest
from django.test import Client

from apps.posts.people import display_name, full_name
from tests.factories import make_administrator, make_post

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("深", "林", "林深"),
        ("林深", "", "林深"),
        ("", "林深", "林深"),
        ("太郎", "山田", "山田太郎"),
        ("ひかり", "佐々木", "佐々木ひかり"),
        ("철수", "김", "김철수"),
        ("𠮷", "林", "林𠮷"),
        ("深 ", " 林", "林深"),
        ("Ada", "Lovelace", "Ada Lovelace"),
        ("Ada", "", "Ada"),
        ("Sam", "林", "Sam 林"),
        ("Владимир", "Иванов", "Владимир Иванов"),
        ("\u202eda\x07", "", "da"),
        (" ", "", ""),
    ],
)
def test_full_names(first, last, name):
    assert full_name(first, last) == name


def test_without_a_name_the_accounts_stands():
    assert display_name(make_administrator(username="xtg")) == "xtg"


def test_one_name_everywhere(client: Client):
    author = make_administrator(username="linshen", first_name="深", last_name="林")
    post = make_post(author=author)
    for feed in ("/feed/", "/feed/atom/"):
        assert "林深" in client.get(feed).content.decode()
    assert json.loads(client.get("/feed/json/").content)["items"][0]["authors"] == [{"name": "林深"}]
    page = client.get(post.get_absolute_url()).content.decode()
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
    assert data["@graph"][0]["author"]["name"] == "林深"
    client.force_login(author)
    admin = client.get("/admin/").content.decode()
    assert "<strong>林深</strong>" in admin
    client.post(f"/article/{post.pk}/comment/", {"body": "A thought."})
    assert post.comments.get().author_name == "林深"
