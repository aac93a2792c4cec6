"""Everything that a post's page shows, asked in one round trip; the apps above add what they show on it."""

import datetime
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, DateTimeField, QuerySet

from apps.core.db.joined_queries import JoinedQueries, Param, Row
from apps.core.pages import dependencies
from apps.core.pages.site import Snapshot

from ..addresses import FLOORS_PER_PAGE, post_address, tag_address
from ..models import Post, Tag
from ..people import full_name
from .related import OtherPost, known_around, neighbours_of, related_to

POST = Param("post", BigIntegerField())
FIRST_FLOOR, LAST_FLOOR = (Param(name, BigIntegerField()) for name in ("first_floor", "last_floor"))
_AT = Param("at", DateTimeField())

# In the order of the model, as from_db() wants them.
_FIELDS = (
    *("id", "kind", "title", "slug", "author_id", "source_id", "original_url", "category_id", "language"),
    *("translation_of_id", "status", "published_at", "password", "cover", "cover_width", "cover_height"),
    *("comments_open", "updated_at", "html", "toc", "excerpt", "reading_minutes"),
    *("view_count", "comment_count", "last_floor"),
)
_LOADED = frozenset(_FIELDS)
_AUTHOR = ("first_name", "last_name", "username")
_TEXT = ("pk", "slug", "language")


class Near(NamedTuple):
    """Another post that the page leads to."""

    title: str
    url: str
    language: str  # blank for the site's


@dataclass(frozen=True)
class PostPage:
    """`more` holds the rows of what the apps above asked along, by name."""

    post: Post  # without its author
    author: str  # full name, else the account's; blank when there is none
    tags: list[tuple[str, str]] = field(default_factory=list)  # name and address
    translations: list[tuple[str, str]] = field(default_factory=list)  # language, blank for the site's, and address
    previous: Near | None = None
    next: Near | None = None
    related: list[Near] = field(default_factory=list)
    more: dict[str, list[Row]] = field(default_factory=dict)


def _post() -> QuerySet:
    return Post.objects.with_id(POST).order_by().values_list(*_FIELDS, *(f"author__{name}" for name in _AUTHOR))


QUESTIONS = JoinedQueries(
    post=_post,
    tags=lambda: Tag.objects.of_post(POST),
    translations=lambda: Post.objects.translations_of(POST, _AT).values_list(*_TEXT),
    original=lambda: Post.objects.original_of(POST, _AT).values_list(*_TEXT),
)
_OF_TRANSLATIONS = ("translations", "original")


def post_page(pk: int, floor_page: int, at: datetime.datetime, site: Snapshot) -> PostPage | None:
    """Return the post, whoever may see it, with all that its page shows; None when there is none.

    `site` is the snapshot, taken before. 1 query; 1 more for what related.py does not remember.
    """
    last_floor = floor_page * FLOORS_PER_PAGE
    without = () if site.has_translations else _OF_TRANSLATIONS
    first_floor = last_floor - FLOORS_PER_PAGE + 1
    found = QUESTIONS.ask(without, post=pk, at=at, first_floor=first_floor, last_floor=last_floor)
    rows, tagged, *texts = (found.pop(name) for name in ("post", "tags", *_OF_TRANSLATIONS))
    if not rows:
        return None
    post, author = _made_of(rows[0])
    tags = sorted(((name, tag_address(slug)) for name, slug, _pk in tagged), key=lambda tag: tag[0].casefold())
    translations = [_translation(row) for row in sorted(chain(*texts))]
    if not post.is_listed:
        return PostPage(post, author, tags, translations, more=found)
    tag_ids = [tag for _name, _slug, tag in tagged]
    known = known_around(post, tag_ids, site.lists_stamp)
    previous, following = (_near(other) if other else None for other in neighbours_of(post, known))
    related = [_near(other) for other in related_to(post, tag_ids, known)]
    return PostPage(post, author, tags, translations, previous, following, related, found)


def _made_of(row: Row) -> tuple[Post, str]:
    values, (first_name, last_name, username) = row[: len(_FIELDS)], row[len(_FIELDS) :]
    post = Post.from_db(connection.alias, _LOADED, values)
    author = "" if post.author_id is None else full_name(first_name, last_name) or username
    return post, author


def _translation(row: Row) -> tuple[str, str]:
    pk, slug, language = row
    dependencies.add(pk)
    return language, post_address(pk, slug)


def _near(other: OtherPost) -> Near:
    dependencies.add(other.pk)
    return Near(other.title, post_address(other.pk, other.slug), other.language)
