"""The sitemap: home, categories and every public post, 10,000 addresses a file."""

from typing import Any

from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse

from .models import Category, Post

ADDRESSES_PER_FILE = 10_000


class _PostSitemap(Sitemap):
    limit = ADDRESSES_PER_FILE

    def items(self) -> QuerySet[Post]:
        return Post.objects.for_sitemap()

    def lastmod(self, post: Post) -> Any:
        return post.updated_at


class _CategorySitemap(Sitemap):
    def items(self) -> QuerySet[Category]:
        return Category.objects.visible()


class _PageSitemap(Sitemap):
    def items(self) -> list[str]:
        return ["posts:home", "posts:archive"]

    def location(self, item: str) -> str:
        return reverse(item)


SITEMAPS = {"posts": _PostSitemap, "categories": _CategorySitemap, "pages": _PageSitemap}
