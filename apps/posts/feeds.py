"""RSS, Atom and JSON Feed of the site, a category or a tag: the newest posts in full."""

import datetime
import hashlib
import time
from typing import Any, cast

from django.contrib.syndication.views import Feed
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Enclosure
from django.utils.http import quote_etag
from django.views.decorators.http import condition

from blog_xtg.client import BlogRequest
from blog_xtg.public import OWN, SHARED, is_anonymous

from .feed_formats import AtomFormat, JsonFormat, RssFormat, with_absolute_links
from .metadata import author_name, content_type, language_tag, last_changed
from .models import Category, Post, Tag

POSTS_PER_FEED = 20
FEED_VERSION = 1  # goes up when the same posts are told in another way
EDITION_KEPT_SECONDS = 30 * 24 * 3600


class PostFeed(Feed):
    """The newest 20 public posts, the same for all readers, in the site's language.

    4 queries, and 1 more for a category or tag; an unchanged feed answers 304 after 2 small ones (or 3). A post behind
    a password stands there without its text.
    """

    name = "feed"  # of the address
    request: BlogRequest
    shelf: Category | Tag | None = None
    ids: list[int]

    def __call__(self, request: HttpRequest, pk: str = "", slug: str = "", tag: str = "") -> HttpResponse:
        # One feed object serves every request at once: what belongs to this one goes into a copy.
        return self.__class__()._respond(cast(BlogRequest, request), pk, tag)

    def _respond(self, request: BlogRequest, pk: str, tag: str) -> HttpResponse:
        self.request = request
        if pk:
            self.shelf = get_object_or_404(Category, pk=pk)
        elif tag:
            self.shelf = get_object_or_404(Tag, slug=tag)
        self.language = language_tag(request.site.language)
        digest = self._digest()
        first_seen = _first_seen(request.build_absolute_uri(request.path), digest)

        @condition(etag_func=lambda _request: quote_etag(digest), last_modified_func=lambda _request: first_seen)
        def respond(_request: HttpRequest) -> HttpResponse:
            response = super(PostFeed, self).__call__(_request)
            del response.headers["Last-Modified"]  # Django's knows nothing of a deleted post
            return response

        response = respond(request)
        response.headers["Content-Language"] = self.language
        response.headers["Cache-Control"] = SHARED if is_anonymous(request) else OWN
        return response

    def _digest(self) -> str:
        """What names this edition of the feed: a digest of all that it is made from (2 queries)."""
        site, request = self.request.site, self.request
        told = (FEED_VERSION, self.name, request.build_absolute_uri("/"), site.title, site.signature, site.language)
        shelf = (self.title(self.shelf), self.description(self.shelf), self.link(self.shelf))
        posts = Post.objects.all()
        if isinstance(self.shelf, Category):
            posts = posts.in_category(self.shelf)
        elif self.shelf:
            posts = posts.tagged(self.shelf)
        self.ids = posts.ids_for_feed(POSTS_PER_FEED)
        rows = list(Post.objects.for_feed_edition(self.ids))
        return hashlib.sha256(repr((told, shelf, rows)).encode()).hexdigest()[:32]

    def _address(self, path: str) -> str:
        return self.request.build_absolute_uri(path)

    # -- The feed --------------------------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest) -> Category | Tag | None:
        return self.shelf

    def title(self, shelf: Category | Tag | None) -> str:
        title = self.request.site.title
        return f"{shelf.name} · {title}" if shelf else title

    def description(self, shelf: Category | Tag | None) -> str:
        told = shelf.introduction if isinstance(shelf, Category) else self.request.site.signature
        return told or self.title(shelf)

    subtitle = description

    def link(self, shelf: Category | Tag | None) -> str:
        return shelf.get_absolute_url() if shelf else "/"

    def feed_url(self, shelf: Category | Tag | None) -> str:
        if isinstance(shelf, Category):
            return reverse(f"posts:category-{self.name}", args=[shelf.pk, shelf.slug])
        return reverse(f"posts:tag-{self.name}", args=[shelf.slug]) if shelf else reverse(f"posts:{self.name}")

    def feed_guid(self, shelf: Category | Tag | None) -> str:
        # As with the posts, a new name is the same feed.
        return self._address(f"/category/{shelf.pk}" if isinstance(shelf, Category) else self.link(shelf))

    # -- Its items -------------------------------------------------------------------------------------------------

    def items(self, shelf: Category | Tag | None) -> QuerySet[Post]:
        return Post.objects.for_feed(self.ids)

    def item_title(self, post: Post) -> str:
        return post.title

    def item_description(self, post: Post) -> str:
        return post.excerpt

    def item_guid(self, post: Post) -> str:
        # The address without the slug: a new title is the same post.
        return self._address(f"/article/{post.pk}")

    item_guid_is_permalink = False

    def item_pubdate(self, post: Post) -> Any:
        return post.published_at

    def item_updateddate(self, post: Post) -> Any:
        return last_changed(post)

    def item_author_name(self, post: Post) -> str:
        return author_name(post, self.request.site)

    def item_categories(self, post: Post) -> list[str]:
        return [post.category.name, *(tag.name for tag in post.tags.all())]

    def item_enclosures(self, post: Post) -> list[Enclosure]:
        """The cover with its type and length; none when its file is gone."""
        try:
            length = post.cover.size if post.cover else 0
        except (OSError, ValueError):  # ValueError: a path that leads out of the storage
            length = 0
        return [Enclosure(self._address(post.cover.url), str(length), content_type(post.cover.name))] if length else []

    def item_extra_kwargs(self, post: Post) -> dict[str, Any]:
        html = None if post.password else with_absolute_links(post.html, self._address(post.get_absolute_url()))
        return {
            "content_html": html,
            "language": language_tag(post.language) if post.language else "",
        }


class RssFeed(PostFeed):
    feed_type = RssFormat


class AtomFeed(PostFeed):
    name = "feed-atom"
    feed_type = AtomFormat


class JsonFeed(PostFeed):
    name = "feed-json"
    feed_type = JsonFormat


def _first_seen(address: str, digest: str) -> datetime.datetime:
    """When this edition of the feed was first asked for: its Last-Modified.

    The newest post's own time won't do, because a post that is deleted or gets a password changes the feed and leaves
    no time behind. An edition within the same second as the one before counts as a second later. Where it isn't known
    (a restart, a cache that forgot) it is now: the feed is sent once more than needed, never once too few.
    """
    key = f"feed-{hashlib.sha256(address.encode()).hexdigest()[:32]}"
    known = cache.get(key)
    if known is None or known[0] != digest:
        known = (digest, max(int(time.time()), known[1] + 1 if known else 0))
        cache.set(key, known, EDITION_KEPT_SECONDS)
    return datetime.datetime.fromtimestamp(known[1], datetime.UTC)
