"""RSS, Atom and JSON Feed: what they carry, who sees it, and when they answer 304."""

import datetime
import json
from io import BytesIO
from xml.etree import ElementTree

import feedparser
import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.utils import timezone
from PIL import Image

from apps.components.models import SiteIdentity
from apps.core.pages import store
from apps.posts.models import Category, Post, Tag
from tests.factories import make_administrator, make_category, make_post, make_posts
from tests.languages import in_english

pytestmark = pytest.mark.django_db

FORMATS = ["/feed/", "/feed/atom/", "/feed/json/"]


def parsed(response):
    feed = feedparser.parse(response.content)
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


def give_cover(post: Post) -> Post:
    picture = BytesIO()
    Image.new("RGB", (30, 20)).save(picture, "PNG")
    post.cover.save("cover.png", ContentFile(picture.getvalue()))
    return post


def test_feeds_carry_full_posts_with_absolute_links(client: Client) -> None:
    category = make_category("Feeds")
    post = make_post(title="In <feeds>", body="![p](/media/p.png)\n\nWhole text.", tags=("news",), category=category)
    own = category.get_absolute_url()
    for address in (*FORMATS, f"{own}feed/", f"{own}feed/atom/", f"{own}feed/json/", "/tag/news/feed/atom/"):
        response = client.get(address)
        assert response.status_code == 200
        text = response.content.decode()
        assert "Whole text." in text and "http://testserver/media/p.png" in text and f"/article/{post.pk}" in text


@pytest.mark.parametrize(
    "path",
    ["/tag/none/feed/", "/category/999999/x/feed/", "/category/999999999999999999/x/feed/json/", "/tag/%00/feed/atom/",
     "/category/99999999999999999999/x/feed/"],
)  # fmt: skip
def test_a_feed_of_nothing_is_a_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("address", ["/feed/", "/feed/atom/"])
def test_rss_and_atom_say_all_there_is_to_say(client: Client, address: str) -> None:
    ada = make_administrator(first_name="Ada", last_name="Lovelace")
    moment = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)
    later = moment + datetime.timedelta(days=2)
    post = give_cover(make_post(title="A & B <c>", body="**Bold** text.", summary="In <short>", author=ada, tags=("x", "y"),
                                published_at=moment, updated_at=later, language="en-us"))  # fmt: skip
    feed = parsed(client.get(address))
    assert feed.version == {"/feed/": "rss20", "/feed/atom/": "atom10"}[address]
    assert feed.feed.language == "zh-Hans" and feed.feed.title == SiteIdentity.objects.get().title
    links = {link["rel"]: link["href"] for link in feed.feed.links}
    assert (links["self"], links["alternate"]) == (f"http://testserver{address}", "http://testserver/")
    (entry,) = feed.entries
    assert entry.id == f"http://testserver/article/{post.pk}"
    assert entry.link == f"http://testserver{post.get_absolute_url()}"
    assert entry.author == "Ada Lovelace"
    assert [tag.term for tag in entry.tags] == [post.category.name, "x", "y"]
    assert entry.content[0].type == "text/html" and entry.content[0].value == "<p><strong>Bold</strong> text.</p>"
    assert "short" in entry.summary
    assert entry.published_parsed[:3] == (2026, 3, 1)
    (cover,) = entry.enclosures
    told = {"href": f"http://testserver{post.cover.url}", "type": "image/png", "length": str(post.cover.size)}
    assert cover | told == cover
    if address == "/feed/atom/":
        assert (entry.updated_parsed[:3], feed.feed.updated_parsed[:3]) == ((2026, 3, 3), (2026, 3, 3))
        assert entry.title_detail.type == "text/plain" and entry.title == "A & B <c>"


def test_json_feed_follows_its_specification(client: Client) -> None:
    post = give_cover(make_post(title="A & B <c>", body="**Bold**", tags=("x",), language="ja"))
    response = client.get("/feed/json/")
    assert response["Content-Type"].startswith("application/feed+json")
    feed = response.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["home_page_url"], feed["feed_url"]) == ("http://testserver/", "http://testserver/feed/json/")
    (item,) = feed["items"]
    cover = f"http://testserver{post.cover.url}"
    assert item | {"date_published": "", "date_modified": ""} == {
        "id": f"http://testserver/article/{post.pk}",
        "url": f"http://testserver{post.get_absolute_url()}",
        "title": "A & B <c>",
        "content_html": "<p><strong>Bold</strong></p>\n",
        "summary": "Bold",
        "image": cover,
        "date_published": "",
        "date_modified": "",
        "authors": [{"name": feed["title"]}],
        "tags": [post.category.name, "x"],
        "language": "ja",
        "attachments": [{"url": cover, "mime_type": "image/png", "size_in_bytes": post.cover.size}],
    }
    for date in ("date_published", "date_modified"):
        assert datetime.datetime.fromisoformat(item[date]).tzinfo


def test_every_link_is_absolute_and_no_text_is_taken_for_one(client: Client) -> None:
    post = make_post(
        body='[a](/b?c=1&d=2) [e](#f) [g](https://example.com/) [h](//example.org/x) [m](mailto:a@example.com)\n\n'
        '<video src="/media/v.mp4" poster="/media/v.png"></video>\n\n`<a href="/code">`\n\nNote[^1]\n\n[^1]: Below.\n'
    )  # fmt: skip
    html = client.get("/feed/json/").json()["items"][0]["content_html"]
    own = f"http://testserver{post.get_absolute_url()}"
    for address in ("http://testserver/b?c=1&amp;d=2", f"{own}#f", "https://example.com/", "http://example.org/x",
                    "mailto:a@example.com", "http://testserver/media/v.mp4", "http://testserver/media/v.png", f"{own}#fn"):  # fmt: skip
        assert f'="{address}' in html, address
    assert '&lt;a href="/code"&gt;' in html


def test_a_missing_cover_file_leaves_the_feed_whole(client: Client) -> None:
    post = give_cover(make_post())
    post.cover.storage.delete(post.cover.name)
    assert not any(parsed(client.get(address)).entries[0].enclosures for address in FORMATS[:2])
    assert "image" not in client.get("/feed/json/").json()["items"][0]


def test_a_post_behind_a_password_stands_without_its_text(client: Client) -> None:
    make_post(title="Guarded", body="The treasure is here.", password="open", summary="About a treasure.")
    for address in FORMATS:
        text = client.get(address).content.decode()
        assert "Guarded" in text and "About a treasure." in text and "is here" not in text
    assert "content" not in parsed(client.get("/feed/atom/")).entries[0]
    assert client.get("/feed/json/").json()["items"][0]["content_text"] == ""


def test_the_newest_twenty_public_posts(client: Client) -> None:
    now = timezone.now()
    for age in range(22):
        make_post(title=f"Aged {age}", published_at=now - datetime.timedelta(days=age))
    for status in ("draft", "private", "unlisted"):
        make_post(title="Hidden", status=status)
    make_post(title="To come", published_at=now + datetime.timedelta(days=1))
    make_post(title="About", kind="page")
    for address in FORMATS[:2]:
        assert [entry.title for entry in parsed(client.get(address)).entries] == [f"Aged {age}" for age in range(20)]


@pytest.mark.parametrize("address", FORMATS)
def test_what_xml_cannot_carry_is_left_out(client: Client, address: str) -> None:
    SiteIdentity.objects.update(title="Si\x0bte", signature="a\x02b]]>")
    get_user_model()._default_manager.create_user("odd\x01name", first_name="\x08Odd")
    store.drop()
    make_post(author=get_user_model()._default_manager.get(), category=make_category(), tags=("odd",))
    # Round the doors that may clean what comes in.
    Post.objects.update(
        title="Bell\x07 🎉 ]]> \ufffe\x0bend",
        html="<p>Text \x0c\x1bwith ]]&gt; and ]]> and 🎉\uffff.</p>",
        excerpt="Text \x1f",
    )
    Category.objects.update(name=Concat("name", Value("\x05 ]]>")))
    Tag.objects.update(name="\x06 ]]>")
    response = client.get(address)
    if address == "/feed/json/":
        item = json.loads(response.content)["items"][0]
        assert item["title"] == "Bell 🎉 ]]> end"
        assert item["content_html"] == "<p>Text with ]]&gt; and ]]> and 🎉.</p>"
    else:
        ElementTree.fromstring(response.content)
        assert "🎉 ]]>" in parsed(response).entries[0].title


@pytest.mark.parametrize("address", FORMATS)
def test_ids_outlive_titles_and_slugs(client: Client, address: str) -> None:
    category = make_category("Before")
    post = make_post(title="Before", category=category)
    shelf = f"{category.get_absolute_url()}{address.lstrip('/')}"

    def ids(path: str) -> list[str]:
        feed = feedparser.parse(client.get(path, follow=True).content)
        if feed.version:
            return [feed.feed.get("id", ""), feed.entries[0].id]
        return [item["id"] for item in client.get(path, follow=True).json()["items"]]

    before, of_shelf = ids(address), ids(shelf)
    post.title, post.slug = "After", "after"
    post.save()
    category.name, category.slug = "After", "after"
    category.save()
    store.drop()
    assert (ids(address), ids(shelf)) == (before, of_shelf)
    moved = f"{category.get_absolute_url()}{address.lstrip('/')}"
    assert client.get(shelf)["Location"] == moved and client.get(shelf).status_code == 301
    assert moved in client.get(moved).content.decode() or "atom" in address


@pytest.mark.parametrize("address", FORMATS)
def test_a_feed_is_the_same_for_all_readers_in_the_sites_language(client: Client, address: str) -> None:
    make_post()
    plain, english = client.get(address), in_english(Client()).get(address)
    assert plain.content == english.content and plain["ETag"] == english["ETag"]
    assert plain["Content-Language"] == "zh-Hans" and "Cookie" not in plain.get("Vary", "")
    SiteIdentity.objects.update(language="en")
    store.drop()
    client.cookies["language"] = "zh-hans"
    assert client.get(address)["Content-Language"] == "en"


# -- 304 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*FORMATS, "/tag/news/feed/", "/tag/news/feed/json/"])
def test_an_unchanged_feed_answers_304_after_one_query(client: Client, django_assert_num_queries, address: str) -> None:
    make_posts(3, tags=("news", "more"))
    for number in (0, 40):
        make_posts(number, tags=("news", "other"))
        client.get("/")  # warms the components
        with django_assert_num_queries(1):
            first = client.get(address)
        assert first.status_code == 200 and first["ETag"].startswith('"')
        for headers in (
            {"if-none-match": first["ETag"]},
            {"if-none-match": f'"other", W/{first["ETag"]}'},
            {"if-modified-since": first["Last-Modified"]},
            {"if-none-match": first["ETag"], "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        ):
            with django_assert_num_queries(1):
                again = client.get(address, headers=headers)
            assert (again.status_code, again.content) == (304, b"")
            assert again["ETag"] == first["ETag"]
        assert client.head(address, headers={"if-none-match": first["ETag"]}).status_code == 304


def _rename_author(post: Post) -> None:
    get_user_model()._default_manager.update(first_name="Renamed")


CHANGES = {
    "delete": lambda post: post.delete(),
    "unpublish": lambda post: post.unpublish(),
    "password": lambda post: Post.objects.filter(pk=post.pk).update(password="secret"),
    "title": lambda post: Post.objects.filter(pk=post.pk).update(title="Another"),
    "slug": lambda post: Post.objects.filter(pk=post.pk).update(slug="another"),
    "text": lambda post: Post.objects.filter(pk=post.pk).update(html="<p>Rendered anew.</p>"),
    "summary": lambda post: Post.objects.filter(pk=post.pk).update(excerpt="Another"),
    "cover": give_cover,
    "new post": lambda post: make_post(tags=("news",)),
    "category": lambda post: post.move_to(make_category("Elsewhere")),
    "category's name": lambda post: Category.objects.update(name="Renamed"),
    "tag added": lambda post: post.tags.add(Tag.objects.create(name="Extra")),
    "tag taken": lambda post: post.tags.remove(Tag.objects.get(name="second")),
    "tag's name": lambda post: Tag.objects.filter(name="news").update(name="News!"),
    "author": _rename_author,
    "site's title": lambda post: SiteIdentity.objects.get().save() or SiteIdentity.objects.update(title="Another"),
    "site's signature": lambda post: SiteIdentity.objects.update(signature="Another"),
    "site's language": lambda post: SiteIdentity.objects.update(language="en"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_change_hides_behind_a_304(client: Client, change: str) -> None:
    make_posts(2, tags=("news",))
    post = make_post(tags=("news", "second"), author=make_administrator())
    addresses = [*FORMATS, "/tag/news/feed/"]
    before = {address: client.get(address) for address in addresses}
    CHANGES[change](post)
    store.drop()
    for address, first in before.items():
        for name, header in (("if-none-match", "ETag"), ("if-modified-since", "Last-Modified")):
            after = client.get(address, headers={name: first[header]})
            assert after.status_code == 200 and after["ETag"] != first["ETag"], (address, name)
            assert after.content != first.content, address


def test_nothing_that_readers_do_makes_a_new_edition(client: Client) -> None:
    post = make_post()
    first = client.get("/feed/")
    Post.objects.filter(pk=post.pk).update(view_count=9, comment_count=3, last_floor=3)
    assert client.get("/feed/")["ETag"] == first["ETag"]


def test_a_scheduled_post_makes_a_new_edition_when_its_time_comes(client: Client) -> None:
    make_post()
    post = make_post(published_at=timezone.now() + datetime.timedelta(hours=1))
    first = client.get("/feed/")
    Post.objects.filter(pk=post.pk).update(published_at=timezone.now())
    assert client.get("/feed/", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_after_a_restart_the_feed_is_sent_once_more_rather_than_never(client: Client) -> None:
    make_post()
    first = client.get("/feed/")
    cache.clear()
    assert client.get("/feed/", headers={"if-none-match": first["ETag"]}).status_code == 304


@pytest.mark.parametrize("address", FORMATS)
def test_an_empty_feed_is_valid_and_stays_the_same(client: Client, address: str) -> None:
    first, second = client.get(address), client.get(address)
    assert first.content == second.content and first["ETag"] == second["ETag"]
    if address != "/feed/json/":
        assert parsed(first).entries == []
    else:
        assert first.json()["items"] == []


@pytest.mark.parametrize(
    "value", ["", "x", '"', "W/", '"a', "*garbage*", "é", "\x00", '"' + "a" * 5000 + '"', ",,,", 'W/""']
)
def test_garbage_in_conditional_headers_is_no_error(client: Client, value: str) -> None:
    make_post()
    assert client.get("/feed/", headers={"if-none-match": value}).status_code == 200
    assert client.get("/feed/", headers={"if-modified-since": value}).status_code == 200
