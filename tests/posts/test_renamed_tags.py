"""A tag's old addresses lead to it, and a tag tells nothing of drafts."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.test import Client

from apps.core.pages import store
from apps.posts.models import OldTagSlug, Tag
from tests.factories import make_post

pytestmark = pytest.mark.django_db

ENDS = ("", "feed/", "feed/atom/", "feed/json/")


def rename(tag: Tag, slug: str) -> None:
    tag.slug = slug
    tag.save()
    store.drop()


def answers(client: Client, slug: str, query: str = "") -> list[tuple[int, str]]:
    """Status and target of a tag's four addresses."""
    responses = [client.get(f"/tag/{quote(slug)}/{end}{query}") for end in ENDS]
    return [(response.status_code, response.get("Location", "")) for response in responses]


def moved(slug: str, query: str = "") -> list[tuple[int, str]]:
    return [(301, f"/tag/{quote(slug)}/{end}{query}") for end in ENDS]


def test_a_tags_old_addresses_lead_to_it(client: Client) -> None:
    make_post(tags=("旧名字",))
    tag = Tag.objects.get()
    for slug in ("second", "新名字"):
        rename(tag, slug)
    assert answers(client, "旧名字", "?page=2") == moved("新名字", "?page=2")
    assert answers(client, "Second") == moved("新名字")
    assert {status for status, _to in answers(client, "新名字")} == {200}


def test_a_tag_that_is_renamed_back_answers_itself(client: Client) -> None:
    make_post(tags=("one",))
    tag = Tag.objects.get()
    rename(tag, "two")
    rename(tag, "one")
    assert {status for status, _to in answers(client, "one")} == {200}
    assert answers(client, "two") == moved("one")
    assert [old.slug for old in OldTagSlug.objects.all()] == ["two"]


def test_a_tag_that_takes_an_old_slug_keeps_it(client: Client) -> None:
    make_post(tags=("one",))
    first = Tag.objects.get()
    rename(first, "two")
    make_post(tags=("one",))
    store.drop()
    assert {status for status, _to in answers(client, "one")} == {200}
    assert not OldTagSlug.objects.exists()
    rename(Tag.objects.get(slug="one"), "three")
    assert answers(client, "one") == moved("three")
    # The same when an existing tag takes it.
    rename(first, "one")
    assert {status for status, _to in answers(client, "one")} == {200}
    assert answers(client, "two") == moved("one")


def test_a_deleted_tags_old_slug_answers_404(client: Client) -> None:
    make_post(tags=("one",))
    tag = Tag.objects.get()
    rename(tag, "two")
    tag.delete()
    store.drop()
    for slug in ("one", "two"):
        assert answers(client, slug) == [(404, "")] * 4


def test_a_change_of_the_name_alone_records_nothing() -> None:
    make_post(tags=("one",))
    tag = Tag.objects.get()
    tag.name = "Another"
    tag.save()
    assert (tag.slug, OldTagSlug.objects.count()) == ("one", 0)


@pytest.mark.parametrize(
    "fields", [{"status": "draft"}, {"status": "private"}, {"published_at": datetime(2099, 1, 1, tzinfo=UTC)}]
)
def test_a_tag_of_drafts_alone_is_not_known(client: Client, fields: dict) -> None:
    make_post(tags=("secret",), **{"status": "published", **fields})
    tag = Tag.objects.get()
    store.drop()
    assert answers(client, "secret") == [(404, "")] * 4
    assert "secret" not in client.get("/tags/").content.decode()
    # Neither is its new name told.
    rename(tag, "confidential")
    assert answers(client, "secret") == answers(client, "confidential") == [(404, "")] * 4
    make_post(tags=("confidential",))
    store.drop()
    assert answers(client, "secret") == moved("confidential")


def test_only_an_unknown_tag_costs_a_query(client: Client, django_assert_num_queries) -> None:
    make_post(tags=("one",))
    rename(Tag.objects.get(), "two")
    client.get("/")
    with django_assert_num_queries(1):
        assert client.get("/tag/two/").status_code == 200
    with django_assert_num_queries(1):
        assert client.get("/tag/one/").status_code == 301
    with django_assert_num_queries(0):
        assert client.get("/tag/TWO/").status_code == 301
