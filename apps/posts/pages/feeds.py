"""RSS, Atom and JSON Feed of the site, a category or a tag: the newest posts in full."""

import datetime
import hashlib
import time
from typing import Any, cast

from django.contrib.syndication.views import Feed
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import Enclosure
from django.utils.http import http_date, quote_etag

from apps.core.db.replicas import from_replica
from apps.core.http.cache_policy import OWN, SHARED, is_anonymous
from apps.core.http.hosts import absolute
from apps.core.http.request_info import BlogRequest
from apps.core.pages.site import Shelf

from ..languages import language_tag, shown_name
from ..models import Post
from .feed_formats import AtomFormat, JsonFormat, RssFormat, with_absolute_links
from .metadata import author_name, content_type, last_changed
from .old_addresses import renamed_tag, right_address

POSTS_PER_FEED = 20
EDITION_KEPT_SECONDS = 30 * 24 * 3600


class SiteFeed(Feed):
    """A feed that is the same for all readers, in the site's language, and answers 304 while nothing has changed."""

    end = ""  # of its address
    kept = SHARED  # by whom and how long, when the reader has no session
    shows_the_site = True  # as apps.core.http.cache_policy has it: the address alone says what stands in it
    request: BlogRequest

    def __call__(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        # One feed object serves every request at once: what belongs to this one goes into a copy.
        return from_replica(self.__class__()._respond)(cast(BlogRequest, request), **kwargs)

    def find(self, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Look up what the address names; return where it leads when it is not the right one. Raises Http404."""

    def own_path(self) -> str:
        """Return the feed's one address."""
        raise NotImplementedError

    def feed_url(self, of: object) -> str:
        return absolute(self.own_path())

    def _respond(self, request: BlogRequest, **kwargs: str) -> HttpResponse:
        self.request = request
        if elsewhere := self.find(**kwargs):
            return elsewhere
        self.language = language_tag(request.site.language)
        with translation.override(request.site.language):
            response = super().__call__(request)
        digest = hashlib.sha256(response.content).hexdigest()[:32]
        first_seen = _first_seen(self.own_path(), digest)
        response.headers["ETag"] = quote_etag(digest)
        # Django's own knows nothing of a deleted post.
        response.headers["Last-Modified"] = http_date(first_seen)
        response.headers["Content-Language"] = self.language
        response.headers["Cache-Control"] = kept = self.kept if is_anonymous(request) else OWN
        if kept == SHARED:  # PublicPageMiddleware keeps it whole, and tells who has it already
            return response
        return get_conditional_response(request, response.headers["ETag"], first_seen, response) or response


class PostFeed(SiteFeed):
    """The newest 20 public posts (1 query). A post behind a password stands there without its text."""

    shelf: Shelf | None = None  # a category or tag of the snapshot
    of_tag = False

    def find(self, pk: str = "", slug: str = "", tag: str = "") -> HttpResponse | None:
        self.of_tag = bool(tag)
        if pk or tag:
            site = self.request.site
            self.shelf = (site.tags.get(tag) or renamed_tag(site, tag)) if tag else site.categories.get(int(pk))
            if self.shelf is None:
                raise Http404("No such feed.")
        return right_address(self.request, self.own_path())  # or each slug would be a page of its own

    # -- The feed --------------------------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest) -> Shelf | None:
        return self.shelf

    def title(self, shelf: Shelf) -> str:
        title = self.request.site.title
        return f"{self._name(shelf)} · {title}" if shelf else title

    def description(self, shelf: Shelf) -> str:
        tagline = shown_name("tagline", self.request.site.signature)
        return (shelf.introduction if shelf and not self.of_tag else tagline) or self.title(shelf)

    subtitle = description

    def link(self, shelf: Shelf) -> str:
        return absolute(shelf.url if shelf else "/")

    def own_path(self) -> str:
        return f"{self.shelf.url if self.shelf else '/'}feed/{self.end}"

    def feed_guid(self, shelf: Shelf) -> str:
        # As with the posts, a new name is the same feed.
        return absolute(f"/category/{shelf.pk}") if shelf and not self.of_tag else self.link(shelf)

    def _name(self, shelf: Shelf) -> str:
        return shelf.name if self.of_tag else shown_name("category", shelf.name)

    # -- Its items -------------------------------------------------------------------------------------------------

    def items(self, shelf: Shelf) -> QuerySet[Post]:
        posts = Post.objects.for_feed()
        if shelf:
            posts = posts.tagged(shelf.pk) if self.of_tag else posts.in_category(shelf.pk)
        return posts[:POSTS_PER_FEED]

    def item_title(self, post: Post) -> str:
        return post.title

    def item_description(self, post: Post) -> str:
        return post.excerpt

    def item_link(self, post: Post) -> str:
        return absolute(post.get_absolute_url())

    def item_guid(self, post: Post) -> str:
        # The address without the slug: a new title is the same post.
        return absolute(f"/article/{post.pk}")

    item_guid_is_permalink = False

    def item_pubdate(self, post: Post) -> datetime.datetime | None:
        return post.published_at

    def item_updateddate(self, post: Post) -> datetime.datetime | None:
        return last_changed(post)

    def item_author_name(self, post: Post) -> str:
        return author_name(post, self.request.site)

    def item_categories(self, post: Any) -> list[str]:
        category = self.request.site.categories.get(post.category_id)
        return [
            *([shown_name("category", category.name)] if category else []),
            *sorted(filter(None, post.tag_names.removeprefix("\n").split(",\n"))),
        ]

    def item_enclosures(self, post: Post) -> list[Enclosure]:
        """The cover with its type and length; none when its file is gone."""
        try:
            length = post.cover.size if post.cover else 0
        except (OSError, ValueError):  # ValueError: a path that leads out of the storage
            length = 0
        return [Enclosure(absolute(post.cover.url), str(length), content_type(post.cover.name))] if length else []

    def item_extra_kwargs(self, post: Post) -> dict[str, str | None]:
        html = None if post.password else with_absolute_links(post.html, absolute(post.get_absolute_url()))
        return {
            "content_html": html,
            "language": language_tag(post.language) if post.language else "",
        }


class RssFeed(PostFeed):
    feed_type = RssFormat


class AtomFeed(PostFeed):
    end = "atom/"
    feed_type = AtomFormat


class JsonFeed(PostFeed):
    end = "json/"
    feed_type = JsonFormat


def _first_seen(path: str, digest: str) -> int:
    """When this edition of the feed was first asked for, in seconds since 1970: its Last-Modified.

    The newest post's own time won't do, because a post that is deleted or gets a password changes the feed and leaves
    no time behind. An edition within the same second as the one before counts as a second later. Where it isn't known
    (a restart, a cache that forgot) it is now: the feed is sent once more than needed, never once too few.
    """
    key = f"feed-{hashlib.sha256(path.encode()).hexdigest()[:32]}"
    known = cache.get(key)
    if known is None or known[0] != digest:
        known = (digest, max(int(time.time()), known[1] + 1 if known else 0))
        cache.set(key, known, EDITION_KEPT_SECONDS)
    seconds: int = known[1]
    return seconds
