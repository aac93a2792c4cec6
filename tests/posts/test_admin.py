"""The admin's list of posts: finding, publishing, taking back, moving."""

import pytest
from django.test import Client

from apps.posts.models import Category, Post
from apps.stats.counters import View
from apps.stats.database_counter import DatabaseCounter
from apps.stats.models import DailyViews
from apps.stats.services import site_day
from tests.factories import make_category, make_post
from tests.languages import in_english

pytestmark = pytest.mark.django_db
LIST = "/admin/posts/post/"
FORM = {
    "kind": "post",
    "title": "Written 🎉",
    "body": "**Text**",
    "category": 1,
    "source": 1,
    "status": "published",
    "published_at_0": "",
    "published_at_1": "",
    "comments_open": "on",
    "old_addresses-TOTAL_FORMS": 0,
    "old_addresses-INITIAL_FORMS": 0,
}


def act(client: Client, action: str, *posts: Post, **extra: object):
    data = {"action": action, "_selected_action": [post.pk for post in posts], **extra}
    return in_english(client).post(LIST, data, follow=True)


def test_publish_and_take_back(admin_client: Client) -> None:
    drafts = [make_post(status="draft"), make_post(status="draft")]
    assert "2 posts are public now." in act(admin_client, "publish", *drafts).content.decode()
    assert all(Post.objects.get(pk=post.pk).is_public for post in drafts)
    act(admin_client, "unpublish", drafts[0])
    assert [Post.objects.get(pk=post.pk).status for post in drafts] == ["draft", "published"]


def test_move_asks_for_the_category_and_moves(admin_client: Client) -> None:
    posts, target = [make_post(), make_post()], make_category("Target")
    question = act(admin_client, "move", *posts).content.decode()
    assert "2 posts move to:" in question and "Target" in question and posts[0].title in question
    for wrong in ("", "x", "999"):
        act(admin_client, "move", *posts, category=wrong)
        assert Category.objects.get(name="Target").posts.count() == 0
    assert "2 posts have been moved." in act(admin_client, "move", *posts, category=target.pk).content.decode()
    assert target.posts.count() == 2


def test_the_list_filters_and_searches(admin_client: Client) -> None:
    category = make_category("Shelf")
    here, there = make_post(title="Alpha here", category=category), make_post(title="Beta there", status="draft")
    for query, found in {
        f"category__id__exact={category.pk}": here,
        "source__id__exact=1&status__exact=draft": there,
        "q=alpha": here,
    }.items():
        page = admin_client.get(f"{LIST}?{query}").content.decode()
        assert found.title in page and ({here, there} - {found}).pop().title not in page


def test_a_writer_saves_and_the_author_is_remembered(admin_client: Client, admin_user: object) -> None:
    form = FORM | {"category": Category.objects.default().pk}
    assert admin_client.post(f"{LIST}add/", form).status_code == 302
    post = Post.objects.get()
    assert post.author == admin_user and post.is_public and "<strong>Text</strong>" in post.html
    refused = in_english(admin_client).post(f"{LIST}add/", form | {"title": "nul \0"})
    assert "Null characters are not allowed" in refused.content.decode() and Post.objects.count() == 1
    too_long = in_english(admin_client).post(f"{LIST}add/", form | {"body": "x" * (5 * 1024 * 1024 + 1)})
    assert "at most 5 MB" in too_long.content.decode() and Post.objects.count() == 1


@pytest.mark.parametrize("change, words", [
    ({"published_at_0": "0001-01-01", "published_at_1": "00:00"}, "must lie between"),
    ({"title": "\u200b"}, "can be seen"),
    ({"original_url": "javascript:alert(1)"}, "valid URL"),
    ({"language": "<x>"}, "language tag"),
    ({"tags": ["\0"]}, "Bad request"),
])  # fmt: skip
def test_bad_fields_are_told_and_nothing_is_stored(admin_client: Client, change: dict, words: str) -> None:
    refused = in_english(admin_client).post(f"{LIST}add/", FORM | change)
    assert words in refused.content.decode() and not Post.objects.exists()


def test_titles_lose_what_no_feed_can_carry(admin_client: Client) -> None:
    admin_client.post(f"{LIST}add/", FORM | {"title": "a\x0bb\x1bc", "category": Category.objects.default().pk})
    assert Post.objects.get().title == "a bc"
    for feed in ("/feed/", "/feed/atom/", "/feed/json/"):
        assert admin_client.get(feed).status_code == 200


def test_deleting_a_category_in_bulk_spares_the_protected_one(admin_client: Client) -> None:
    category, protected = make_category(), Category.objects.default()
    post = make_post(category=category)
    both = {"action": "delete_selected", "_selected_action": [category.pk, protected.pk], "post": "yes"}
    admin_client.post("/admin/posts/category/", both)
    assert Category.objects.count() == 2
    only = {"action": "delete_selected", "_selected_action": [category.pk], "post": "yes"}
    admin_client.post("/admin/posts/category/", only)
    assert list(Category.objects.all()) == [protected] and Post.objects.get(pk=post.pk).category == protected


def test_a_post_that_was_read_can_be_deleted(admin_client: Client) -> None:
    posts = [make_post(), make_post()]
    for post in posts:
        DatabaseCounter().hit(View(site_day(), "visitor", post.pk))
    assert admin_client.post(f"{LIST}{posts[0].pk}/delete/", {"post": "yes"}).status_code == 302
    act(admin_client, "delete_selected", posts[1], post="yes")
    assert not Post.objects.exists()
    day = site_day().isoformat()
    assert admin_client.post(f"/admin/stats/dailyviews/{day}/delete/", {"post": "yes"}).status_code == 403
    assert DailyViews.objects.exists()


def test_a_thousand_posts_are_moved_at_once(admin_client: Client) -> None:
    category, template = make_category("Target"), make_post()
    names = [field.attname for field in Post._meta.concrete_fields if not field.primary_key]
    fields = {name: getattr(template, name) for name in names}
    Post.objects.bulk_create(Post(**fields) for _ in range(1100))
    question = act(admin_client, "move", template, select_across="1").content.decode()
    assert "1101 posts move to:" in question and question.count("_selected_action") == 1
    answer = act(admin_client, "move", template, select_across="1", category=category.pk)
    assert "1101 posts have been moved." in answer.content.decode()
    assert category.posts.count() == 1101


def test_after_saving_the_writer_reads_what_no_page_shows(admin_client: Client) -> None:
    body = '前 <title>\n\n<iframe src="//player.bilibili.com/x"></iframe>\n\n<span style="color:red">后</span>'
    answer = admin_client.post(f"{LIST}add/", FORM | {"body": body}, follow=True).content.decode()
    assert "&lt;iframe&gt;" in answer and "player.bilibili.com" in answer and "style=…" in answer
    assert "messagelist" in answer and "&lt;title&gt;" not in answer
    post = Post.objects.get()
    assert post.text == "前 <title> 后"
    quiet = admin_client.post(f"{LIST}add/", FORM, follow=True).content.decode()
    assert "style=…" not in quiet
