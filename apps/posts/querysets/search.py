"""Questions of the search and its index about posts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Self, TypedDict, cast

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Substr

from apps.core.db.replicas import database

from ..visibility import KINDS, searchable_q
from .lists import LIST_FIELDS, ListQuerySet

if TYPE_CHECKING:
    from django_stubs_ext.annotations import WithAnnotations

    from ..models import Post

    HitPost = WithAnnotations[Post, "HitTexts"]

TEXT_SHOWN_CHARACTERS = 50_000  # of a text are looked through for the piece that a search result shows


class HitTexts(TypedDict):
    """The annotations of for_hits()."""

    beginning: str  # of the text, in which a match is looked for
    reading: str | None  # the title's pinyin


def _newest_first(parts: list[models.QuerySet[Post, tuple]]) -> list[tuple[int, int]]:
    """Rows of `pk` and `is_shown` of all these together (1 query).

    union() would do it, but takes no limited part on SQLite.
    """
    statements, parameters = zip(*(part.query.sql_with_params() for part in parts), strict=True)
    # All that is put together here is Django's own SQL, its values apart.
    every = " UNION ALL ".join(f"SELECT * FROM ({sql}) AS part{number}" for number, sql in enumerate(statements))  # noqa: S608
    ordered = f"SELECT pk, is_shown FROM ({every}) AS parts ORDER BY published_at DESC, pk DESC"  # noqa: S608
    with database().cursor() as cursor:
        cursor.execute(ordered, [*chain.from_iterable(parameters)])
        return list(cursor.fetchall())


class SearchQuerySet(ListQuerySet):
    def searchable_ids(self, among: Iterable[int] | None = None) -> list[int]:
        """Ids of what the search may show, newest first (1 query that reads an index alone)."""
        posts = self.searchable() if among is None else self.searchable_among(among)
        return list(posts.order_by("-published_at", "-pk").values_list("pk", flat=True))

    def newest_searchable_ids(self, number: int, others: list[int]) -> tuple[list[int], list[int]]:
        """Ids of what the search may show, newest first, and ids of all that it may not show (1 query).

        Of the former come the newest so many of each kind, as an index has them in order, and any of the others named.
        """
        searchable = self.annotate(is_shown=Value(1)).filter(searchable_q())
        parts = [searchable.filter(kind=kind).order_by("-published_at", "-pk")[:number] for kind in KINDS]
        if others:
            parts.append(self.searchable_among(others).annotate(is_shown=Value(1)).order_by())
        parts += [part.annotate(is_shown=Value(0)).order_by() for part in self.not_searchable()]
        rows = _newest_first([part.values_list("pk", "published_at", "is_shown") for part in parts])
        shown = dict.fromkeys(pk for pk, is_shown in rows if is_shown)  # some are named and new
        return list(shown), [pk for pk, is_shown in rows if not is_shown]

    def for_hits(self, ids: list[int]) -> list[HitPost]:
        """What a page of search results shows, in this order (1 query)."""
        posts = (
            self.searchable_among(ids)
            .only(*LIST_FIELDS, "kind", "password")
            .annotate(beginning=Substr("text", 1, TEXT_SHOWN_CHARACTERS), reading=F("search_entry__reading"))
            .order_by()
        )
        found = {post.pk: post for post in posts} if ids else {}
        return cast("list[HitPost]", [found[pk] for pk in ids if pk in found])

    def searched_texts(self, ids: list[int]) -> dict[int, tuple[str, ...]]:
        """Title, and the text unless a password guards it (1 query)."""
        rows = self.filter(pk__in=ids).values_list("pk", "title", "text", "password")
        return {pk: (title,) if password else (title, text) for pk, title, text, password in rows}

    def titled(self, ids: list[int]) -> list[Post]:
        """Those of the ids that the search may show, by title and address, newest first (1 query)."""
        if not ids:
            return []
        return list(self.searchable_among(ids).titles().order_by("-published_at", "-pk"))

    def unindexed(self, version: int, after: int = 0) -> Self:
        """Posts that the index of the search doesn't hold as this version would."""
        stale = Q(search_entry=None) | ~Q(search_entry__version=version)
        return self.filter(stale, pk__gt=after).order_by("pk")

    def to_index(self, ids: list[int]) -> Self:
        """What the index reads of these posts, locked until the transaction ends."""
        return self.select_for_update().filter(pk__in=ids).only("title", "text", "password").order_by("pk")
