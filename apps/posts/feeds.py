"""RSS, Atom and JSON Feed of the site, a category or a tag: the newest posts in full."""

import json
import re
from typing import Any, cast

from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed

from blog_xtg.client import BlogRequest

from .models import Category, Post, Tag

POSTS_PER_FEED = 20

# Sanitized HTML quotes its attributes alike; an address of this site begins with one slash.
_OWN_ADDRESS = re.compile(r'( (?:href|src|poster)=")/(?!/)')


class JsonFeedGenerator(SyndicationFeed):
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

    content_type = "application/feed+json; charset=utf-8"

    def write(self, outfile: Any, encoding: str) -> None:
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.feed["title"],
            "home_page_url": self.feed["link"],
            "feed_url": self.feed["feed_url"],
            "description": self.feed["description"],
            "language": self.feed["language"],
            "items": [
                {
                    "id": item["unique_id"],
                    "url": item["link"],
                    "title": item["title"],
                    "content_html": item["description"],
                    "date_published": item["pubdate"].isoformat(),
                    "date_modified": item["updateddate"].isoformat(),
                    "tags": item["categories"],
                }
                for item in self.items
            ],
        }
        outfile.write(json.dumps(feed, ensure_ascii=False).encode(encoding))


class PostFeed(Feed):
    """The newest 20 public posts (3 queries). A post behind a password stands there without its text."""

    request: BlogRequest

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # One feed object serves every request at once: what belongs to this one goes into a copy.
        feed = self.__class__()
        feed.request = cast(BlogRequest, request)
        return super(PostFeed, feed).__call__(request, *args, **kwargs)

    def get_object(self, request: HttpRequest, pk: str = "", slug: str = "", tag: str = "") -> Category | Tag | None:
        if pk:
            return get_object_or_404(Category, pk=pk)
        return get_object_or_404(Tag, slug=tag) if tag else None

    def title(self, shelf: Category | Tag | None) -> str:
        title = self.request.site.title
        return f"{shelf.name} · {title}" if shelf else title

    def description(self, shelf: Category | Tag | None) -> str:
        return shelf.introduction if isinstance(shelf, Category) else self.request.site.signature

    subtitle = description

    def link(self, shelf: Category | Tag | None) -> str:
        return shelf.get_absolute_url() if shelf else "/"

    def items(self, shelf: Category | Tag | None) -> QuerySet[Post]:
        posts = Post.objects.for_feed()
        if isinstance(shelf, Category):
            posts = posts.in_category(shelf)
        elif shelf is not None:
            posts = posts.tagged(shelf)
        return posts[:POSTS_PER_FEED]

    def item_title(self, post: Post) -> str:
        return post.title

    def item_description(self, post: Post) -> str:
        html = "" if post.password else post.html
        return _OWN_ADDRESS.sub(rf"\1{self.request.build_absolute_uri('/')}", html)

    def item_guid(self, post: Post) -> str:
        # The address without the slug: a new title is the same post.
        return self.request.build_absolute_uri(f"/article/{post.pk}")

    item_guid_is_permalink = False

    def item_pubdate(self, post: Post) -> Any:
        return post.published_at

    def item_updateddate(self, post: Post) -> Any:
        return post.updated_at

    def item_author_name(self, post: Post) -> str:
        return post.author.get_username() if post.author else self.request.site.title

    def item_categories(self, post: Post) -> list[str]:
        return [post.category.name, *(tag.name for tag in post.tags.all())]


class RssFeed(PostFeed):
    feed_type = Rss201rev2Feed


class AtomFeed(PostFeed):
    feed_type = Atom1Feed


class JsonFeed(PostFeed):
    feed_type = JsonFeedGenerator
