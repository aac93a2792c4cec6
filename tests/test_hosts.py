"""Which names the blog answers to, and that nothing a request says of its name is believed or kept."""

import logging
import re
import urllib.error
import urllib.request
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client, override_settings

from apps.core.http.hosts import absolute, is_ours
from apps.core.pages.page_cache import pages
from apps.posts.pages.sitemaps import ADDRESSES_PER_FILE
from tests.factories import make_comment, make_post
from tests.services import BlogServer, site_settings


def answered(host: str, listening: str = "8000", *, fleet: bool = False, **environ: str) -> bool:
    """Whether a blog with that environment answers to the host."""
    made = site_settings(**{"SITE_URL": ""} | environ, **({"REDIS_URL": "redis://127.0.0.1/0"} if fleet else {}))
    with override_settings(SITE_URL=made.SITE_URL, LISTED_HOSTS=made.LISTED_HOSTS, REDIS_URL=made.REDIS_URL):
        return is_ours(host, listening)


@pytest.mark.parametrize("host, expected", [
    ("blog.example.com", True), ("BLOG.Example.COM", True), ("blog.example.com.", True), ("blog.example.com:443", True),
    ("blog.example.com:80", True), ("blog.example.com:8443", False), ("blog.example.com:1", False),
    ("www.example.com", False), ("evil.example", False), ("", False), ("blog.example.com:x", False),
    ("blog.example.com@evil.example", False), ("blog.example.com/evil", False), ("x" * 5000, False),
    ("blog.example.com:443:443", False), ("\ud800", False),
])  # fmt: skip
def test_the_name_of_site_url_with_its_port(host: str, expected: bool) -> None:
    for fleet in (True, False):
        assert answered(host, "8000", fleet=fleet, SITE_URL="https://blog.example.com") == expected


@pytest.mark.parametrize("host, expected", [
    ("one.example.org", True), ("one.example.org:443", True), ("one.example.org:8080", False),
    ("two.lan:8080", True), ("two.lan", False), ("two.lan:8081", False), ("TWO.lan.:8080", True),
    ("any.wild.example", True), ("wild.example", True), ("notwild.example", False), ("a.wild.example:81", False),
    ("[2001:db8::5]:8080", True), ("[2001:db8::5]", False), ("[2001:db8::6]", True), ("[2001:DB8::6]:80", True),
])  # fmt: skip
def test_listed_names_with_and_without_ports(host: str, expected: bool) -> None:
    listed = "one.example.org, two.lan:8080,.wild.example,[2001:db8::5]:8080,[2001:db8::6]"
    assert answered(host, "8000", fleet=True, SITE_URL="https://blog.example.com", ALLOWED_HOSTS=listed) == expected


def test_a_blog_of_one_answers_on_the_port_where_it_listens() -> None:
    for host in ("localhost:8123", "127.0.0.1:8123", "[::1]:8123", "localhost:8000"):
        assert answered(host, "8123")
    for host in ("localhost:8124", "127.0.0.1", "[::2]:8123", "example.com:8123"):
        assert not answered(host, "8123")
    # A name at home, for which nobody sets a port.
    assert answered("blog.lan:8123", "8123", ALLOWED_HOSTS="blog.lan")
    assert not answered("blog.lan:8124", "8123", ALLOWED_HOSTS="blog.lan")
    # A fleet with a name is asked by its name.
    assert not answered("127.0.0.1:8123", "8123", fleet=True, SITE_URL="https://blog.example.com")
    assert answered("anything:9", "8123", ALLOWED_HOSTS="*")


def test_a_chinese_name_is_asked_for_as_browsers_write_it() -> None:
    written = "博客.example".encode("idna").decode()
    assert written.startswith("xn--") and answered(written, SITE_URL="https://博客.example")
    assert not answered(written, SITE_URL="https://别的.example")


@pytest.mark.django_db
def test_a_foreign_name_is_refused_at_the_door_and_told_once(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    for path in ("/", "/feed/", "/stats/view", "/admin/login/", "/static/js/theme.js"):
        answer = client.get(path, HTTP_HOST="evil.example:99")
        assert answer.status_code == 400 and not answer.cookies and "ALLOWED_HOSTS" not in answer.content.decode()
    told = [record.getMessage() for record in caplog.records if "ALLOWED_HOSTS" in record.getMessage()]
    assert len(told) == 1 and "evil.example:99" in told[0] and "SITE_URL" in told[0]


@pytest.mark.django_db
def test_addresses_come_from_site_url_whatever_the_request_says(client: Client, settings: Any) -> None:
    settings.SITE_URL = "https://blog.example.com"
    settings.LISTED_HOSTS = settings.ALLOWED_HOSTS = ["other.example"]
    post = make_post(tags=("news",))
    make_comment(post)
    paths = [
        *("/", post.get_absolute_url(), "/tag/news/", "/robots.txt", "/sitemap.xml"),
        f"/sitemap-posts-{(post.pk - 1) // ADDRESSES_PER_FILE + 1}.xml",
        *("/feed/", "/feed/atom/", "/feed/json/", "/tag/news/feed/", "/comments/feed/", "/comments/feed/atom/"),
        f"/article/{post.pk}/comments/feed/",
    ]
    for path in paths:
        text = client.get(path, HTTP_HOST="other.example", HTTP_X_FORWARDED_HOST="third.example").content.decode()
        assert absolute("/") in text, path
        assert not re.search(r"other\.example|third\.example|testserver", text), path


@pytest.mark.django_db(transaction=True)
def test_names_ports_and_unknown_queries_make_no_key(client: Client, settings: Any) -> None:
    settings.LISTED_HOSTS = ["*"]
    settings.ALLOWED_HOSTS = ["*"]
    post = make_post()
    category = post.category.get_absolute_url()
    paths = [
        *("/", "/?page=1", post.get_absolute_url(), category, "/archive/", "/links/", "/feed/", "/feed/json/"),
        *(f"{category}feed/", f"/article/{post.pk}/comments/feed/", "/comments/feed/"),
    ]
    plain = {path: client.get(path).content for path in paths}
    kept, keys = len(pages), len(keys_in_cache())
    for number in range(50):
        for path in paths:
            asked = f"{path}{'&' if '?' in path else '?'}x{number}={number}&variant"
            answer = client.get(asked, HTTP_HOST=f"testserver:{1000 + number}")
            assert answer.content == plain[path], asked
        slug = f"/category/{post.category_id}/slug-{number}/feed/"
        assert client.get(slug, HTTP_HOST=f"name{number}.example").status_code == 301
    assert (len(pages), len(keys_in_cache())) == (kept, keys)


def keys_in_cache() -> list[str]:
    assert isinstance(cache._connections["default"], LocMemCache)
    return list(cache._cache)


def test_a_blog_without_site_url_names_itself_by_the_port_where_it_was_started() -> None:
    server = BlogServer()
    del server.env["SITE_URL"]
    with server:
        with urllib.request.urlopen(f"{server.url}/robots.txt", timeout=20) as answer:
            assert f"Sitemap: {server.url}/sitemap.xml" in answer.read().decode()
        asked = urllib.request.Request(f"{server.url}/", headers={"Host": f"localhost:{server.port}"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert f'<link rel="canonical" href="{server.url}/">' in answer.read().decode()
        for host in ("127.0.0.1:1", "evil.example", f"evil.example:{server.port}"):
            with pytest.raises(urllib.error.HTTPError, match="400"):
                urllib.request.urlopen(urllib.request.Request(f"{server.url}/", headers={"Host": host}), timeout=20)
        assert server.log.count("neither SITE_URL") == 1
