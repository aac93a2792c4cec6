"""How long others may keep each answer: what is withdrawn must be gone within a second, from where we can't take it."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django.utils.cache import cc_delim_re

from apps.posts.addresses import TAKEN_SLUGS
from apps.posts.models import Post
from apps.posts.pages.sitemaps import ADDRESSES_PER_FILE
from tests.factories import make_category, make_comment, make_post

database_test = pytest.mark.django_db(transaction=True)

MOST_SECONDS = 1
# Their words are nobody's: files named by their content, and the looks of the site.
FOR_LONGER = {"^static/(?P<path>.+)$", "^media/(?P<path>.+)$", "favicon.ico", "^style-(?P<digest>[0-9a-z]+)\\.css$"}
# Values for a pattern's groups.
GROUPS = {
    "pk": "{post}",
    "reference": "{post}",
    "floor": "1",
    "slug": "{slug}",
    "number": "1",
    "year": "{year}",
    "month": "{month}",
    "digest": "x",
    "path": "x",
}
QUERIES = {"/comment/floors/": "?after=0&to=1", "/comment/": "?part", "/search/": "?q=word", "/suggest/": "?q=word"}


def patterns(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """The pattern of every address there is."""
    for one in resolver.url_patterns:
        own = str(one.pattern)
        if isinstance(one, URLResolver):
            if before + own == "admin/":  # for who is signed in; its front door stands for it
                yield "admin/"
            else:
                yield from patterns(one, before + own)
        elif isinstance(one, URLPattern):
            yield before + own


def example(pattern: str, known: dict[str, str]) -> str:
    """An address that the pattern answers; a group of a new name needs a line in GROUPS."""
    text = pattern.removeprefix("^").removesuffix("$").replace(f"(?!(?:{'|'.join(TAKEN_SLUGS)})/$)", "")
    text = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", lambda group: GROUPS[group[1]], text)
    text = re.sub(r"<str:(\w+)>", "tagged", text)
    text = re.sub(r"\(\?:([^()]*)\)\?", "", text).replace("/?", "/").replace("\\.", ".")
    address = "/" + text
    if "category/" in address or "type/" in address:
        address = address.replace("{post}", "{category}").replace("{slug}", "{category_slug}")
    address = address.replace("source/{post}", "source/1").replace("sitemap-posts-1", "sitemap-posts-{block}")
    address = address.format(**known)
    return address + next((query for end, query in QUERIES.items() if address.endswith(end)), "")


@pytest.fixture
def known() -> dict[str, str]:
    shelf = make_category("Shelf")
    post = make_post(title="word", category=shelf, tags=("tagged",))
    make_comment(post)
    published = timezone.localtime(post.published_at, timezone.get_default_timezone())
    return {
        "post": str(post.pk),
        "slug": post.slug,
        "block": str((post.pk - 1) // ADDRESSES_PER_FILE + 1),
        "year": f"{published:%Y}",
        "month": f"{published:%m}",
        "category": str(shelf.pk),
        "category_slug": shelf.slug,
    }


def every_pattern() -> set[str]:
    return set(patterns(get_resolver()))


def directives(header: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in cc_delim_re.split(header.lower()) if part)
    return {name.strip(): value.strip('"') for name, _equals, value in pairs}


def assert_is_gone_in_a_second(response, address: str) -> None:
    said = directives(response.headers.get("Cache-Control", ""))
    assert said, f"{address} leaves its lifetime to others ({response.status_code})"
    assert not said.keys() & {"stale-if-error", "stale-while-revalidate", "immutable"}, address
    assert not {name for name in response.headers if name.lower() in {"expires", "cdn-cache-control"}} or (
        "no-store" in said or "no-cache" in said
    ), address
    if said.keys() & {"no-store", "no-cache"}:
        return
    assert int(said["max-age"]) == 0, f"{address}: a browser asks each time"
    if "private" not in said:
        # s-maxage forbids an old copy, too (RFC 9111, 5.2.2.10).
        assert int(said["s-maxage"]) <= MOST_SECONDS, address


@database_test
def test_no_cache_shows_for_longer_than_a_second_what_was_withdrawn(client: Client, known: dict[str, str]) -> None:
    nothing = set()
    for pattern in every_pattern() - FOR_LONGER:
        address = example(pattern, known)
        response = client.get(address)
        if response.status_code not in {200, 301}:
            nothing.add(pattern)
        if response.status_code not in {400, 405}:
            assert_is_gone_in_a_second(response, address)
        if "ETag" in response.headers:
            again = client.get(address, headers={"if-none-match": response.headers["ETag"]})
            assert again.status_code == 304
            assert_is_gone_in_a_second(again, address)
    # The examples are real ones: what answers with nothing is the owner's, takes only a POST, or has a token.
    for word in (
        "admin/",
        "setup/",
        "mail/",
        "undo",
        "mine",
        "edit",
        "delete",
        "held",
        "moderate",
        "preview",
        "reactions",
        "language",
    ):
        nothing = {pattern for pattern in nothing if word not in pattern}
    assert not nothing


@database_test
@pytest.mark.parametrize("fields", [{"status": "draft"}, {"status": "private"}, {"password": "x"}])
def test_what_stands_in_place_of_a_post_is_kept_no_longer(
    client: Client, known: dict[str, str], fields: dict[str, str]
) -> None:
    addresses = [example(pattern, known) for pattern in sorted(every_pattern()) if "article/" in pattern]
    post = Post.objects.get(pk=known["post"])
    for name, value in fields.items():
        setattr(post, name, value)
    post.save()
    for address in addresses:
        response = client.get(address)
        if response.status_code not in {400, 405}:
            assert_is_gone_in_a_second(response, address)
