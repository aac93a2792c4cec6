"""Each question about posts, asked once and by name."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import (
    Aggregate,
    Case,
    Count,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Concat, Greatest, JSONArray, RowNumber, Substr
from django.utils import timezone

from apps.core.db.index_hints import by_index
from apps.core.db.joined_queries import Param
from apps.core.db.replicas import database

from .rendering.markdown import RENDERER_VERSION
from .rights import may_see_unpublished
from .slugs import slugify

if TYPE_CHECKING:
    from .models import Category, OldAddress, Post, Source, Tag

TEXT_SHOWN_CHARACTERS = 50_000  # of a text are looked through for the piece that a search result shows
LIST_FIELDS = (
    *("pk", "title", "slug", "excerpt", "cover", "cover_width", "cover_height", "language"),
    *("published_at", "pinned", "view_count", "comment_count", "source_id", "category_id"),
)


class CategoryQuerySet(models.QuerySet["Category"]):
    def default(self) -> Category:
        """Return the protected category, made when it is not there (1 query, as a rule)."""
        category, _created = self.get_or_create(protected=True, defaults={"name": "未分类", "hidden": True})
        return category

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the categories; their posts move to the protected one. Raises ProtectedError for that one."""
        protected: set[models.Model] = set(self.filter(protected=True))
        if protected:
            raise models.ProtectedError("The protected category can't be deleted.", protected)
        return super().delete()

    def visible(self) -> CategoryQuerySet:
        return self.filter(hidden=False)

    def for_sitemap(self) -> CategoryQuerySet:
        """Visible categories with `changed`, when their newest public post came (1 query)."""
        return self.visible().annotate(changed=Max("posts__published_at", filter=_public("posts__"))).order_by("pk")


class TagQuerySet(models.QuerySet["Tag"]):
    def named(self, names: Iterable[str]) -> list[Tag]:
        """Return the tags of these names in order, made where missing; names of one slug are one tag (1 + new)."""
        wanted: dict[str, str] = {}
        for name in names:
            if slug := slugify(name):
                wanted.setdefault(slug, name.strip()[:64])
        found = {tag.slug: tag for tag in self.filter(slug__in=wanted)}
        return [found.get(slug) or self.get_or_create(slug=slug, defaults={"name": wanted[slug]})[0] for slug in wanted]

    def slug_of(self, pk: int) -> str:
        """Return the stored slug, "" when there is no such tag (1 query)."""
        return self.filter(pk=pk).values_list("slug", flat=True).first() or ""

    def of_post(self, pk: Param) -> models.QuerySet[Any, tuple]:
        """Names, slugs and ids of the tags of that post, in the order it got them."""
        links = self.model.posts.through.objects.filter(post=pk).order_by("pk")
        return links.values_list("tag__name", "tag__slug", "tag")

    def times_used(self) -> models.QuerySet[Any, tuple]:
        """Ids of tags, and how many posts of any kind have them (an index alone: 30 ms at 300,000)."""
        used = self.model.posts.through.objects.order_by().values("tag")
        return used.values_list("tag", Count("pk"))

    def times_used_hidden(self, at: Moment) -> models.QuerySet[Any, tuple]:
        """The same of posts that lists don't show by then: few, so that the rest is counted by taking these away."""
        from .models import Post

        hidden = self.model.posts.through.objects.filter(post__in=Post.objects.not_public(at)).order_by()
        return hidden.values("tag").values_list("tag", Count("pk"))

    def for_sitemap(self) -> TagQuerySet:
        """Tags of at least one public post with `changed`, when the newest of these came (1 query)."""
        newest = Max("posts__published_at", filter=_public("posts__"))
        return self.only("slug").annotate(changed=newest).filter(changed__isnull=False).order_by("pk")


class OldTagSlugQuerySet(models.QuerySet[Any]):
    def successor(self, slug: str) -> str | None:
        """Return the slug of the tag that had this one before (1 query)."""
        return self.filter(slug=slug).values_list("tag__slug", flat=True).first()


class OldAddressQuerySet(models.QuerySet["OldAddress"]):
    def to(self, path: str) -> OldAddress | None:
        """What is recorded of the path, else of the path with another closing slash, post included (1 query)."""
        bare = path.rstrip("/")
        found = {known.path: known for known in self.filter(path__in=[bare, f"{bare}/"]).select_related("post")}
        return found.get(path) or next(iter(found.values()), None)


# A point in time, or a place for one in a question asked with others (together.py).
Moment = datetime.datetime | Param


def _public(prefix: str = "", at: Moment | None = None) -> Q:
    return Q(**{f"{prefix}kind": "post"}) & _out(prefix, at)


def _out(prefix: str = "", at: Moment | None = None) -> Q:
    return Q(**{f"{prefix}status": "published", f"{prefix}published_at__lte": at or timezone.now()})


def _newest_first(parts: list[models.QuerySet[Post, Any]]) -> Any:
    """Rows of `pk` and `is_findable` of all these together (1 query).

    union() would do it, but takes no limited part on SQLite.
    """
    statements, parameters = zip(*(part.query.sql_with_params() for part in parts), strict=True)
    # All that is put together here is Django's own SQL, its values apart.
    every = " UNION ALL ".join(f"SELECT * FROM ({sql}) AS part{number}" for number, sql in enumerate(statements))  # noqa: S608
    ordered = f"SELECT pk, is_findable FROM ({every}) AS parts ORDER BY published_at DESC, pk DESC"  # noqa: S608
    with database().cursor() as cursor:
        cursor.execute(ordered, [*chain.from_iterable(parameters)])
        return cursor.fetchall()


class _GroupConcat(Aggregate):
    """Both SQLite and MariaDB join strings by this name."""

    function = "GROUP_CONCAT"
    output_field = TextField()


class PostQuerySet(models.QuerySet["Post"]):
    def published(self, at: Moment | None = None) -> PostQuerySet:
        """Posts that lists show: published, their time come (by then, or by now)."""
        return self.filter(_public(at=at))

    def not_public(self, at: Moment) -> PostQuerySet:
        """All that published() leaves out, by ranges of an index."""
        post = Q(kind="post")
        to_come = Q(status="published", published_at__gt=at)
        return self.filter(Q(kind="page") | post & Q(status__in=["draft", "unlisted", "private"]) | post & to_come)

    def readable_by(self, user: Any) -> PostQuerySet:
        """Posts and pages this user may find by number: public ones, or all with the right to see what isn't."""
        return self.all() if may_see_unpublished(user) else self.filter(_out())

    def by_link(self) -> PostQuerySet:
        """Posts and pages that anybody may open who has the link: public and unlisted ones."""
        return self.filter(_out() | Q(status="unlisted"))

    def for_all(self) -> PostQuerySet:
        """Posts and pages that are public, without a password."""
        return self.filter(_out(), password="")

    def pages(self, at: Moment) -> PostQuerySet:
        """Pages (about, and the like) that are public by then, oldest first, as the navbar shows them."""
        return self.filter(_out(at=at), kind="page").order_by("published_at", "pk")

    def in_order(self) -> PostQuerySet:
        """A list of posts, newest first, those among them that are still to come; until() or from_key() ends it."""
        return self.filter(kind="post", status="published").order_by("-published_at", "-pk")

    def in_home_order(self) -> PostQuerySet:
        return self.in_order().order_by("-pinned", "-published_at", "-pk")

    def until(self, at: Moment) -> PostQuerySet:
        """The posts of the list that are public by then."""
        if self._pinned_first():
            # With a plus the condition is as true, but no reason for SQLite to take the index by time and sort.
            out = Func(F("published_at"), template="+%(expressions)s")
            return self.alias(out_at=out).filter(out_at__lte=at)
        return self.filter(published_at__lte=at)

    def for_list(self) -> PostQuerySet:
        """Public posts, newest first."""
        return self.in_order().until(timezone.now())

    def cards(self) -> models.QuerySet[Post, Any]:
        """The columns that a list shows: what stands in other tables, the snapshot knows."""
        return self.values_list(*LIST_FIELDS)

    def titles(self) -> PostQuerySet:
        return self.only("title", "slug", "language")

    def keys_at_every(self, number: int) -> list[list[Any]]:
        """Where the list stands before its posts 0, `number`, twice `number`, …: the keys it is sorted by, as JSON.

        1 query that reads one index: 100 ms at 100,000 posts.
        """
        position = Window(RowNumber(), order_by=self.query.order_by)  # type: ignore[arg-type]
        keyed = self.order_by().annotate(before=(position - 1) % number).filter(before=0)
        keys = list(keyed.values_list("pinned", "published_at", "pk"))
        keys.sort(key=None if self._pinned_first() else itemgetter(1, 2), reverse=True)
        return [[pinned, published_at and published_at.isoformat(), pk] for pinned, published_at, pk in keys]

    def between(self, key: list[Any], beyond: list[Any] | None) -> PostQuerySet:
        """The posts of the list from one key of keys_at_every() to the next, or to its end: a short range of its index.

        Those beyond that came at the same time are still among them, at its end.
        """
        pinned, pk = key[0], key[2]
        first, last = (datetime.datetime.fromisoformat(end[1]) if end else None for end in (key, beyond))
        # The first bound says less than the rest, but it is what databases look for in an index.
        posts = Q(published_at__lte=first) & (Q(published_at__lt=first) | Q(pk__lte=pk))
        if pinned and self._pinned_first():
            return self.until(timezone.now()).filter(Q(pinned=False) | posts)
        if last:
            posts &= Q(published_at__gte=last)
        # Not pinned=False: Django would write NOT pinned, for which no index is of use.
        return self.filter(posts, pinned__in=[False]) if self._pinned_first() else self.filter(posts)

    def _pinned_first(self) -> bool:
        return self.query.order_by[0] == "-pinned"

    def translated(self) -> models.QuerySet[Any, tuple]:
        """The pk of a text that translates another, if the blog has any."""
        return self.filter(translation_of__isnull=False).order_by().values_list("pk")[:1]

    def translations_of(self, pk: Param, at: Param) -> PostQuerySet:
        """The public texts that translate what that one does, or that one itself; those behind a password stay out.

        That one may be among them.
        """
        return self._texts(Coalesce(self._original_of(pk), pk), "translation_of", at)

    def original_of(self, pk: Param, at: Param) -> PostQuerySet:
        """The text that one translates, if everybody may read it."""
        return self._texts(self._original_of(pk), "pk", at)

    def _texts(self, original: Any, name: str, at: Param) -> PostQuerySet:
        return self.filter(_out(at=at), password="", **{name: original}).order_by()

    def _original_of(self, pk: Param) -> Subquery:
        return Subquery(self.model._default_manager.filter(pk=pk).order_by().values("translation_of"))

    def for_comment(self) -> PostQuerySet:
        """What the comment form needs of a post, and what decides who may read it."""
        return self.only(
            *("title", "slug", "language", "status", "published_at", "password", "comments_open", "last_floor")
        )

    def for_live(self, pk: int) -> Post | None:
        """What decides who may listen to the post, and how far its comments have come (1 query)."""
        return self.filter(pk=pk).only("slug", "status", "published_at", "password", "last_floor").first()

    def in_category(self, category: Category | int | Param) -> PostQuerySet:
        """The posts of the list that are in that category."""
        return by_index(self.filter(category=category), "post_category_time")

    def from_source(self, source: Source | int | Param) -> PostQuerySet:
        """The posts of the list that are from that source."""
        return by_index(self.filter(source=source), "post_source_time")

    def tagged(self, tag: Tag | int | Param) -> PostQuerySet:
        return self.filter(tags=tag)

    def before(self, moment: Moment, pk: int | Param) -> PostQuerySet:
        """The posts that came before that public one, which came at that moment; the last of them first."""
        earlier = Q(published_at__lte=moment) & (Q(published_at__lt=moment) | Q(pk__lt=pk))
        return by_index(self.in_order().filter(earlier), "post_status_time")

    def after(self, moment: Moment, pk: int | Param, at: Moment) -> PostQuerySet:
        """The posts that had come after it by then, the first of them first."""
        later = Q(published_at__gte=moment) & (Q(published_at__gt=moment) | Q(pk__gt=pk))
        return by_index(self.published(at).filter(later).order_by("published_at", "pk"), "post_status_time")

    def last_tagged(self, tag: Param, at: Moment, *names: str) -> models.QuerySet[Any, tuple]:
        """Ids of the posts that have the tag, the last to get it first.

        Beside each the columns of these names, as one list; None where the post isn't public. As a subquery, because
        a join would have MariaDB begin with all posts.
        """
        linked = self.model.tags.through.objects.filter(tag=tag).order_by("-pk")
        of_post = by_index(self.published(at).filter(pk=OuterRef("post")).order_by(), "PRIMARY")
        columns = of_post.values(columns=JSONArray(*names))
        return linked.values_list("post", Subquery(columns))

    def in_time(self, first: Moment, beyond: Moment) -> PostQuerySet:
        """The posts of the list that were published from one moment to before another."""
        return by_index(self.filter(published_at__gte=first, published_at__lt=beyond), "post_status_time")

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
        return self.published(at).order_by().values(*shelf).values_list(*shelf, Count("pk"), Sum("comment_count"))

    def findable(self) -> PostQuerySet:
        """Posts and pages that the search may show: published, their time come."""
        return self.filter(_out(), kind__in=self.model.Kind.values)  # all are named, so that the index is of use

    def findable_of(self, ids: Iterable[int]) -> PostQuerySet:
        """Those of these posts that the search may show.

        Asked as a CASE: with findable() SQLite would rather go through all that is published than look up some ids.
        """
        shown = Case(When(_out(), then=1), default=0, output_field=IntegerField())
        return self.filter(pk__in=list(ids)).alias(shown=shown).filter(shown=1)

    def not_findable(self) -> list[PostQuerySet]:
        """All others, a queryset for each reason, as SQLite takes no index for a choice of reasons."""
        every = self.filter(kind__in=self.model.Kind.values)
        others = [status for status in self.model.Status.values if status != "published"]
        published = every.filter(status="published")
        to_come = published.filter(published_at__gt=timezone.now())
        return [every.filter(status__in=others), to_come, published.filter(published_at=None)]

    def findable_ids(self, among: Iterable[int] | None = None) -> list[int]:
        """Ids of what the search may show, newest first (1 query that reads an index alone)."""
        posts = self.findable() if among is None else self.findable_of(among)
        return list(posts.order_by("-published_at", "-pk").values_list("pk", flat=True))

    def newest_findable_ids(self, number: int, others: list[int]) -> tuple[list[int], list[int]]:
        """Ids of what the search may show, newest first, and ids of all that it may not show (1 query).

        Of the former come the newest so many of each kind, as an index has them in order, and any of the others named.
        """
        findable: models.QuerySet[Any] = self.annotate(is_findable=Value(1)).filter(_out())
        parts = [
            findable.filter(kind=kind).order_by("-published_at", "-pk")[:number] for kind in self.model.Kind.values
        ]
        if others:
            parts.append(self.findable_of(others).annotate(is_findable=Value(1)).order_by())
        parts += [part.annotate(is_findable=Value(0)).order_by() for part in self.not_findable()]
        rows = _newest_first([part.values_list("pk", "published_at", "is_findable") for part in parts])
        shown = dict.fromkeys(pk for pk, is_findable in rows if is_findable)  # some are named and new
        return list(shown), [pk for pk, is_findable in rows if not is_findable]

    def for_hits(self, ids: list[int]) -> list[Any]:
        """What a page of search results shows, in this order (1 query).

        `beginning` is the part of the text in which a match is looked for, `reading` the title's pinyin.
        """
        posts = (
            self.findable_of(ids)
            .only(*LIST_FIELDS, "kind", "password")
            .annotate(beginning=Substr("text", 1, TEXT_SHOWN_CHARACTERS), reading=F("search_entry__reading"))
            .order_by()
        )
        found = {post.pk: post for post in posts} if ids else {}
        return [found[pk] for pk in ids if pk in found]

    def searched_texts(self, ids: list[int]) -> dict[int, tuple[str, ...]]:
        """Title, and the text unless a password guards it (1 query)."""
        rows = self.filter(pk__in=ids).values_list("pk", "title", "text", "password")
        return {pk: (title,) if password else (title, text) for pk, title, text, password in rows}

    def titled(self, ids: list[int]) -> list[Post]:
        """Those of the ids that the search may show, by title and address, newest first (1 query)."""
        if not ids:
            return []
        return list(self.findable_of(ids).only("title", "slug", "language").order_by("-published_at", "-pk"))

    def unindexed(self, version: int, after: int = 0) -> PostQuerySet:
        """Posts that the index of the search doesn't hold as this version would."""
        stale = Q(search_entry=None) | ~Q(search_entry__version=version)
        return self.filter(stale, pk__gt=after).order_by("pk")

    def to_index(self, ids: list[int]) -> PostQuerySet:
        """What the index reads of these posts, locked until the transaction ends."""
        return self.select_for_update().filter(pk__in=ids).only("title", "text", "password").order_by("pk")

    def numbers(self, pk: int) -> dict[str, int]:
        """The post's views and comments as they stand now (1 query). Raises Post.DoesNotExist."""
        views, comments = self.values_list("view_count", "comment_count").get(pk=pk)
        return {"views": views, "post_comments": comments}

    def for_feed(self) -> PostQuerySet:
        """Public posts, newest first, with their HTML, author and the names of their tags, each after a line feed."""
        links: Any = self.model.tags.through.objects.filter(post=OuterRef("pk")).order_by()
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

    def for_card(self) -> PostQuerySet:
        """What the picture of a post shows, of posts that are public (1 query)."""
        return self.for_all().only("title", "published_at", "cover")

    def for_sitemap(self) -> PostQuerySet:
        """Public posts and pages with `changed`, when they came or were edited last, by id (1 query)."""
        changed = Greatest("published_at", Coalesce("updated_at", "published_at"))
        return self.filter(_out(), password="").only("slug").annotate(changed=changed).order_by("pk")

    def waiting(self, at: Moment) -> PostQuerySet:
        """Scheduled posts and pages that are not out by then, the next one first."""
        # Both kinds are named, so that an index is of use.
        return self.filter(status="published", published_at__gt=at, kind__in=["post", "page"]).order_by("published_at")

    def newest_publication(self) -> datetime.datetime | None:
        """When the newest public post came, None when there is none (1 query)."""
        return self.published().order_by("-published_at").values_list("published_at", flat=True).first()

    def in_id_block(self, number: int, size: int) -> PostQuerySet:
        """Of ids 1 to `size` when the number is 1, of the next so many when it is 2."""
        return self.filter(pk__gt=(number - 1) * size, pk__lte=number * size)

    def id_blocks(self, size: int) -> list[tuple[int, datetime.datetime]]:
        """Numbers of the blocks that for_sitemap() has posts in, each with its newest `changed` (1 query)."""
        by_start = self.for_sitemap().annotate(start=F("pk") - 1 - (F("pk") - 1) % size).order_by("start")
        rows = by_start.values_list("start").annotate(newest=Max("changed"))
        return [(start // size + 1, newest) for start, newest in rows]

    def hottest(self) -> PostQuerySet:
        """Posts by their views, those among them whose time has not come (with it SQLite would sort every post)."""
        return self.filter(kind="post", status="published").order_by("-view_count", "-pk")

    def for_admin_list(self) -> PostQuerySet:
        """Without the long columns, which the list of posts to manage doesn't show."""
        return self.defer("body", "html", "toc", "text", "excerpt", "summary")

    def stale(self) -> PostQuerySet:
        """Posts whose stored HTML was made by another version of the renderer."""
        return self.filter(renderer_version__lt=RENDERER_VERSION).order_by("pk")
