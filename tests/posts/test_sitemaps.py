"""Sitemap and robots.txt."""

import datetime
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from apps.posts.models import Category, Post
from apps.posts.pages import sitemaps
from tests.factories import make_category, make_post, make_posts

pytestmark = pytest.mark.django_db

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def entries(client: Client, path: str) -> dict[str, str]:
    """Address -> lastmod, the structure held against sitemaps.org's schema."""
    response = client.get(path)
    assert response.status_code == 200 and response["Content-Type"].startswith("application/xml")
    assert response["X-Robots-Tag"] == "noindex"
    root = ElementTree.fromstring(response.content)
    kind = "sitemap" if path == "/sitemap.xml" else "url"
    assert root.tag == NAMESPACE + {"sitemap": "sitemapindex", "url": "urlset"}[kind]
    found: dict[str, str] = {}
    for entry in root:
        assert entry.tag == NAMESPACE + kind
        assert [part.tag for part in entry] in ([f"{NAMESPACE}loc"], [f"{NAMESPACE}loc", f"{NAMESPACE}lastmod"])
        address, lastmod = entry[0].text or "", entry[1].text if len(entry) > 1 else ""
        assert address.startswith("http://testserver/") and address.isascii() and len(address) < 2048
        assert address not in found
        assert not lastmod or datetime.datetime.fromisoformat(lastmod).tzinfo
        found[address.removeprefix("http://testserver")] = lastmod or ""
    assert len(found) <= sitemaps.ADDRESSES_PER_FILE or kind == "sitemap"
    return found


def everything(client: Client) -> dict[str, str]:
    return {
        path: lastmod for file in entries(client, "/sitemap.xml") for path, lastmod in entries(client, file).items()
    }


def test_the_sitemap_names_what_everybody_may_find(client: Client) -> None:
    post = make_post(title="数据库 & <b>", tags=("调优",), category=make_category("Shelf"))
    page = make_post(title="About", kind="page")
    hidden = make_category("Hidden", hidden=True)
    make_post(category=hidden)
    others = [make_post(status=status, tags=("lonely",)) for status in ("draft", "private", "unlisted")]
    others.append(make_post(password="secret"))
    others.append(make_post(published_at=timezone.now() + datetime.timedelta(days=1), tags=("later",)))
    found = everything(client)
    assert {"/", "/archive/", "/tags/", post.get_absolute_url(), page.get_absolute_url()} <= set(found)
    assert post.category.get_absolute_url() in found and post.tags.get().get_absolute_url() in found
    assert hidden.get_absolute_url() not in found
    assert not any(other.get_absolute_url() in found for other in others)
    assert not any(path.startswith(("/tag/lonely", "/tag/later", "/source/", "/search/")) for path in found)


def test_every_entry_says_when_it_changed(client: Client) -> None:
    old, new = (datetime.datetime(2026, month, 1, tzinfo=datetime.UTC) for month in (1, 5))
    shelf, empty = make_category("Shelf"), make_category("Empty")
    edited = make_post(published_at=old, updated_at=new, category=shelf, tags=("one",))
    later = make_post(published_at=new, updated_at=old)
    Post.objects.filter(pk=later.pk).update(updated_at=old)
    untouched = make_post(published_at=old, updated_at=old, category=shelf)
    found = everything(client)
    assert found[edited.get_absolute_url()] == found[later.get_absolute_url()] == "2026-05-01T00:00:00+00:00"
    assert found[untouched.get_absolute_url()] == found["/tag/one/"] == "2026-01-01T00:00:00+00:00"
    assert found[shelf.get_absolute_url()] == "2026-01-01T00:00:00+00:00"
    assert found["/"] == found["/archive/"] == "2026-05-01T00:00:00+00:00"
    assert found[empty.get_absolute_url()] == ""
    assert set(entries(client, "/sitemap.xml").values()) == {"2026-05-01T00:00:00+00:00"}


def test_files_hold_a_block_of_ids_each_and_are_no_longer_than_allowed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sitemaps.ADDRESSES_PER_FILE == 10_000
    monkeypatch.setattr(sitemaps, "ADDRESSES_PER_FILE", 5)
    posts = make_posts(23, tags=("a", "b", "c"))
    Post.objects.filter(pk__in=[post.pk for post in posts[10:18]]).update(status="draft")
    files = entries(client, "/sitemap.xml")
    blocks = {f"/sitemap-posts-{(post.pk - 1) // 5 + 1}.xml" for post in [*posts[:10], *posts[18:]]}
    assert {file for file in files if "posts" in file} == blocks
    assert {file for file in files if "lists" in file} == {"/sitemap-lists-1.xml", "/sitemap-lists-2.xml"}
    listed = [path for file in files for path in entries(client, file)]
    assert len(listed) == len(set(listed)) and sum("/article/" in path for path in listed) == 15


def test_a_file_that_is_not_there_is_a_404(client: Client) -> None:
    make_post()
    for name in (
        "posts-0",
        "posts-999999999999",
        "lists-0",
        "lists-2",
        "posts-x",
        "posts--1",
        "posts-9999999999999",
        "nothing-1",
    ):
        assert client.get(f"/sitemap-{name}.xml").status_code == 404, name


def test_an_empty_blog_has_a_valid_sitemap(client: Client) -> None:
    Category.objects.update(hidden=True)
    assert set(everything(client)) == {"/", "/archive/", "/tags/"}


def test_queries_of_the_sitemap_don_t_grow_with_the_rows(client: Client, django_assert_num_queries) -> None:
    for number in (3, 30):
        posts = make_posts(number, tags=("a", f"b{number}"), category=make_category())
        client.get("/")  # warms the components
        block = (posts[0].pk - 1) // sitemaps.ADDRESSES_PER_FILE + 1
        for path, queries in {"/sitemap.xml": 4, f"/sitemap-posts-{block}.xml": 1, "/sitemap-lists-1.xml": 3}.items():
            with django_assert_num_queries(queries):
                assert client.get(path).status_code == 200


def test_robots_txt_says_what_to_leave_and_where_the_sitemap_is(client: Client, django_assert_num_queries) -> None:
    client.get("/")
    with django_assert_num_queries(0):
        response = client.get("/robots.txt")
    assert response["Content-Type"].startswith("text/plain")
    lines = response.content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /admin/", "Disallow: /stats/", "Sitemap: http://testserver/sitemap.xml"} <= set(lines)
    # A page that says noindex has to be readable; the others are, of course.
    assert not any(
        line.startswith(("Disallow: /search", "Disallow: /article")) or line == "Disallow: /" for line in lines
    )
    assert client.get("/favicon.ico").status_code == 200
