"""The frame around every page: menus, sidebar, statistics, language; and when a change shows."""

import re

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client

from apps.comments.models import Comment
from apps.components.models import Menu, MenuItem, Plugin, SiteIdentity
from apps.components.snapshot import build
from apps.core.pages import coherence, store
from apps.core.pages.site import Snapshot
from apps.posts.models import Category, Post, Source, Tag
from tests.factories import make_administrator, make_category, make_comment, make_post, make_posts
from tests.languages import in_english
from tests.services import BROWSER

pytestmark = pytest.mark.django_db


def page(client: Client, **headers: str) -> str:
    return in_english(client).get("/", headers=headers).content.decode()


def test_the_default_rows_are_there() -> None:
    identity = SiteIdentity.objects.get()
    assert (identity.pk, identity.navbar, bool(identity.title), bool(identity.signature)) == (1, "dark", True, True)
    assert Plugin.objects.get().kind == "statistics"


def test_menus_in_order_with_visible_categories_and_no_empty_ones(client: Client) -> None:
    second, first, empty = (
        Menu.objects.create(name=name, order=order) for name, order in (("B", 2), ("A", 1), ("E", 0))
    )
    python, hidden, alone = make_category("Python"), make_category("Hidden", hidden=True), make_category("Alone")
    later = make_category("Later")
    MenuItem.objects.create(menu=first, category=later, order=2)
    MenuItem.objects.create(menu=first, category=python, order=1)
    MenuItem.objects.create(menu=second, category=make_category("Go"))
    MenuItem.objects.create(menu=empty, category=hidden)
    snapshot = build("stamp")
    assert [(entry.name, [link.name for link in entry.links]) for entry in snapshot.entries] == [
        ("A", ["Python", "Later"]),
        ("B", ["Go"]),
        ("Alone", []),
    ]
    navbar = re.search(r"<header class=\"navbar navbar-dark.*?</header>", page(client), re.S)[0]
    assert (
        '<summary><span lang="zh-Hans">A</span></summary>' in navbar
        and alone.get_absolute_url() in navbar
        and "Hidden" not in navbar
    )


def test_sidebar_plugins_in_order_without_disabled_ones(client: Client) -> None:
    Plugin.objects.create(title="Third", order=3, content="<p>Hi<script>1</script></p>")
    Plugin.objects.create(title="Second", order=2, kind="links", content="A friend https://example.com\n")
    Plugin.objects.create(title="Gone", order=0, disabled=True, content="x")
    html = page(client)
    assert re.findall(r'class="box.*?<h2>(?:<span lang="zh-Hans">)?([^<]+)</', html, re.S) == [
        "Statistics",
        "Second",
        "Third",
    ]
    assert '<a href="https://example.com" lang="zh-Hans">A friend</a>' in html and "<p>Hi</p>" in html


@pytest.mark.parametrize("kind", [kind for kind, _name in Plugin.Kind.choices])
def test_every_kind_of_plugin_shows_itself(client: Client, kind: str) -> None:
    post = make_post(title="Shown <in> box", tags=("boxed",))
    make_comment(post, "Spoken in box")
    Plugin.objects.update(disabled=True)
    content = "Friend https://example.com" if kind == "links" else "<b>Shown</b>"
    Plugin.objects.create(title="Box", kind=kind, content=content)
    box = re.search(r'<section class="box.*?</section>', page(client), re.S)[0]
    expected = {"html": "<b>Shown</b>", "links": "example.com", "tags": "boxed", "archive": "/archive/",
                "recent_comments": "Spoken in box", "statistics": "Page views today"}  # fmt: skip
    assert expected.get(kind, "Shown &lt;in&gt; box") in box


def test_a_comment_stands_in_its_box_without_its_markup(client: Client) -> None:
    make_comment(
        make_post(), "A **strong** `word` and [a link](https://example.com/).\n\n- and much more to be read there"
    )
    Plugin.objects.create(title="Box", kind="recent_comments")
    assert re.search(r">Ada: A strong word and a link\. [^<]*…</a>", page(client))


def test_the_statistics_box_counts_what_is_public(client: Client) -> None:
    post = make_post()
    make_posts(2, source_id=2)
    make_post(status="draft")
    make_comment(post)
    reader = Client(headers={"user-agent": BROWSER})
    reader.post("/stats/view", "{}", content_type="text/plain")
    reader.post("/stats/view", "{}", content_type="text/plain")
    store.drop()
    numbers = re.findall(r"<dt>(?:<a[^>]*>)?([^<]+).*?<dd[^>]*>(\d+)</dd>", page(client), re.S)
    assert numbers == [
        ("Page views today", "2"), ("Visitors today", "1"), ("Posts", "3"), ("Comments", "1"),
        ("Original", "1"), ("Repost", "2"), ("Translation", "0"),
    ]  # fmt: skip


def test_the_statistics_box_can_be_disabled_not_deleted(admin_client: Client) -> None:
    plugin = Plugin.objects.get()
    for delete in (plugin.delete, Plugin.objects.all().delete):
        with pytest.raises(ProtectedError):
            delete()
    assert admin_client.post(f"/admin/components/plugin/{plugin.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Plugin.objects.count() == 1


CHANGES = {
    "identity": lambda post: SiteIdentity(title="Renamed").save(),
    "post": lambda post: make_post(),
    "unpublish": lambda post: post.unpublish(),
    "delete a post": lambda post: post.delete(),
    "category": lambda post: make_category("New shelf"),
    "delete categories": lambda post: Category.objects.filter(protected=False).delete(),
    "source": lambda post: Source.objects.create(name="New source"),
    "tag": lambda post: Tag.objects.named(["new"]),
    "comment": lambda post: make_comment(post),
    "hide comments": lambda post: Comment.objects.all().set_state("screened"),
    "delete comments": lambda post: Comment.objects.all().delete(),
    "plugin": lambda post: Plugin.objects.create(title="New box", content="x"),
    "menu": lambda post: Menu.objects.create(name="New menu"),
    "menu entry": lambda post: MenuItem.objects.create(menu=Menu.objects.get(), category=post.category),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_by_the_next_reader(change: str) -> None:
    post = make_post(category=make_category("Shelf"), tags=("old",))
    make_comment(post)
    Menu.objects.create(name="Menu")
    kept = store.current_site()
    assert store.current_site() is kept
    CHANGES[change](post)
    assert store.current_site() is not kept


@pytest.mark.django_db(transaction=True)
def test_the_frame_shows_what_changed(client: Client) -> None:
    post = make_post()
    before = page(client)
    make_comment(post)
    box = re.compile(r'data-number="comments">(\d+)<')
    assert (box.search(before)[1], box.search(page(client))[1]) == ("0", "1")
    post.unpublish()
    assert re.search(r'data-number="posts">(\d+)<', page(client))[1] == "0"


@pytest.mark.django_db(transaction=True)
def test_what_was_read_during_a_change_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    store.drop()

    def change_meanwhile(lists_stamp: str) -> Snapshot:
        snapshot = build(lists_stamp)
        SiteIdentity(title="Changed meanwhile").save()
        return snapshot

    monkeypatch.setattr("apps.components.snapshot.build", change_meanwhile)
    assert store.current_site().title == "blog_xtg"
    monkeypatch.undo()
    assert store.current_site().title == "Changed meanwhile"


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_drops_nothing() -> None:
    kept = store.current_site()
    with transaction.atomic():
        SiteIdentity(title="Never").save()
        transaction.set_rollback(True)
    assert store.current_site() is kept


SNAPSHOT_QUERIES = 1  # all that the database knows, in one


def test_queries_of_the_snapshot_don_t_grow_with_the_rows(django_assert_num_queries) -> None:
    for rows in (1, 10):
        for _ in range(rows):
            category = make_category()
            make_post(category=category)
            MenuItem.objects.create(menu=Menu.objects.create(name=category.name), category=category)
            Plugin.objects.create(title="Box", content="x")
        with django_assert_num_queries(SNAPSHOT_QUERIES):
            build("stamp")


def test_pages_cost_no_query_for_warm_components(client: Client, django_assert_num_queries) -> None:
    client.get("/search/")
    with django_assert_num_queries(0):
        client.get("/search/")


def test_the_navbar_can_be_light(client: Client) -> None:
    SiteIdentity(navbar="light").save()
    store.drop()
    assert "navbar-light" in page(client)


def test_every_page_tells_the_browser_what_it_may_do(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_a_database_away_leaves_health_and_the_frame_standing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, asked = store.current_site(), []

    def away(*args, **kwargs):
        asked.append(args)
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", away)
    monkeypatch.setattr(coherence.backend(), "snapshot_seconds", -1)
    assert store.current_site() == kept
    assert client.get("/healthz").status_code == 200
    store.drop()
    asked.clear()
    for _ in range(5):
        assert store.current_site() == kept  # dropped, but all there is
    assert len(asked) == 1  # not every reader waits for what is away
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 503 and "Traceback" not in answer.content.decode()  # nginx asks another host


@pytest.mark.parametrize("path", ["/healthz", "/static/js/theme.js"])
def test_what_has_no_words_asks_no_database(client: Client, django_assert_num_queries, path: str) -> None:
    store.drop()
    with django_assert_num_queries(0):
        assert client.get(path).status_code == 200


def test_metrics_are_for_this_machine_and_private_networks(client: Client) -> None:
    assert b"python_info" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="8.8.8.8").status_code == 404


def test_after_saving_the_owner_reads_what_a_box_or_the_footer_does_not_show(admin_client: Client) -> None:
    html = 'x <iframe src="https://player.bilibili.com/x"></iframe>'
    box = {"title": "Box", "kind": Plugin.Kind.HTML, "content": html}
    answer = admin_client.post("/admin/components/plugin/add/", box, follow=True).content.decode()
    assert "&lt;iframe&gt;" in answer and "player.bilibili.com" in answer
    assert Plugin.objects.get(title="Box").content == "x "
    address = "/admin/components/siteidentity/1/change/"
    form = admin_client.get(address).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None} | {"footer": html}
    answer = admin_client.post(address, data, follow=True).content.decode()
    assert "&lt;iframe&gt;" in answer and "player.bilibili.com" in answer


def test_the_admin_moves_plugins_and_menus_by_drag(admin_client: Client) -> None:
    for name in ("plugin", "menu"):
        page = admin_client.get(f"/admin/components/{name}/")
        assert page.status_code == 200 and "sortable" in page.content.decode()
    assert admin_client.get("/admin/components/siteidentity/").status_code == 302


def test_every_page_of_the_admin_opens(admin_client: Client) -> None:
    post = make_post()
    comment = make_comment(post)
    make_administrator()
    assert Post.objects.count() == 1
    for address in (
        "", "posts/post/", "posts/post/add/", f"posts/post/{post.pk}/change/", "posts/post/?q=x&status__exact=draft",
        "posts/category/", "posts/category/add/", "posts/source/", "posts/tag/", "comments/comment/?q=x",
        f"comments/comment/{comment.pk}/change/", "stats/dailyviews/", "stats/postdailyviews/",
        "components/siteidentity/1/change/", "components/menu/add/", "components/plugin/add/",
    ):  # fmt: skip
        assert admin_client.get(f"/admin/{address}").status_code == 200, address
