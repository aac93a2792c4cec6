"""Feeds and sitemap held against schemas: sitemaps.org's, JSON Feed's, and Atom and RSS as their texts have them."""

import datetime
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from django.core.files.base import ContentFile
from django.test import Client
from lxml import etree
from PIL import Image

from apps.components.models import SiteIdentity
from apps.core.pages import store
from apps.posts.models import Post
from tests.factories import make_administrator, make_category, make_post
from tests.services import NODE_MODULES

pytestmark = pytest.mark.django_db

SCHEMAS = Path(__file__).resolve().parent / "schemas"
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ODD = "A & B <c> “引号” 🎉 ]]> é\x07"


@pytest.fixture(scope="session")
def sitemap_schema() -> etree.XMLSchema:
    """The schema of sitemaps.org for the files, and with it ours for the index."""
    source = (SCHEMAS / "siteindex.xsd").read_text(encoding="utf-8")
    packaged = NODE_MODULES / "sitemap/schema/sitemap.xsd"
    return etree.XMLSchema(etree.fromstring(source.replace("SITEMAP_XSD", packaged.as_uri()).encode()))


@pytest.fixture(scope="session")
def json_feed_schema() -> jsonschema.Draft7Validator:
    checker = jsonschema.FormatChecker(formats=())
    checker.checks("uri")(lambda text: bool(urlsplit(text).scheme) and text.isascii() and " " not in text)
    checker.checks("date-time", ValueError)(lambda text: datetime.datetime.fromisoformat(text).tzinfo is not None)
    schema = json.loads((NODE_MODULES / "jsonfeed-schema/schema-v1.1.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema, format_checker=checker)


@pytest.fixture(scope="session")
def relax_ng() -> Callable[[str], etree.RelaxNG]:
    return lambda name: etree.RelaxNG(etree.parse(SCHEMAS / f"{name}.rng"))


def everything() -> None:
    """Posts of every kind, with what is hard to write into XML, JSON and addresses."""
    SiteIdentity.objects.update(title=ODD, signature=ODD)
    store.drop()
    picture = BytesIO()
    Image.new("RGB", (30, 20)).save(picture, "PNG")
    ada = make_administrator(first_name="Ada & <co>")
    category = make_category("C++ & 数据库 / 运维", introduction=ODD)
    make_post(title=ODD, body=f"{ODD}\n\n[a](/b?c=1&d=2) ![p](/media/路 p.png)\n\n`<b>`\n\n$$x^2$$", summary=ODD,
              tags=("C#", "数据库 & 运维", "a/b", "x y"), category=category, author=ada, language="zh-hans",
              original_url="https://example.com/é?q=a b")  # fmt: skip
    make_post(title="No words", body="", category=category)
    make_post(title="Guarded", password="open", summary="", author=ada)
    make_post(title="Page", kind="page")
    make_post(title="Old", published_at=datetime.datetime(1971, 1, 1, tzinfo=datetime.UTC))
    make_post(language="en-us").cover.save("图 & cover.png", ContentFile(picture.getvalue()))


@pytest.fixture(params=["everything", "nothing"])
def blog(request: pytest.FixtureRequest) -> None:
    if request.param == "everything":
        everything()


def feeds(client: Client, name: str) -> Iterator[tuple[str, bytes]]:
    """Address and content of that feed of the site, and of each category and tag."""
    shelves = {""}
    for post in Post.objects.all():
        shelves |= {post.category.get_absolute_url(), *(tag.get_absolute_url() for tag in post.tags.all())}
    for shelf in sorted(shelves):
        address = f"{shelf.rstrip('/')}/feed/{name}"
        response = client.get(address)
        assert response.status_code == 200, address
        yield address, response.content


@pytest.mark.usefixtures("blog")
def test_sitemap(client: Client, sitemap_schema: etree.XMLSchema) -> None:
    index = etree.fromstring(client.get("/sitemap.xml").content)
    sitemap_schema.assertValid(index)
    files = index.findall(f"{SITEMAP}sitemap/{SITEMAP}loc")
    assert files
    for file in files:
        sitemap_schema.assertValid(etree.fromstring(client.get(urlsplit(file.text).path).content))


@pytest.mark.usefixtures("blog")
def test_json_feed(client: Client, json_feed_schema: jsonschema.Draft7Validator) -> None:
    for address, content in feeds(client, "json/"):
        feed = json.loads(content)
        wrong = [f"{error.json_path}: {error.message}" for error in json_feed_schema.iter_errors(feed)]
        assert not wrong, address
        ids = [item["id"] for item in feed["items"]]
        assert len(set(ids)) == len(ids)


@pytest.mark.usefixtures("blog")
def test_rss(client: Client, relax_ng: Callable) -> None:
    for _address, content in feeds(client, ""):
        feed = etree.fromstring(content)
        relax_ng("rss").assertValid(feed)
        assert all(item.findtext("title") or item.findtext("description") for item in feed.iter("item"))


@pytest.mark.usefixtures("blog")
def test_atom(client: Client, relax_ng: Callable) -> None:
    for address, content in feeds(client, "atom/"):
        feed = etree.fromstring(content)
        relax_ng("atom").assertValid(feed)
        # Rules that RFC 4287 has in words alone (4.1.1, 4.1.2).
        assert feed.find(f"{ATOM}author") is not None or all(
            entry.find(f"{ATOM}author") is not None for entry in feed.iter(f"{ATOM}entry")
        )
        for place in (feed, *feed.iter(f"{ATOM}entry")):
            alternates = [link for link in place.findall(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]
            assert len({(link.get("type"), link.get("hreflang")) for link in alternates}) == len(alternates) == 1
        (own,) = [link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]
        assert own.endswith(address)
        ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
        assert len(set(ids)) == len(ids)


@pytest.mark.one_database
def test_the_schemas_refuse_what_is_wrong(
    client: Client, sitemap_schema: etree.XMLSchema, json_feed_schema: jsonschema.Draft7Validator, relax_ng: Callable
) -> None:
    make_post()

    def changed(path: str, old: str, new: str) -> Any:
        content = client.get(path).content.decode()
        assert old in content, (path, old)
        return etree.fromstring(content.replace(old, new).encode())

    for path, old, new in (("/sitemap.xml", "<loc>", "<loc>\n<b/>"), ("/sitemap-lists-1.xml", "T", "t")):
        assert not sitemap_schema.validate(changed(path, old, new)), path
    for old, new in (
        ("<updated>", "<updated>on "),
        ('href="http', 'href="'),
        ("<id>http", "<id>"),
        ("<entry>", "<entry><b/>"),
    ):
        assert not relax_ng("atom").validate(changed("/feed/atom/", old, new)), old
    for old, new in (
        ("<pubDate>", "<pubDate>on "),
        ("<link>http", "<link>"),
        ("<item>", "<item><b/>"),
        (' version="2.0"', ""),
    ):
        assert not relax_ng("rss").validate(changed("/feed/", old, new)), old
    for name, value in (("version", "2"), ("home_page_url", "nowhere"), ("items", [{"url": "http://x.example/"}])):
        assert list(json_feed_schema.iter_errors({**client.get("/feed/json/").json(), name: value})), name
