"""Each question about posts, asked once and by name; what asks for lists and for the search stands beside this file."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Aggregate, Count, Expression, F, Max, OuterRef, Subquery, Sum, TextField, Value
from django.db.models.functions import Coalesce, Concat, Greatest

from apps.core.db.joined_queries import Param

from ..rendering.markdown import RENDERER_VERSION
from ..visibility import Moment, searchable_q
from .search import SearchQuerySet

if TYPE_CHECKING:
    from ..models import Post


class _GroupConcat(Aggregate):
    """Both SQLite and MariaDB join strings by this name."""

    function = "GROUP_CONCAT"
    output_field = TextField()


class PostQuerySet(SearchQuerySet):
    """In layers: VisibilityQuerySet (who may see posts), ListQuerySet, SearchQuerySet, and what is asked besides."""

    def with_id(self, pk: int | Param) -> Self:
        return self.filter(pk=pk)

    def pages(self, at: Moment) -> Self:
        """Pages (about, and the like) that are public by then, oldest first, as the navbar shows them."""
        return self.filter(searchable_q(at=at), kind="page").order_by("published_at", "pk")

    def translated(self) -> models.QuerySet[Post, tuple]:
        """The pk of a text that translates another, if the blog has any."""
        return self.filter(translation_of__isnull=False).order_by().values_list("pk")[:1]

    def translations_of(self, pk: Param, at: Param) -> Self:
        """The public texts that translate what that one does, or that one itself; those behind a password stay out.

        That one may be among them.
        """
        return self._texts(Coalesce(self._original_of(pk), pk), "translation_of", at)

    def original_of(self, pk: Param, at: Param) -> Self:
        """The text that one translates, if everybody may read it."""
        return self._texts(self._original_of(pk), "pk", at)

    def _texts(self, original: Expression | Subquery, name: str, at: Param) -> Self:
        return self.public(at).filter(**{name: original}).order_by()

    def _original_of(self, pk: Param) -> Subquery:
        return Subquery(self.model._default_manager.filter(pk=pk).order_by().values("translation_of"))

    def for_comment(self) -> Self:
        """What the comment form needs of a post, and what decides who may read it."""
        return self.only(
            *("title", "slug", "language", "status", "published_at", "password", "comments_open", "last_floor")
        )

    def for_live(self, pk: int) -> Post | None:
        """What decides who may listen to the post, and how far its comments have come (1 query)."""
        return self.filter(pk=pk).only("slug", "status", "published_at", "password", "last_floor").first()

    def stored_months(self) -> Iterable[tuple[int, datetime.datetime, int]]:
        """Id, publication time and stored month of every post that has a time (1 query, streamed)."""
        rows = self.filter(published_at__isnull=False).values_list("pk", "published_at", "published_month")
        return rows.iterator(chunk_size=2000)

    def set_month(self, pk: int, month: int) -> int:
        return self.filter(pk=pk).update(published_month=month)

    def census(self, at: Moment) -> models.QuerySet[Post, tuple]:
        """How many posts are public by then, and how many comments they have, by month, category and source.

        Read in the order of one index, and from that alone: 40 ms at 100,000 posts.
        """
        shelf = ("published_month", "category", "source")
        return self.listed(at).order_by().values(*shelf).values_list(*shelf, Count("pk"), Sum("comment_count"))

    def numbers(self, pk: int) -> dict[str, int]:
        """The post's views and comments as they stand now (1 query). Raises Post.DoesNotExist."""
        views, comments = self.values_list("view_count", "comment_count").get(pk=pk)
        return {"views": views, "post_comments": comments}

    def for_feed(self) -> Self:
        """Public posts, newest first, with their HTML, author and the names of their tags, each after a line feed."""
        links: models.QuerySet[models.Model] = self.model.tags.through.objects.filter(post=OuterRef("pk")).order_by()
        names = (
            links.values("post")
            .annotate(names=_GroupConcat(Concat(Value("\n"), "tag__name", output_field=TextField())))
            .values("names")
        )
        return (
            self.for_list()
            .select_related("author")
            .defer("body", "text", "toc", "summary")
            .annotate(tag_names=Coalesce(Subquery(names), Value(""), output_field=TextField()))
        )

    def for_share_image(self) -> Self:
        """Public posts with the columns that a share image shows (1 query)."""
        return self.public().only("title", "published_at", "cover")

    def for_sitemap(self) -> Self:
        """Public posts and pages with `changed`, when they came or were edited last, by id (1 query)."""
        changed = Greatest("published_at", Coalesce("updated_at", "published_at"))
        return self.public().only("slug").annotate(changed=changed).order_by("pk")

    def newest_publication(self) -> datetime.datetime | None:
        """When the newest public post came, None when there is none (1 query)."""
        return self.listed().order_by("-published_at").values_list("published_at", flat=True).first()

    def in_id_block(self, number: int, size: int) -> Self:
        """Of ids 1 to `size` when the number is 1, of the next so many when it is 2."""
        return self.filter(pk__gt=(number - 1) * size, pk__lte=number * size)

    def id_blocks(self, size: int) -> list[tuple[int, datetime.datetime]]:
        """Numbers of the blocks that for_sitemap() has posts in, each with its newest `changed` (1 query)."""
        by_start = self.for_sitemap().annotate(start=F("pk") - 1 - (F("pk") - 1) % size).order_by("start")
        rows = by_start.values_list("start").annotate(newest=Max("changed"))
        return [(start // size + 1, newest) for start, newest in rows]

    def for_admin_list(self) -> Self:
        """Without the long columns, which the list of posts to manage doesn't show."""
        return self.defer("body", "html", "toc", "text", "excerpt", "summary")

    def stale(self) -> Self:
        """Posts whose stored HTML was made by another version of the renderer."""
        return self.filter(renderer_version__lt=RENDERER_VERSION).order_by("pk")
