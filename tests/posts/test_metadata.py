"""The data of a page for search engines and for those who share its address; the card that stands in for a cover."""

import datetime
import json
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from apps.components.models import SiteIdentity
from apps.core.pages import store
from apps.posts import languages
from apps.posts.media import share_drawing, share_images
from apps.posts.media.share_drawing import draw, wrap
from apps.posts.models import Post
from tests.factories import make_administrator, make_category, make_post, make_posts
from tests.languages import in_english

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


class Head(HTMLParser):
    """The meta and link elements of a page and its JSON-LD."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.meta: dict[str, list[str]] = {}
        self.links: list[dict[str, str]] = []
        self.data: list[dict] = []
        self._in_data = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "meta" and "content" in values:
            self.meta.setdefault(values.get("name") or values.get("property", ""), []).append(values["content"])
        elif tag == "link":
            self.links.append(values)
        self._in_data = tag == "script" and values.get("type") == "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data.append(json.loads(data))
            self._in_data = False

    def one(self, name: str) -> str:
        (value,) = self.meta[name]
        return value

    def hrefs(self, **wanted: str) -> list[str]:
        return [link["href"] for link in self.links if wanted.items() <= link.items()]

    @property
    def canonical(self) -> str:
        (address,) = self.hrefs(rel="canonical")
        return address

    @property
    def robots(self) -> str:
        return "".join(self.meta.get("robots", []))

    @property
    def languages(self) -> dict[str, str]:
        return {link["hreflang"]: link["href"] for link in self.links if "hreflang" in link}

    def graph(self) -> dict[str, dict]:
        (data,) = self.data
        assert data["@context"] == "https://schema.org"
        return {part["@type"]: part for part in data["@graph"]}


def head(client: Client, path: str, status: int = 200) -> Head:
    response = in_english(client).get(path)
    assert response.status_code == status
    return Head(response.content.decode())


def give_cover(post: Post) -> Post:
    picture = BytesIO()
    Image.new("RGB", (30, 20)).save(picture, "PNG")
    post.cover.save("cover.png", ContentFile(picture.getvalue()))
    return post


# -- A post --------------------------------------------------------------------------------------------------------


def test_a_post_describes_itself(client: Client) -> None:
    ada = make_administrator(first_name="Ada", last_name="Lovelace")
    moment = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)
    post = make_post(title='Say "hi" & <go>', body="First words.", author=ada, tags=("x", "y"), published_at=moment,
                     updated_at=moment + datetime.timedelta(days=1), category=make_category("Shelf"))  # fmt: skip
    page = head(client, post.get_absolute_url() + "?utm_source=x&fbclid=1")
    site, address = SiteIdentity.objects.get().title, f"http://testserver{post.get_absolute_url()}"
    assert page.canonical == address == page.one("og:url") and page.robots == ""
    assert page.one("description") == page.one("og:description") == "First words."
    assert (page.one("og:title"), page.one("og:type"), page.one("og:site_name")) == (post.title, "article", site)
    assert page.one("og:locale") == "zh_CN"
    assert page.one("article:published_time") == "2026-03-01T20:00:00+08:00"
    assert page.one("article:modified_time") == "2026-03-02T20:00:00+08:00"
    assert page.meta["article:tag"] == ["x", "y"] and page.one("article:section") == "Shelf"
    card = page.one("og:image")
    assert card.startswith(f"http://testserver/article/{post.pk}/card.png?v=")
    assert (page.one("og:image:width"), page.one("og:image:height")) == ("1200", "630")
    assert page.one("og:image:alt") == post.title and page.one("twitter:card") == "summary_large_image"
    graph = page.graph()
    assert graph["BlogPosting"] == {
        "@type": "BlogPosting", "@id": address, "url": address, "mainEntityOfPage": address, "headline": post.title,
        "name": post.title, "description": "First words.", "image": card, "datePublished": "2026-03-01T12:00:00+00:00",
        "dateModified": "2026-03-02T12:00:00+00:00", "inLanguage": "zh-Hans", "articleSection": "Shelf", "keywords": ["x", "y"],
        "author": {"@type": "Person", "name": "Ada Lovelace"},
        "publisher": {"@type": "Organization", "name": site, "url": "http://testserver/"},
    }  # fmt: skip
    crumbs = graph["BreadcrumbList"]["itemListElement"]
    assert [(crumb["position"], crumb["name"]) for crumb in crumbs] == [(1, site), (2, "Shelf"), (3, post.title)]
    assert [crumb["item"] for crumb in crumbs] == [
        "http://testserver/", f"http://testserver{post.category.get_absolute_url()}", address
    ]  # fmt: skip


def test_a_cover_wins_over_the_card(client: Client) -> None:
    post = give_cover(make_post())
    page = head(client, post.get_absolute_url())
    assert page.one("og:image") == f"http://testserver{post.cover.url}" == page.graph()["BlogPosting"]["image"]
    assert (page.one("og:image:type"), page.one("og:image:width"), page.one("og:image:height")) == (
        "image/png",
        "30",
        "20",
    )
    response = client.get(f"/article/{post.pk}/card.png")
    assert (response.status_code, response["Location"]) == (302, post.cover.url)


def test_a_page_is_no_blog_posting(client: Client) -> None:
    page = head(client, make_post(kind="page", title="About").get_absolute_url())
    assert (
        set(page.graph()) == {"WebPage", "BreadcrumbList"}
        and len(page.graph()["BreadcrumbList"]["itemListElement"]) == 2
    )


@pytest.mark.parametrize(
    "title", ["</script><script>alert(1)</script>", "<!--<script>", "&lt;/script&gt;", "]]> \u2028 🎉 \\"]
)
def test_no_title_ends_the_data_block(client: Client, title: str) -> None:
    post = make_post(title=title, summary=title, category=make_category(title[:60]), tags=(title[:60] + "x",))
    SiteIdentity.objects.update(title=title[:60])
    store.drop()
    for path in (post.get_absolute_url(), "/"):
        html = client.get(path).content.decode()
        (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
        assert not set("<>&") & set(block) and json.loads(block)
        assert "<script>alert" not in html
    assert head(client, post.get_absolute_url()).graph()["BlogPosting"]["headline"] == Post.objects.get().title


@pytest.mark.parametrize("fields, status", [
    ({"status": "unlisted"}, 200), ({"status": "draft"}, 404), ({"status": "private"}, 404), ({"password": "open"}, 200),
    ({"published_at": timezone.now() + datetime.timedelta(days=1)}, 404),
])  # fmt: skip
def test_what_is_not_public_wants_no_place_in_an_index(
    client: Client, admin_client: Client, fields: dict, status: int
) -> None:
    post = make_post(body="The treasure.", **fields)
    path = post.get_absolute_url()
    for reader, expected in ((client, status), (admin_client, 200)):
        page = head(reader, path, expected)
        assert page.robots.startswith("noindex") and not page.data and not page.languages
        if fields.get("password"):
            assert "treasure" not in "".join(page.meta.get("description", []))
    assert "og:image" not in head(admin_client, path).meta
    for reader in (client, admin_client):
        assert reader.get(f"/article/{post.pk}/card.png").status_code == 404


def test_a_page_of_comments_is_the_same_post(client: Client) -> None:
    post = make_post()
    Post.objects.filter(pk=post.pk).update(last_floor=30)
    page = head(client, f"{post.get_absolute_url()}?page=2")
    assert page.canonical == f"http://testserver{post.get_absolute_url()}" and page.robots == ""


# -- Languages -----------------------------------------------------------------------------------------------------


def test_translations_name_each_other_and_themselves(client: Client) -> None:
    original = make_post(title="原文")
    english = make_post(language="en", translation_of=original)
    german = make_post(language="de-at", translation_of=original)
    make_post(language="fr", translation_of=original, status="draft")
    make_post(language="es", translation_of=original, password="secret")
    expected = {
        tag: f"http://testserver{post.get_absolute_url()}"
        for tag, post in (("zh-Hans", original), ("en", english), ("de-AT", german))
    }
    for post in (original, english, german):
        page = head(client, post.get_absolute_url())
        assert page.languages == expected
    assert head(client, english.get_absolute_url()).one("og:locale") == "en_US"
    assert head(client, german.get_absolute_url()).graph()["BlogPosting"]["inLanguage"] == "de-AT"


def test_no_language_is_named_where_there_is_but_one(client: Client) -> None:
    alone = make_post(language="en")
    original = make_post()
    make_post(language="en", translation_of=original, status="draft")
    orphan = make_post(language="en", translation_of=make_post(status="private"))
    twin = make_post(language="zh-hans", translation_of=original)
    for post in (alone, original, orphan, twin, make_post()):
        assert head(client, post.get_absolute_url()).languages == {}


def test_languages_cost_no_query(client: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries(post: Post) -> int:
        client.get(f"{post.get_absolute_url()}?mine")  # warms the components
        with CaptureQueriesContext(connection) as captured:
            client.get(post.get_absolute_url())
        return len(captured)

    original = make_post(category=make_category())
    for language in ("en", "de", "fr", "ja", "ko"):
        text = make_post(language=language, translation_of=original, category=make_category())
    assert (queries(original), queries(text)) == (1, 1)


@pytest.mark.parametrize("code, tag, locale", [
    ("zh-hans", "zh-Hans", "zh_CN"), ("zh-hant", "zh-Hant", "zh_TW"), ("zh-hant-hk", "zh-Hant-HK", "zh_TW"), ("en", "en", "en_US"),
    ("pt-br", "pt-BR", "pt_BR"), ("ja", "ja", "ja_JP"), ("EN-gb", "en-GB", "en_GB"), ("xx", "xx", ""), ("zh", "zh", "zh_CN"),
])  # fmt: skip
def test_languages_are_written_as_each_reader_of_them_expects(code: str, tag: str, locale: str) -> None:
    assert (languages.language_tag(code), languages.open_graph_locale(code)) == (tag, locale)


# -- Lists ---------------------------------------------------------------------------------------------------------


def test_the_home_page_tells_of_the_site_and_its_search(client: Client) -> None:
    identity = SiteIdentity.objects.get()
    page = head(client, "/?utm_campaign=x")
    assert page.canonical == "http://testserver/" and page.one("og:type") == "website"
    assert page.one("og:title") == identity.title and page.one("description").startswith("The faintest ink is")
    graph = page.graph()
    assert set(graph) == {"WebSite", "Blog"}
    target = graph["WebSite"]["potentialAction"]["target"]["urlTemplate"]
    assert target == "http://testserver/search/?q={search_term_string}"
    make_posts(11)
    store.drop()
    assert head(client, "/?page=2").data == []


def test_lists_keep_their_page_number_and_nothing_else(client: Client) -> None:
    category = make_category("Shelf 书架", introduction="All  of\nit.")
    make_posts(11, category=category, tags=("news",))
    for path in ("/", category.get_absolute_url(), "/tag/news/", "/archive/", "/source/1/"):
        address = f"http://testserver{path}"
        assert head(client, f"{path}?ref=x").canonical == address == head(client, f"{path}?page=1&ref=x").canonical
        assert head(client, f"{path}?ref=x&page=2").canonical == f"{address}?page=2"
    assert head(client, category.get_absolute_url()).one("description") == "All of it."
    assert head(client, "/tag/news/").one("og:title") == "news"


def test_which_pages_of_lists_are_kept_out_of_the_index(client: Client) -> None:
    category = make_category()
    make_posts(101, category=category, tags=("news",))
    month = f"/archive/{timezone.localdate():%Y/%m}/"
    for path, last in {
        "/": 10,
        category.get_absolute_url(): 10,
        "/tag/news/": 1,
        "/archive/": 1,
        month: 1,
        "/source/1/": 1,
    }.items():
        for number in (1, 2, 10, 11):
            robots = head(client, f"{path}?page={number}").robots
            assert robots == ("noindex, follow" if number > last else ""), (path, number)
    for path in ("/search/", "/search/?q=Text"):
        assert head(client, path).robots.startswith("noindex")


def test_categories_and_tags_name_their_feeds(client: Client) -> None:
    post = make_post(tags=("news",), category=make_category("Shelf"))
    for path in (post.category.get_absolute_url(), "/tag/news/"):
        page = head(client, path)
        for end, kind in (("", "rss+xml"), ("atom/", "atom+xml"), ("json/", "feed+json")):
            found = page.hrefs(rel="alternate", type=f"application/{kind}")
            assert found == [f"{path}feed/{end}", f"/feed/{end}"]
            assert all(client.get(address).status_code == 200 for address in found)
    assert len(head(client, "/archive/").hrefs(rel="alternate")) == 3


def test_a_tag_has_one_address(client: Client) -> None:
    make_post(tags=("Python",))
    response = client.get("/tag/PYTHON/?page=1")
    assert (response.status_code, response["Location"]) == (301, "/tag/python/?page=1")


def test_the_head_costs_no_query(client: Client, django_assert_num_queries) -> None:
    make_posts(12, tags=("news",), category=make_category("Shelf"))
    client.get("/")
    with django_assert_num_queries(1):
        assert client.get("/tag/news/?page=2").status_code == 200


# -- The card ------------------------------------------------------------------------------------------------------


def test_the_card_is_a_picture_of_the_right_size_drawn_once(
    client: Client, django_assert_num_queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(share_images, "draw", lambda *args: drawn.append(args) or draw(*args))
    post = make_post(title="数据库调优 & MySQL")
    address = head(client, post.get_absolute_url()).one("og:image").removeprefix("http://testserver")
    with django_assert_num_queries(1):
        response = client.get(address)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response["Cache-Control"] == "public, max-age=0, s-maxage=1" and "Cookie" not in response.get("Vary", "")
    picture = Image.open(BytesIO(response.content))
    assert picture.size == (1200, 630) and len(picture.convert("RGB").getcolors(1 << 24)) > 5
    assert client.get(address).content == response.content and len(drawn) == 1
    again = client.get(address, headers={"if-none-match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"") and again["Cache-Control"]
    assert client.get(address, headers={"if-none-match": '"garbage'}).status_code == 200
    assert client.post(address).status_code == 405


def test_a_new_title_is_a_new_card_and_the_old_one_goes(client: Client) -> None:
    post, neighbour = make_post(title="Before"), make_post()
    path = f"/article/{post.pk}/card.png"
    client.get(f"/article/{neighbour.pk}/card.png")
    before, address = client.get(path), head(client, post.get_absolute_url()).one("og:image")
    Post.objects.filter(pk=post.pk).update(title="After")
    after = client.get(path, headers={"if-none-match": before["ETag"]})
    assert after.status_code == 200 and after.content != before.content
    assert head(client, post.get_absolute_url()).one("og:image") != address
    folder = f"cards/{post.pk // 1000}"
    assert sum(name.startswith(f"{post.pk}-") for name in default_storage.listdir(folder)[1]) == 1
    assert any(name.startswith(f"{neighbour.pk}-") for name in default_storage.listdir(folder)[1])


@pytest.mark.parametrize(
    "path", ["/article/999999/card.png", "/article/0/card.png", "/article/99999999999999999999/card.png"]
)
def test_no_post_no_card(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "title",
    [
        "",
        " ",
        "🎉",
        "❤️ 你好",
        "长" * 200,
        "W" * 200,
        "ab " * 66,
        "\x00\x07\u202e",
        "한국어",
        "العربية",
        "《" * 50,
        "。" * 50,
        "e\u0301" * 100,
    ],
)
def test_no_title_breaks_the_card(title: str) -> None:
    assert Image.open(BytesIO(draw(title, title, None))).size == (1200, 630)


@pytest.mark.parametrize("accent", ["#ffffff", "#000000", "nonsense"])
def test_no_colour_breaks_the_card(accent: str) -> None:
    assert Image.open(BytesIO(draw("Title", "Site", datetime.date(2026, 1, 2), accent))).size == (1200, 630)


def test_a_card_without_any_font_is_left_out(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(share_drawing, "FONT", tmp_path / "none.woff2")
    share_drawing.can_draw.cache_clear()
    try:
        post = make_post()
        page = head(client, post.get_absolute_url())
        assert "og:image" not in page.meta and page.one("twitter:card") == "summary"
        assert "image" not in page.graph()["BlogPosting"]
        assert client.get(f"/article/{post.pk}/card.png").status_code == 404
    finally:
        share_drawing.can_draw.cache_clear()


def test_letters_that_no_font_has_take_the_title_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_drawing, "_system_fonts", list)
    date = datetime.date(2026, 1, 2)
    assert draw("한국어 and more", "Site", date) == draw("", "Site", date) != draw("and more", "Site", date)
    assert draw("More 🎉", "Site", date) == draw("More", "Site", date)


def test_lines_break_as_readers_of_each_script_expect() -> None:
    def lines(text: str, width: int) -> list[str]:
        return wrap(text, width, lambda part: sum(2 if ord(sign) > 0x2E7F else 1 for sign in part))

    assert lines("How to build a blog", 8) == ["How to", "build a", "blog"]
    assert lines("数据库调优", 6) == ["数据库", "调优"]
    assert lines("数据库。调优", 6) == ["数据", "库。调", "优"]
    assert lines("数据《库》", 6) == ["数据", "《库》"]
    assert lines("用 MySQL 调优", 9) == ["用 MySQL", "调优"]
    assert lines("abcdefghij kl", 4) == ["abcd", "efgh", "ij", "kl"]
    assert lines("", 4) == []
