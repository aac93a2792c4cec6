"""Elements of a page's head for search engines and for those who share its address."""

import datetime
from html import escape

from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.utils.safestring import SafeString
from jinja2 import pass_context
from jinja2.runtime import Context

from apps.core.http.hosts import absolute
from apps.core.pages.site import Snapshot

from ..languages import language_tag, open_graph_locale, shown_name
from ..models import Post
from ..rendering.plaintext import shorten
from .metadata import (
    SharedPicture,
    as_data_block,
    describe_post,
    describe_site,
    last_changed,
    shared_picture,
)
from .post_page import PostPage

DESCRIPTION_CHARACTERS = 200
# The last page of a list that search engines shall keep; what is older they find by the sitemap. Pages of the lists
# that cut across the categories repeat what stands there.
LAST_INDEXED_PAGE = {"home": 10, "category": 10}
FEEDS = [
    ("feed", "application/rss+xml", ""),
    ("feed-atom", "application/atom+xml", " (Atom)"),
    ("feed-json", "application/feed+json", " (JSON)"),
]


@pass_context
def post_head(context: Context, page: PostPage) -> SafeString:
    """The head of a post's page."""
    post = page.post
    site = context["site"]
    indexable = post.is_public
    picture = shared_picture(post, site)
    description = _description(post.excerpt)
    article = [("published_time", _moment(post.published_at)), ("modified_time", _moment(last_changed(post)))]
    if post.kind == Post.Kind.POST:
        category = site.categories.get(post.category_id)
        article += [
            ("section", shown_name("category", category.name) if category else ""),
            *(("tag", name) for name, _url in page.tags),
        ]
    return _head(
        site,
        indexable=indexable,
        canonical=absolute(post.get_absolute_url()),
        title=post.title,
        description=description,
        language=post.language,
        links=[_alternate(tag, absolute(url)) for tag, url in _languages(page, site)] if indexable else [],
        picture=picture,
        picture_url=absolute(picture.url) if picture else "",
        article=article,
        data=as_data_block(describe_post(page, site, description, picture)) if indexable else "",
    )


@pass_context
def list_head(context: Context) -> SafeString:
    """The head of a list's page; reads `page`, `heading` and `introduction` where the view gave them (no query)."""
    request, site = context["request"], context["site"]
    match = request.resolver_match
    number = context["page"].number if "page" in context else 1
    canonical = absolute(iri_to_uri(request.path)) + (f"?page={number}" if number > 1 else "")
    title = context.get("heading", "").removeprefix("# ") or site.title
    feeds = []
    if match.url_name in {"category", "tag"}:
        kwargs = {"tag": match.kwargs["slug"]} if match.url_name == "tag" else match.kwargs
        feeds = [
            _feed(kind, f"{title} · {site.title}{ending}", reverse(f"posts:{match.url_name}-{name}", kwargs=kwargs))
            for name, kind, ending in FEEDS
        ]
    at_home = match.url_name == "home"
    return _head(
        site,
        indexable=number <= LAST_INDEXED_PAGE.get(match.url_name, 1),
        canonical=canonical,
        title=title,
        description=_description(shown_name("tagline", site.signature) if at_home else context.get("introduction", "")),
        links=feeds,
        data=as_data_block(describe_site(site)) if at_home and number == 1 else "",
    )


def _head(
    site: Snapshot,
    *,
    indexable: bool,
    canonical: str,
    title: str,
    description: str,
    language: str = "",
    links: list[str],
    picture: SharedPicture | None = None,
    picture_url: str = "",
    article: list[tuple[str, str]] | None = None,
    data: str,
) -> SafeString:
    """The elements, one a line; `article` is of a post alone."""
    pictured = []
    if picture:
        size = [("width", str(picture.width)), ("height", str(picture.height))] if picture.width else []
        pictured = [("", picture_url), ("type", picture.content_type), *size, ("alt", title)]
    properties = [
        ("og:site_name", site.title),
        ("og:type", "website" if article is None else "article"),
        ("og:title", title),
        ("og:url", canonical),
        ("og:description", description),
        ("og:locale", open_graph_locale(language or site.language)),
        *((f"og:image:{name}".rstrip(":"), value) for name, value in pictured),
        *((f"article:{name}", value) for name, value in article or []),
    ]
    elements = [
        "" if indexable else '<meta name="robots" content="noindex, follow">',
        f'<link rel="canonical" href="{escape(canonical)}">',
        f'<meta name="description" content="{escape(description)}">' if description else "",
        *links,
        *(f'<meta property="{name}" content="{escape(value)}">' for name, value in properties if value),
        f'<meta name="twitter:card" content="{"summary_large_image" if picture else "summary"}">',
        f'<script type="application/ld+json">{data}</script>' if data else "",
    ]
    return SafeString("\n  ".join(filter(None, elements)))


def _alternate(language: str, address: str) -> str:
    return f'<link rel="alternate" hreflang="{language}" href="{escape(address)}">'


def _feed(kind: str, name: str, address: str) -> str:
    return f'<link rel="alternate" type="{kind}" title="{escape(name)}" href="{escape(address)}">'


def _moment(at: datetime.datetime | None) -> str:
    return timezone.localtime(at, timezone.get_default_timezone()).isoformat() if at else ""


def _description(text: str) -> str:
    return shorten(" ".join(text.split()), DESCRIPTION_CHARACTERS)


def _languages(page: PostPage, site: Snapshot) -> list[tuple[str, str]]:
    """Tag and path of the post in each language it is in, itself included; empty when that is only one."""
    texts = [(page.post.language, page.post.get_absolute_url()), *page.translations]
    found: dict[str, str] = {}
    for language, url in texts:
        found.setdefault(language_tag(language or site.language), url)
    return sorted(found.items()) if len(found) > 1 else []
