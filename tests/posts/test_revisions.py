"""Each version of a post is kept, shown, compared, merged with, put back and, at last, thinned out."""

import random
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from apps.posts.models import Category, OldAddress, Post, Revision, Tag
from apps.posts.models.revision import state_of
from apps.posts.tasks import prune_revisions
from apps.posts.writing import revisions
from apps.posts.writing.revisions import Kept, prune, record, recorded, worth_keeping
from tests.factories import make_category, make_post
from tests.test_admin_forms import CHANGED, address_of, fields, form_of, send

pytestmark = pytest.mark.django_db
BODY = "one\n\ntwo\n\nthree\n"
PUBLISHED, DRAFT = Post.Status.PUBLISHED, Post.Status.DRAFT


def bodies(post: Post) -> list[str]:
    """The bodies of the versions on the history page, oldest first."""
    return [revision.state["body"].replace("\r", "").strip() for revision in reversed(Revision.objects.of(post.pk))]


def history(post: Post) -> str:
    return f"/admin/posts/post/{post.pk}/history/"


def staff(*permissions: str) -> Client:
    name = f"staff{'-'.join(permissions)}"
    user, _made = get_user_model().objects.get_or_create(username=name, defaults={"is_staff": True})
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_the_first_change_keeps_what_stood_there_before(admin_client: Client) -> None:
    post = make_post(body="of an older blog")
    send(admin_client, address_of(post), form_of(admin_client, address_of(post)), body="changed")
    assert bodies(post) == ["of an older blog", "changed"]
    newest = Revision.objects.newest(post.pk)
    assert newest is not None and newest.author is not None and newest.author.get_username() == "admin"
    assert (newest.size, newest.title, newest.status) == (7, post.title, PUBLISHED)


def test_a_form_knows_no_seconds_and_its_save_shows_no_change_of_the_time(admin_client: Client) -> None:
    post = make_post(body=BODY, published_at=timezone.now().replace(second=37))
    send(admin_client, address_of(post), form_of(admin_client, address_of(post)), body="changed")
    newest = Revision.objects.newest(post.pk)
    assert newest is not None
    page = html.fromstring(admin_client.get(f"{history(post)}{newest.pk}/").content.decode())
    assert [heading.text_content().strip() for heading in page.xpath("//*[@id='content']//h3")] == ["正文"]


def test_a_save_that_arrives_twice_is_kept_once(admin_client: Client) -> None:
    post = make_post(body=BODY)
    form = form_of(admin_client, address_of(post)) | {"body": "again"}
    for _ in range(2):
        assert send(admin_client, address_of(post), form).status_code == 302
    assert bodies(post) == [BODY.strip(), "again"]


def test_a_new_post_and_its_tags_are_kept(admin_client: Client) -> None:
    tag = Tag.objects.create(name="tag")
    form = form_of(admin_client, "/admin/posts/post/add/") | {"title": "New", "body": "first", "tags": [tag.pk]}
    admin_client.post("/admin/posts/post/add/", form | {"_publish": ""})
    assert [revision.state["tags"] for revision in Revision.objects.all()] == [[tag.pk]]


def test_a_draft_fills_one_row_an_hour_and_all_its_saves_can_be_merged_with(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now().replace(minute=5)
    post = make_post(status=DRAFT, body="zero", updated_at=now - timedelta(days=1))
    for minutes, body in ((1, "one"), (30, "two"), (70, "three")):
        monkeypatch.setattr(timezone, "now", lambda at=now + timedelta(minutes=minutes): at)
        send(admin_client, address_of(post), form_of(admin_client, address_of(post)), body=body)
    assert bodies(post) == ["zero", "one", "two", "three"]
    shown = Revision.objects.of(post.pk).shown()
    assert [revision.state["body"] for revision in reversed(shown)] == ["zero", "two", "three"]


@pytest.mark.parametrize(("action", "extra"), [("publish", {}), ("unpublish", {}), ("move", {"category": "new"})])
def test_actions_of_the_list_are_kept(admin_client: Client, action: str, extra: dict[str, str]) -> None:
    post = make_post(status=DRAFT if action == "publish" else PUBLISHED)
    data = {"action": action, "_selected_action": [post.pk]}
    if extra:
        data["category"] = str(make_category("Elsewhere").pk)
    admin_client.post("/admin/posts/post/", data)
    before, after = (revision.state for revision in reversed(Revision.objects.of(post.pk)))
    assert before != after
    assert after == state_of(Post.objects.get())


# -- Merging -----------------------------------------------------------------------------------------------------------


def test_two_people_on_different_paragraphs_keep_both(admin_client: Client, admin_user: Any) -> None:
    post = make_post(title="Two", body=BODY)
    address = address_of(post)
    other = staff("view_post", "change_post")
    mine, theirs = form_of(admin_client, address), form_of(other, address)
    tag = Tag.objects.create(name="theirs")
    changed = {"body": BODY.replace("three", "THREE"), "pinned": "on", "tags": [str(tag.pk)], "summary": "theirs"}
    assert send(other, address, theirs, **changed).status_code == 302
    saved = admin_client.post(address, mine | {"body": BODY.replace("one", "ONE"), "title": "Mine"}, follow=True)
    merged = Post.objects.get()
    assert merged.body.replace("\r", "").strip() == "ONE\n\ntwo\n\nTHREE"
    assert (merged.title, merged.pinned, merged.summary) == ("Mine", True, "theirs")
    assert list(merged.tags.all()) == [tag]
    assert "staffview_post-change_post" in saved.content.decode()
    assert len(bodies(post)) == 3


def test_the_same_paragraph_is_shown_twice_and_nothing_is_lost(admin_client: Client) -> None:
    post = make_post(title="Two", body=BODY)
    address = address_of(post)
    mine, theirs = form_of(admin_client, address), form_of(admin_client, address)
    send(admin_client, address, theirs, body=BODY.replace("two", "theirs").replace("three", "THREE"), title="Theirs")
    refused = send(admin_client, address, mine, body=BODY.replace("two", "mine"))
    page = html.fromstring(refused.content.decode())
    assert CHANGED in refused.content.decode()
    assert page.get_element_by_id("id_body").value.replace("\r", "").strip() == "one\n\nmine\n\nTHREE"
    assert page.get_element_by_id("id_title").value == "Theirs"
    assert page.xpath("//del")[0].text == "mine" and page.xpath("//ins")[0].text == "theirs"
    assert Post.objects.get().body.replace("\r", "").strip() == "one\n\ntheirs\n\nTHREE"
    # Sent again it is refused again; with the box it is stored, and theirs stays in the history.
    again = fields(page)
    assert CHANGED in send(admin_client, address, again).content.decode()
    box = page.xpath("//*[@name='overwrite']/@value")[0]
    assert send(admin_client, address, again, overwrite=box).status_code == 302
    assert bodies(post) == [BODY.strip(), "one\n\ntheirs\n\nTHREE", "one\n\nmine\n\nTHREE"]


@pytest.mark.parametrize(("field", "mine", "theirs"), [
    ("title", "Mine", "Theirs"),
    ("slug", "mine", "theirs"),
    ("summary", "mine", "theirs"),
    ("language", "en", "ja"),
    ("password", "mine", "theirs"),
    ("status", "private", "unlisted"),
    ("published_at_0", "2020-01-01", "2020-01-02"),
])  # fmt: skip
def test_a_setting_that_both_changed_is_not_decided_by_the_program(
    admin_client: Client, field: str, mine: str, theirs: str
) -> None:
    post = make_post(body=BODY)
    address = address_of(post)
    form = form_of(admin_client, address)
    assert send(admin_client, address, form, **{field: theirs}).status_code == 302
    stored = state_of(Post.objects.get())
    assert CHANGED in send(admin_client, address, form, **{field: mine}).content.decode()
    assert state_of(Post.objects.get()) == stored
    # Both changed it alike: no conflict.
    assert send(admin_client, address, form, **{field: theirs}).status_code == 302


@pytest.mark.parametrize("field, theirs", [
    ("published_at_0", "2020-01-02"),
    ("status", "private"),
    ("password", "closed"),
    ("language", "ja"),
    ("original_url", "https://example.com/"),
    ("comments_open", None),
    ("category", "new"),
])  # fmt: skip
def test_a_setting_changed_elsewhere_is_kept_when_another_is_saved(
    admin_client: Client, field: str, theirs: str | None
) -> None:
    post = make_post(body=BODY)
    address = address_of(post)
    form = form_of(admin_client, address)
    newer = {name: value for name, value in form.items() if name != field}
    theirs = str(make_category("Other").pk) if theirs == "new" else theirs
    send(admin_client, address, newer, **({field: theirs} if theirs else {}))
    wanted = state_of(Post.objects.get())
    assert send(admin_client, address, form, title="Mine").status_code == 302
    assert state_of(Post.objects.get()) == wanted | {"title": "Mine"}


def test_a_draft_saved_in_an_old_window_does_not_take_a_published_post_back(admin_client: Client) -> None:
    post = make_post(status=DRAFT, body=BODY)
    form = form_of(admin_client, address_of(post))
    assert send(admin_client, address_of(post), form, _publish="").status_code == 302
    assert send(admin_client, address_of(post), form, title="Mine", _draft="").status_code == 302
    merged = Post.objects.get()
    assert (merged.title, merged.status) == ("Mine", PUBLISHED)


def test_an_old_address_changed_elsewhere_is_no_matter_of_merging(admin_client: Client) -> None:
    post = make_post(body=BODY)
    old = OldAddress.objects.create(path="/old", post=post)
    record(post, None)
    form = form_of(admin_client, address_of(post))
    with recorded(post.pk, None):
        OldAddress.objects.filter(pk=old.pk).update(path="/renamed")
    assert CHANGED in send(admin_client, address_of(post), form, title="Mine").content.decode()
    assert OldAddress.objects.get().path == "/renamed"


def test_a_form_whose_beginning_is_pruned_is_shown_side_by_side(admin_client: Client) -> None:
    post = make_post(body=BODY)
    form = form_of(admin_client, address_of(post))
    send(admin_client, address_of(post), form, body=BODY.replace("three", "THREE"))
    Revision.objects.filter(version=form["version"]).delete()
    refused = send(admin_client, address_of(post), form, body=BODY.replace("one", "ONE"))
    assert CHANGED in refused.content.decode()
    assert Post.objects.get().body.replace("\r", "").strip() == BODY.replace("three", "THREE").strip()


def test_five_megabytes_are_merged_or_shown_in_bounded_time(admin_client: Client) -> None:
    body = "\n\n".join(f"{n:<60}." for n in range(5 * 2**20 // 64))
    post = make_post(body="short")
    Post.objects.update(body=body)
    record(Post.objects.get(), None)
    sent = form_of(admin_client, address_of(post)) | {"body": body.replace("7", "seven", 1)[: 5 * 2**20]}
    with recorded(post.pk, None):
        Post.objects.update(body=body + "\n\ntheirs")
    began = time.process_time()
    admin_client.post(address_of(post), sent | {"title": ""})  # not rendered, which is another matter
    assert time.process_time() - began < 60


# -- History and comparison --------------------------------------------------------------------------------------------


def many(post: Post, number: int) -> None:
    for n in range(number):
        Post.objects.filter(pk=post.pk).update(body=f"{post.body}\n\n{n}")
        record(Post.objects.get(pk=post.pk), None)


def test_the_history_asks_as_little_for_ten_times_as_many_versions(admin_client: Client, admin_user: Any) -> None:
    few, plenty = make_post(), make_post()
    many(few, 4)
    many(plenty, 40)
    Revision.objects.update(author=admin_user)
    admin_client.get(history(few))  # what is asked once in a process
    counts = []
    for post in (few, plenty):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = html.fromstring(admin_client.get(history(post)).content.decode())
        counts.append(len(queries))
        assert len(page.xpath("//tbody/tr")) == (4 if post == few else 40)
    assert counts == [5, 5]


def test_a_comparison_shows_lines_words_and_settings_but_no_password(admin_client: Client) -> None:
    post = make_post(title="Old", body="a line\nthe old word stays\nlast", password="secret-one")
    with recorded(post.pk, None):
        post.title, post.body, post.password = "New", "a line\nthe new word stays here\nlast", "secret-two"
        post.category = make_category("Shelf")
        post.save()
    newest = Revision.objects.newest(post.pk)
    assert newest is not None
    text = admin_client.get(f"{history(post)}{newest.pk}/").content.decode()
    page = html.fromstring(text)
    assert [part.text for part in page.xpath("//del")] == ["Old", "old"]
    assert [part.text for part in page.xpath("//ins")] == ["New", "new", " here"]
    assert "Shelf" in text and "secret" not in text
    first = Revision.objects.before(newest)
    assert first is not None
    for address in (f"{first.pk}/", f"{first.pk}/?with=now"):
        assert "secret" not in admin_client.get(history(post) + address).content.decode()
    assert "old" in admin_client.get(f"{history(post)}{first.pk}/?with=now").content.decode()


def test_only_who_may_change_a_post_sees_its_history(admin_client: Client) -> None:
    post, other = make_post(), make_post()
    many(post, 2)
    newest = Revision.objects.newest(post.pk)
    assert newest is not None
    addresses = [history(post), f"{history(post)}{newest.pk}/"]
    for client in (staff(), staff("view_post"), staff("add_post")):
        assert [client.get(address).status_code for address in addresses] == [403, 403]
        assert client.post(addresses[1]).status_code == 403
    assert [Client().get(address).status_code for address in addresses] == [302, 302]
    assert [staff("change_post").get(address).status_code for address in addresses] == [200, 200]
    assert admin_client.get(f"{history(other)}{newest.pk}/").status_code == 404
    assert admin_client.get(f"{history(post)}999999/").status_code == 404
    assert admin_client.get("/admin/posts/post/999999/history/").status_code == 404


# -- Putting back ------------------------------------------------------------------------------------------------------


def test_a_version_is_put_back_as_a_new_one_and_hides_or_shows_nothing(admin_client: Client) -> None:
    shelf = make_category("Shelf")
    post = make_post(title="Old", body="old", tags=("a",), category=shelf, slug="old", summary="old", language="en")
    record(post, None)
    first = Revision.objects.get()
    form = form_of(admin_client, address_of(post))
    newer = {"title": "New", "body": "new", "tags": [], "slug": "new", "summary": "", "language": "ja"}
    newer |= {"status": "private", "password": "closed", "category": str(Category.objects.default().pk)}
    assert send(admin_client, address_of(post), form, **newer).status_code == 302
    for _ in range(2):  # pressed twice
        assert admin_client.post(f"{history(post)}{first.pk}/").status_code == 302
    back = Post.objects.get()
    assert (back.title, back.body, back.slug, back.summary, back.language) == ("Old", "old", "old", "old", "en")
    assert (back.category, list(back.tags.values_list("name", flat=True))) == (shelf, ["a"])
    assert (back.status, back.password) == ("private", "closed")
    assert bodies(post) == ["old", "new", "old"]


def test_what_is_gone_stays_as_it_is_now(admin_client: Client) -> None:
    shelf = make_category("Gone")
    post = make_post(body="old", tags=("gone", "there"), category=shelf)
    record(post, None)
    Post.objects.update(body="new", category=Category.objects.default(), cover="")
    shelf.delete()
    Tag.objects.get(name="gone").delete()
    answer = admin_client.post(f"{history(post)}{Revision.objects.get().pk}/", follow=True).content.decode()
    back = Post.objects.get()
    assert back.body == "old" and back.category == Category.objects.default()
    assert [tag.name for tag in back.tags.all()] == ["there"]
    assert "分类" in answer


# -- The compact form --------------------------------------------------------------------------------------------------


def test_many_versions_take_little_room_and_each_comes_back() -> None:
    chance = random.Random(7)
    words = "的一是在不了有和人这中大为上个国我以要他，。"
    lines = ["".join(chance.choice(words) for _ in range(300)) for _ in range(40)]
    post = make_post(body="\n\n".join(lines))
    wanted = []
    for n in range(120):
        lines[chance.randrange(40)] += f" {n}."
        Post.objects.update(body="\n\n".join(lines))
        wanted.append("\n\n".join(lines))
        record(Post.objects.get(), None)
    assert bodies(post) == wanted
    rows = Revision.objects.of(post.pk)
    assert sum(len(row.content) for row in rows) < 120 * len(wanted[0].encode()) / 20
    assert [row.base_id is None for row in reversed(rows)] == [n % revisions.WHOLE_EVERY == 0 for n in range(120)]


# -- Thinning out ------------------------------------------------------------------------------------------------------


def test_the_rule_of_pruning_keeps_what_it_says() -> None:
    now = datetime(2026, 12, 1, 12, tzinfo=timezone.get_default_timezone())
    for seed in range(300):
        chance = random.Random(seed)
        ages = sorted((chance.random() ** 3 * 1500 for _ in range(chance.randrange(1, 60))), reverse=True)
        rows = [
            Kept(now - timedelta(days=age), chance.choice(Post.Status.values), chance.random() < 0.3) for age in ages
        ]
        rows[-1] = rows[-1]._replace(replaced=False)
        kept = worth_keeping(rows, now)
        assert len(rows) - 1 in kept
        published = [place for place, row in enumerate(rows) if row.status in {"published", "unlisted"}]
        assert not published or published[-1] in kept
        for place, row in enumerate(rows):
            age = now - row.created_at
            if age <= (timedelta(days=7) if row.replaced else timedelta(days=30)):
                assert place in kept, seed
        rest = [rows[place] for place in kept - {len(rows) - 1, *published[-1:]}]
        days = [row.created_at.date() for row in rest if timedelta(days=30) < now - row.created_at]
        assert len(days) == len(set(days)), seed
        old = [row.created_at for row in rest if now - row.created_at > timedelta(days=365)]
        assert len(old) == len({(at.year, at.month) for at in old}), seed
        # Pruning again at the same moment removes nothing more.
        assert worth_keeping([rows[place] for place in sorted(kept)], now) == set(range(len(kept))), seed


def test_pruning_leaves_every_kept_version_whole() -> None:
    post, other = make_post(body=BODY), make_post()
    many(post, 130)
    many(other, 3)
    now = timezone.now()
    for place, revision in enumerate(Revision.objects.of(post.pk).reverse()):
        Revision.objects.filter(pk=revision.pk).update(created_at=now - timedelta(days=(130 - place) * 4))
    wanted = {revision.pk: revision.state for revision in Revision.objects.of(post.pk)}
    removed = prune()
    left = Revision.objects.of(post.pk)
    assert removed == 130 - left.count() > 20
    assert {revision.pk: revision.state for revision in left} == {row.pk: wanted[row.pk] for row in left}
    assert prune_revisions() == 0
    assert Revision.objects.of(other.pk).count() == 3


def test_a_post_goes_with_its_versions() -> None:
    post = make_post()
    many(post, 60)
    post.delete()
    assert not Revision.objects.exists()
