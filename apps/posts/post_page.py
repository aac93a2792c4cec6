"""Everything that a post's page shows, asked in one round trip; the apps above add what they show on it."""

import datetime
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import BigIntegerField, DateTimeField, QuerySet, Subquery

from . import shown
from .addresses import FLOORS_PER_PAGE, post_address, tag_address
from .models import Post, Tag
from .related import related
from .together import Given, Together

POST = Given("post", BigIntegerField())
FIRST_FLOOR, LAST_FLOOR = (Given(name, BigIntegerField()) for name in ("first_floor", "last_floor"))
_AT = Given("at", DateTimeField())

# In the order of the model, as from_db() wants them.
_FIELDS = (
    *("id", "kind", "title", "slug", "author_id", "source_id", "original_url", "category_id", "language"),
    *("translation_of_id", "status", "published_at", "password", "cover", "cover_width", "cover_height"),
    *("comments_open", "updated_at", "html", "toc", "excerpt", "reading_minutes"),
    *("view_count", "comment_count", "last_floor"),
)
_LOADED = frozenset(_FIELDS)
_AUTHOR = ("username", "first_name", "last_name")
_OF_AUTHOR = {"id", *_AUTHOR}
_ORIGINAL = ("slug", "language", "status", "published_at", "password")
_NEAR = ("pk", "title", "slug")


class Near(NamedTuple):
    """Another post that the page leads to."""

    title: str
    url: str


@dataclass(frozen=True)
class PostPage:
    """`more` holds the rows of what the apps above asked along, by name."""

    post: Post
    tags: list[tuple[str, str]] = field(default_factory=list)  # name and address
    translations: list[tuple[str, str]] = field(default_factory=list)  # language, blank for the site's, and address
    previous: Near | None = None
    next: Near | None = None
    related: list[Near] = field(default_factory=list)
    more: dict[str, list[list[Any]]] = field(default_factory=dict)


def _post() -> QuerySet:
    names = (f"author__{name}" for name in _AUTHOR)
    original = (f"translation_of__{name}" for name in _ORIGINAL)
    translations = Subquery(Post.objects.translations(_AT))
    return Post.objects.filter(pk=POST).order_by().values_list(*_FIELDS, *names, *original, translations)


QUESTIONS = Together(
    post=_post,
    tags=lambda: Tag.objects.of_post(POST),
    previous=lambda: Post.objects.first_of(Post.objects.before(POST)).values_list(*_NEAR),
    next=lambda: Post.objects.first_of(Post.objects.after(POST, _AT)).values_list(*_NEAR),
)


def post_page(pk: int, floor_page: int, at: datetime.datetime, lists_stamp: str) -> PostPage | None:
    """Return the post, whoever may see it, with all that its page shows; None when there is none.

    `lists_stamp` is the snapshot's, taken before. 1 query; 1 more for tags or a category not remembered (related).
    """
    last_floor = floor_page * FLOORS_PER_PAGE
    found = QUESTIONS.ask(post=pk, at=at, first_floor=last_floor - FLOORS_PER_PAGE + 1, last_floor=last_floor)
    rows = found.pop("post")
    if not rows:
        return None
    previous, following = found.pop("previous"), found.pop("next")
    tagged = found.pop("tags")
    tags = sorted(((name, tag_address(slug)) for name, slug, _pk in tagged), key=lambda tag: tag[0].casefold())
    post, translations = _made_of(rows[0], at)
    if not (post.is_public and post.kind == Post.Kind.POST):
        return PostPage(post, tags, translations, more=found)
    before, after = (_near(rows[0]) if rows else None for rows in (previous, following))
    others = related(pk, [tag for _name, _slug, tag in tagged], post.category_id, lists_stamp)
    return PostPage(post, tags, translations, before, after, [_near(row) for row in others], found)


def _made_of(row: list[Any], at: datetime.datetime) -> tuple[Post, list[tuple[str, str]]]:
    values, (*names, slug, language, status, published_at, password, texts) = row[: len(_FIELDS)], row[len(_FIELDS) :]
    post = Post.from_db(connection.alias, _LOADED, values)
    if post.author_id is not None:
        post.author = get_user_model().from_db(connection.alias, _OF_AUTHOR, [post.author_id, *names[: len(_AUTHOR)]])
    texts = texts or []
    if status == Post.Status.PUBLISHED and published_at <= at and not password:
        texts.append([post.translation_of_id, slug, language])
    for pk, *_more in texts:
        shown.note(pk)
    return post, [(language, post_address(pk, slug)) for pk, slug, language in sorted(texts)]


def _near(row: list[Any]) -> Near:
    pk, title, slug = row
    shown.note(pk)
    return Near(title, post_address(pk, slug))
