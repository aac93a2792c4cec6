"""Two windows with one thing: the older form overwrites nothing, and both versions are shown."""

import threading
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from lxml import html

from apps.comments.models import Comment
from apps.components.models import Menu, Plugin, SiteIdentity
from apps.core.admin.differences import MAX_LINES, side_by_side
from apps.posts.models import OldAddress, Post, Tag
from tests.factories import make_category, make_comment, make_post

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
CHANGED = "在别处改过"


def form_of(client: Client, address: str) -> dict[str, Any]:
    """Return what a browser would send of the form at an address, without a button."""
    return fields(html.fromstring(client.get(address).content.decode()))


def fields(page: Any) -> dict[str, Any]:
    form = page.xpath("//*[@id='content-main']//form[not(ancestor::dialog)]")[0]
    values: dict[str, Any] = {}
    for name, value in form.form_values():
        many = form.inputs[name].tag == "select" and form.inputs[name].multiple
        values[name] = [*values.get(name, []), value] if many else value
    return {name: value for name, value in values.items() if "__prefix__" not in name}


def send(client: Client, address: str, form: dict[str, Any], **changed: Any) -> Any:
    return client.post(address, form | changed)


def address_of(thing: Any) -> str:
    return f"/admin/{thing._meta.app_label}/{thing._meta.model_name}/{thing.pk}/change/"


def test_the_older_form_of_a_post_is_refused_and_both_texts_are_kept(admin_client: Client) -> None:
    post = make_post(title="Two tabs", body="first line\nlast line")
    address = address_of(post)
    older, newer = form_of(admin_client, address), form_of(admin_client, address)
    assert send(admin_client, address, newer, body="first line\nadded for two hours\nlast line").status_code == 302
    refused = send(admin_client, address, older, body="first line, mended\nlast line")
    text = refused.content.decode()
    assert refused.status_code == 200 and CHANGED in text
    assert "added for two hours" in Post.objects.get().body
    page = html.fromstring(text)
    assert page.get_element_by_id("id_body").value.strip().startswith("first line, mended")
    assert "added for two hours" in page.xpath("//*[@id='conflict']/..//textarea")[0].value
    assert page.xpath("//del")[0].text == ", mended"
    # Pressed again it is refused again; only the box saves it.
    again = fields(page)
    assert CHANGED in send(admin_client, address, again).content.decode()
    box = page.xpath("//*[@name='overwrite']/@value")[0]
    assert send(admin_client, address, again, overwrite=box).status_code == 302
    assert Post.objects.get().body.replace("\r", "") == "first line, mended\nlast line"
    # And once more changed by then, it is refused as before.
    assert CHANGED in send(admin_client, address, again, overwrite=box, body="x").content.decode()


@pytest.mark.parametrize("change", [
    lambda post, client: post.unpublish(),
    lambda post, client: post.move_to(make_category("Elsewhere")),
    lambda post, client: post.tags.add(Tag.objects.create(name="new")),
    lambda post, client: OldAddress.objects.create(path="/old", post=post),
    lambda post, client: Post.objects.filter(pk=post.pk).update(password="closed"),
    lambda post, client: Post.objects.filter(pk=post.pk).update(body="imported anew"),
])  # fmt: skip
def test_whatever_changes_a_post_makes_older_forms_stale(admin_client: Client, change: Any) -> None:
    post = make_post()
    form = form_of(admin_client, address_of(post))
    change(post, admin_client)
    assert CHANGED in send(admin_client, address_of(post), form, title="Mine").content.decode()
    assert Post.objects.get().title != "Mine"


def test_an_action_of_the_list_makes_older_forms_stale_and_they_keep_what_it_did(admin_client: Client) -> None:
    post = make_post()
    form = form_of(admin_client, address_of(post))
    admin_client.post("/admin/posts/post/", {"action": "unpublish", "_selected_action": [post.pk]})
    assert send(admin_client, address_of(post), form, title="Mine").status_code == 302
    merged = Post.objects.get()
    assert (merged.title, merged.status) == ("Mine", Post.Status.DRAFT)


def test_readers_and_the_renderer_make_no_form_stale(admin_client: Client) -> None:
    post = make_post()
    form = form_of(admin_client, address_of(post))
    Post.objects.update(view_count=7, comment_count=1, last_floor=1, renderer_version=0)
    make_comment(post)
    Post.objects.get().rerender()
    assert send(admin_client, address_of(post), form, title="Mine").status_code == 302
    assert Post.objects.get().title == "Mine" and Post.objects.get().view_count == 7


def test_two_saves_in_the_same_second_are_two_versions(admin_client: Client) -> None:
    post = make_post(body="zero")
    seen = {form_of(admin_client, address_of(post))["version"]}
    for body in ("one", "two"):
        Post.objects.update(body=body)
        seen.add(form_of(admin_client, address_of(post))["version"])
    assert len(seen) == 3


def test_every_form_of_the_admin_is_guarded(admin_client: Client) -> None:
    comment = make_comment(make_post(), body="as sent")
    things = [
        (make_category("Shelf"), "name", "introduction"),
        (Tag.objects.create(name="tag"), "name", "slug"),
        (SiteIdentity.objects.get_or_create(pk=1)[0], "title", "footer"),
        (Plugin.objects.create(title="Box", content="text"), "title", "content"),
        (Menu.objects.create(name="Menu"), "name", "name"),
        (comment, "author_name", "body"),
    ]
    for thing, field, other in things:
        address = address_of(thing)
        form = form_of(admin_client, address)
        assert form["version"], address
        type(thing)._default_manager.filter(pk=thing.pk).update(**{other: "changed-by-another"})
        assert CHANGED in send(admin_client, address, form, **{field: "mine"}).content.decode(), address
        assert getattr(type(thing)._default_manager.get(pk=thing.pk), other) == "changed-by-another"
        again = form_of(admin_client, address)
        assert send(admin_client, address, again, **{field: "mine"}).status_code == 302, address
    assert Comment.objects.get().author_name == "mine"


def test_a_program_that_names_no_version_is_not_held_to_one(admin_client: Client) -> None:
    post = make_post()
    form = form_of(admin_client, address_of(post))
    del form["version"]
    Post.objects.update(body="newer")
    assert send(admin_client, address_of(post), form, body="theirs").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_once_one_is_refused(database: str) -> None:
    owner = get_user_model().objects.create_superuser("owner", "o@example.com", "pw")
    post = make_post(body="first")
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(owner)
    forms = [form_of(client, address_of(post)) for client in clients]
    codes: list[int] = []

    def save(number: int) -> None:
        try:
            codes.append(send(clients[number], address_of(post), forms[number], body=f"by {number}").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(number,)) for number in (0, 1)]
    if database == "mariadb":
        # Both have read the old row by the time the first may go on.
        with transaction.atomic():
            Post.objects.select_for_update().get(pk=post.pk)
            for thread in threads:
                thread.start()
            threads[0].join(1)
    else:
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(codes) == [200, 302]


def test_texts_are_compared_line_by_line_within_bounds() -> None:
    left = "\n".join(["same"] * 9 + ["before 中文 after"] + ["same"] * 9)
    right = left.replace("中文", "英文")
    rows = side_by_side(left, right)
    assert rows is not None
    assert [row.kind for row in rows] == ["skipped", "same", "same", "changed", "same", "same", "skipped"]
    assert rows[3].left == ("before ", "中", "文 after") and rows[3].right == ("before ", "英", "文 after")
    assert side_by_side("a\r\nb", "a\nb") == side_by_side("a\nb", "a\nb")
    assert side_by_side("x\n" * (MAX_LINES + 1), "") is None
    assert [row.kind for row in side_by_side("", "new") or []] == ["changed"]


def test_a_text_too_long_to_compare_is_shown_whole(admin_client: Client) -> None:
    post = make_post(body="short")
    form = form_of(admin_client, address_of(post))
    Post.objects.update(body="long <b>\n" * (MAX_LINES + 1))
    page = html.fromstring(send(admin_client, address_of(post), form, body="mine").content.decode())
    assert page.xpath("//*[@id='conflict']/..//textarea")[0].value.strip().startswith("long <b>")
    assert not page.xpath("//*[@class='comparison']")
