"""What stands in a page's head for search engines and for those who share its address."""

from collections.abc import Callable
from typing import Any

from django import template
from django.urls import reverse

from ..metadata import (
    as_data_block,
    describe_post,
    describe_site,
    is_indexable,
    language_tag,
    last_changed,
    open_graph_locale,
    shared_picture,
)
from ..models import Post
from ..plaintext import shorten

register = template.Library()

DESCRIPTION_CHARACTERS = 200
# The last page of a list that search engines shall keep; what is older they find by the sitemap. Pages of the lists
# that cut across the categories repeat what stands there.
LAST_INDEXED_PAGE = {"home": 10, "category": 10}
FEEDS = [
    ("feed", "application/rss+xml", ""),
    ("feed-atom", "application/atom+xml", " (Atom)"),
    ("feed-json", "application/feed+json", " (JSON)"),
]


@register.inclusion_tag("posts/_metadata.html", takes_context=True)
def post_metadata(context: dict[str, Any], post: Post, tags: list[tuple[str, str]]) -> dict[str, Any]:
    """The head of a post's page (1 query, when the post is or has a translation; else none)."""
    request, site = context["request"], context["site"]
    absolute, indexable = _absolute(request), is_indexable(post)
    picture = shared_picture(post, site)
    description = _description(post.excerpt)
    names = [name for name, _url in tags]
    return {
        "site": site,
        "post": post,
        "category": site.categories.get(post.category_id),
        "tags": names,
        "noindex": not indexable,
        "canonical": absolute(post.get_absolute_url()),
        "title": post.title,
        "description": description,
        "locale": open_graph_locale(post.language or site.language),
        "modified_at": last_changed(post),
        "picture": picture,
        "picture_url": absolute(picture.url) if picture else "",
        "alternates": [(tag, absolute(url)) for tag, url in _languages(post, site)] if indexable else [],
        "data": as_data_block(describe_post(post, names, site, description, picture, absolute)) if indexable else "",
    }


@register.inclusion_tag("posts/_metadata.html", takes_context=True)
def list_metadata(context: dict[str, Any]) -> dict[str, Any]:
    """The head of a list's page; reads `page`, `heading` and `introduction` where the view gave them (no query)."""
    request, site = context["request"], context["site"]
    match = request.resolver_match
    number = context["page"].number if "page" in context else 1
    canonical = request.build_absolute_uri(request.path) + (f"?page={number}" if number > 1 else "")
    title = context.get("heading", "").removeprefix("# ") or site.title
    feeds = []
    if match.url_name in {"category", "tag"}:
        kwargs = {"tag": match.kwargs["slug"]} if match.url_name == "tag" else match.kwargs
        feeds = [
            (kind, f"{title} · {site.title}{format_name}", reverse(f"posts:{match.url_name}-{name}", kwargs=kwargs))
            for name, kind, format_name in FEEDS
        ]
    at_home = match.url_name == "home"
    return {
        "site": site,
        "noindex": number > LAST_INDEXED_PAGE.get(match.url_name, 1),
        "canonical": canonical,
        "title": title,
        "description": _description(site.signature if at_home else context.get("introduction", "")),
        "locale": open_graph_locale(site.language),
        "feeds": feeds,
        "data": as_data_block(describe_site(site, request.build_absolute_uri)) if at_home and number == 1 else "",
    }


def _absolute(request: Any) -> Callable[[str], str]:
    """What build_absolute_uri would be for addresses that reverse() and the storage make, in a tenth of its time."""
    root = request.build_absolute_uri("/").removesuffix("/")
    return lambda url: url if "://" in url else root + url


def _description(text: str) -> str:
    return shorten(" ".join(text.split()), DESCRIPTION_CHARACTERS)


def _languages(post: Post, site: Any) -> list[tuple[str, str]]:
    """Tag and path of the post in each language it is in, itself included; empty when that is only one."""
    if not (post.translation_of_id or getattr(post, "is_translated", False)):
        return []
    found = {language_tag(post.language or site.language): post.get_absolute_url()}
    for text in Post.objects.translations_of(post):
        found.setdefault(language_tag(text.language or site.language), text.get_absolute_url())
    return sorted(found.items()) if len(found) > 1 else []
