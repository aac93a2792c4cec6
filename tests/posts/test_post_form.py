"""The form a post is written in, as the server answers it: what its buttons do, and where errors stand."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.posts.models import Category, Post
from tests.factories import make_post
from tests.posts.test_admin import FORM, LIST

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ADD = f"{LIST}add/"


def send(client: Client, post: Post | None = None, **fields: Any) -> Any:
    form = FORM | {"category": Category.objects.default().pk} | fields
    return client.post(f"{LIST}{post.pk}/change/" if post else ADD, form, follow=True)


def page_of(client: Client, address: str) -> Any:
    return html.fromstring(client.get(address).content.decode())


def buttons(page: Any) -> list[str]:
    return page.xpath("//*[@class='submit-row']//*[@type='submit']/@name")


def test_a_new_post_is_a_draft(admin_client: Client) -> None:
    page = page_of(admin_client, ADD)
    assert page.get_element_by_id("id_status").value == "draft"
    assert buttons(page) == ["_draft", "_publish"]


def test_enter_presses_a_button_that_does_nothing(admin_client: Client) -> None:
    first = page_of(admin_client, ADD).xpath("//form[@id='post_form']//*[self::button or @type='submit']")[0]
    assert "disabled" in first.attrib and first.get("type", "submit") == "submit"


@pytest.mark.parametrize("button, chosen, status", [
    ("_draft", "draft", "draft"), ("_draft", "published", "draft"), ("_draft", "private", "draft"),
    ("_publish", "draft", "published"), ("_publish", "published", "published"),
    ("_publish", "private", "private"), ("_publish", "unlisted", "unlisted"),
])  # fmt: skip
def test_each_button_does_what_it_says(admin_client: Client, button: str, chosen: str, status: str) -> None:
    answer = send(admin_client, status=chosen, **{button: "x"})
    post = Post.objects.get()
    assert post.status == status
    assert f'<a href="{post.get_absolute_url()}">' in answer.content.decode()
    # A draft is gone on with; whatever is finished leads back to the list.
    assert (answer.request["PATH_INFO"] == LIST) == (button == "_publish")


def test_a_published_post_is_updated(admin_client: Client) -> None:
    post = make_post()
    assert buttons(page_of(admin_client, f"{LIST}{post.pk}/change/")) == ["_save", "_continue"]
    send(admin_client, post, title="Anew", _save="x")
    assert Post.objects.get().title == "Anew" and Post.objects.get().is_public
    answer = send(admin_client, post, title="Again", _continue="x")
    assert answer.request["PATH_INFO"].endswith("/change/") and "已公开" in answer.content.decode()


def test_a_time_to_come_is_told(admin_client: Client) -> None:
    coming = timezone.localtime(timezone.now() + timedelta(days=3))
    fields = {"published_at_0": coming.strftime("%Y-%m-%d"), "published_at_1": "09:00"}
    answer = send(admin_client, _publish="x", **fields).content.decode()
    assert "将于" in answer and not Post.objects.get().is_public


def test_an_empty_text_is_not_published(admin_client: Client) -> None:
    for body in ("", " \n ", "\u200b"):
        for fields in ({"_publish": "x", "status": "draft"}, {"status": "published"}):
            refused = send(admin_client, body=body, **fields).content.decode()
            assert "没有发布" in refused and not Post.objects.exists()
    send(admin_client, body="", _draft="x")
    draft = Post.objects.get()
    written = make_post(status="draft")
    chosen = {"action": "publish", "_selected_action": [draft.pk, written.pk]}
    answer = admin_client.post(LIST, chosen, follow=True).content.decode()
    assert "1 篇文章" in answer and f"《{draft.title}》还没有正文" in answer
    assert [Post.objects.get(pk=post.pk).status for post in (draft, written)] == ["draft", "published"]


def test_a_copy_is_forgotten_only_when_its_text_is_stored(admin_client: Client) -> None:
    copy = "570fc140-cab8-12c5-64b3-2f18c60c6062:1796057227100"
    assert f'data-stored="{copy}"' in send(admin_client, copy=copy, _draft="x").content.decode()
    assert "data-stored=" not in send(admin_client, title="", copy=copy, _draft="x").content.decode()
    assert "data-stored=" not in send(admin_client, copy='"><script>', _draft="x").content.decode()


@pytest.mark.parametrize("wrong, field", [
    ({"language": "english please"}, "language"), ({"pinned": "on", "slug": "x" * 300}, "slug"),
    ({"translation_of": "999"}, "translation_of"), ({"password": "x" * 65}, "password"),
])  # fmt: skip
def test_an_error_opens_its_fold_and_is_linked(admin_client: Client, wrong: dict, field: str) -> None:
    page = html.fromstring(send(admin_client, **wrong).content.decode())
    assert not Post.objects.exists()
    errors = page.xpath(f"//*[@id='id_{field}']/ancestor::*[contains(@class, 'form-row')]//*[@class='errorlist']")
    assert errors and not list(errors[0].iterancestors("details"))
    link = page.xpath("//*[@class='faulty-fields']//a")[0]
    assert link.get("href") == f"#id_{field}" and errors[0].text_content().strip() in link.getparent().text_content()
    # The folds of others stay as they were.
    assert list(page_of(admin_client, ADD).get_element_by_id("id_language").iterancestors("details"))


def test_the_language_is_chosen_from_a_list(admin_client: Client) -> None:
    language = page_of(admin_client, ADD).get_element_by_id("id_language")
    assert {"", "zh-Hans", "en", "ja"} <= set(language.value_options) and "简体中文" in language.text_content()
    imported = make_post(language="pt-BR")
    assert page_of(admin_client, f"{LIST}{imported.pk}/change/").get_element_by_id("id_language").value == "pt-BR"
    send(admin_client, imported, language="pt-BR", title="Kept")
    assert Post.objects.get().language == "pt-BR"
