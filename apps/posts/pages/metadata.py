"""Data for programs about a post, in pages and feeds: its language, author and picture, and JSON-LD.

JSON-LD follows https://schema.org/BlogPosting and https://developers.google.com/search/docs/appearance/structured-data.
"""

import datetime
import json
import mimetypes
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from apps.core.http.hosts import absolute
from apps.core.pages.site import Snapshot

from ..languages import language_tag, shown_name
from ..media.share_drawing import SIZE, can_draw
from ..media.share_images import share_image_url
from ..models import Post
from ..people import display_name
from .post_page import PostPage

# In a data block: no `</script>`, no `<!--`, and nothing an XHTML parser would take for an entity.
_JSON_ESCAPES = [("<", "\\u003C"), (">", "\\u003E"), ("&", "\\u0026")]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class SharedPicture:
    """The image of a shared link; the address is relative to the site."""

    url: str
    content_type: str
    width: int | None
    height: int | None


def author_name(post: Post, site: Snapshot) -> str:
    """Return the author's full name, else the account's, else the site's title."""
    return display_name(post.author) if post.author else site.title


def last_changed(post: Post) -> datetime.datetime | None:
    """Return when readers could last see something new: an edit, or a publication that came after it."""
    return max((moment for moment in (post.published_at, post.updated_at) if moment), default=None)


def content_type(name: str | None) -> str:
    return mimetypes.guess_type(name or "", strict=False)[0] or "application/octet-stream"


def shared_picture(post: Post, site: Snapshot) -> SharedPicture | None:
    """Return the cover, else the share image drawn for the post; None for posts that are not public."""
    if post.cover:
        return SharedPicture(post.cover.url, content_type(post.cover.name), post.cover_width, post.cover_height)
    if not post.is_public or not can_draw():
        return None
    return SharedPicture(share_image_url(post, site), "image/png", *SIZE)


def as_data_block(data: dict[str, object]) -> SafeString:
    """Return the data as JSON that nothing inside can end the script element of."""
    written = _encode(data)
    for sign, escaped in _JSON_ESCAPES:
        written = written.replace(sign, escaped)
    return SafeString(written)


def describe_post(page: PostPage, site: Snapshot, description: str, picture: SharedPicture | None) -> dict[str, object]:
    """Return the JSON-LD of a post with the way that leads to it (no query)."""
    post = page.post
    published, changed = post.published_at, last_changed(post)
    address = absolute(post.get_absolute_url())
    publisher = {"@type": "Organization", "name": site.title, "url": absolute("/")}
    posting: dict[str, object] = {
        "@type": "BlogPosting" if post.kind == Post.Kind.POST else "WebPage",
        "@id": address,
        "url": address,
        "mainEntityOfPage": address,
        "headline": post.title,
        "name": post.title,
        "description": description,
        "image": absolute(picture.url) if picture else "",
        "datePublished": published.isoformat() if published else "",
        "dateModified": changed.isoformat() if changed else "",
        "inLanguage": language_tag(post.language or site.language),
        "author": {"@type": "Person", "name": page.author} if page.author else publisher,
        "publisher": publisher,
    }
    way = [(site.title, "/"), (post.title, post.get_absolute_url())]
    if post.kind == Post.Kind.POST:
        if post.category_id and (category := site.categories.get(post.category_id)):
            posting["articleSection"] = name = shown_name("category", category.name)
            way.insert(1, (name, category.url))
        posting["keywords"] = [name for name, _url in page.tags]
    crumbs = [
        {"@type": "ListItem", "position": position, "name": name, "item": absolute(url)}
        for position, (name, url) in enumerate(way, 1)
    ]
    told = {name: value for name, value in posting.items() if value}
    return {
        "@context": "https://schema.org",
        "@graph": [told, {"@type": "BreadcrumbList", "itemListElement": crumbs}],
    }


def describe_site(site: Snapshot) -> dict[str, object]:
    """Return the JSON-LD of the home page: the site with its search, and the blog."""
    home = absolute("/")
    common = {"url": home, "name": site.title, "inLanguage": language_tag(site.language)}
    if site.signature:
        common["description"] = shown_name("tagline", site.signature)
    target = {"@type": "EntryPoint", "urlTemplate": absolute(reverse("posts:search")) + "?q={search_term_string}"}
    search = {"@type": "SearchAction", "target": target, "query-input": "required name=search_term_string"}
    return {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebSite", "@id": f"{home}#site", "potentialAction": search, **common},
            {"@type": "Blog", "@id": f"{home}#blog", "isPartOf": {"@id": f"{home}#site"}, **common},
        ],
    }
