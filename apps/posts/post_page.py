"""Everything that a post's page shows, asked in one round trip; the apps above add what they show on it."""

import datetime
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import BigIntegerField, DateTimeField, Exists, OuterRef, QuerySet

from . import shown
from .addresses import FLOORS_PER_PAGE, post_address, tag_address
from .models import Post, Tag
from .together import Given, Together

RELATED_POSTS = 4
# Of each of so many tags, the so many posts that got it last are looked at: the cost doesn't grow with the blog.
TAGS_FOLLOWED = 4
POSTS_OF_A_TAG = 8

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
_AUTHOR = ("username", "first_name", "last_name")
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
    previous: Near | None = None
    next: Near | None = None
    related: list[Near] = field(default_factory=list)
    more: dict[str, list[list[Any]]] = field(default_factory=dict)


def _post() -> QuerySet:
    translated = Exists(Post.objects.filter(translation_of=OuterRef("pk")))
    names = (f"author__{name}" for name in _AUTHOR)
    return Post.objects.filter(pk=POST).order_by().values_list(*_FIELDS, *names, translated)


def _tagged(number: int) -> QuerySet:
    """Of the post's tag of that number: the posts that got it last."""
    return Post.objects.like(POST, number, _AT, "published_at", "title", "slug")[:POSTS_OF_A_TAG]


QUESTIONS = Together(
    post=_post,
    tags=lambda: Tag.objects.filter(posts=POST).order_by("name").values_list("name", "slug"),
    previous=lambda: Post.objects.first_of(Post.objects.before(POST)).values_list(*_NEAR),
    next=lambda: Post.objects.first_of(Post.objects.after(POST, _AT)).values_list(*_NEAR),
    # Those that share a tag may be among them.
    beside=lambda: Post.objects.before(POST).beside(POST).values_list(*_NEAR)[: 2 * RELATED_POSTS],
    **{f"tagged_{number}": lambda number=number: _tagged(number) for number in range(TAGS_FOLLOWED)},
)


def post_page(pk: int, floor_page: int, at: datetime.datetime) -> PostPage | None:
    """Return the post, whoever may see it, with all that its page shows; None when there is none (1 query)."""
    last_floor = floor_page * FLOORS_PER_PAGE
    found = QUESTIONS.ask(post=pk, at=at, first_floor=last_floor - FLOORS_PER_PAGE + 1, last_floor=last_floor)
    rows = found.pop("post")
    if not rows:
        return None
    previous, following, beside = (found.pop(name) for name in ("previous", "next", "beside"))
    tagged = [row for number in range(TAGS_FOLLOWED) for row in found.pop(f"tagged_{number}") if row[1]]
    tags = [(name, tag_address(slug)) for name, slug in found.pop("tags")]
    post = _made_of(rows[0])
    if not (post.is_public and post.kind == Post.Kind.POST):
        return PostPage(post, tags, more=found)
    before, after = (_near(rows[0]) if rows else None for rows in (previous, following))
    return PostPage(post, tags, before, after, _related(tagged, beside), found)


def _made_of(row: list[Any]) -> Post:
    values, (*names, translated) = row[: len(_FIELDS)], row[len(_FIELDS) :]
    post = Post.from_db(connection.alias, _FIELDS, values)
    if post.author_id is not None:
        post.author = get_user_model()(pk=post.author_id, **dict(zip(_AUTHOR, names, strict=True)))
    post.is_translated = bool(translated)  # type: ignore[attr-defined]
    return post


def _related(tagged: list[list[Any]], beside: list[list[Any]]) -> list[Near]:
    """Up to 4 posts to read on: most shared tags first, the newest first; then earlier ones of the category."""
    shared = Counter(pk for pk, _columns in tagged)
    columns = dict[int, Any](tagged)
    best = sorted(shared, key=lambda pk: (shared[pk], columns[pk], pk), reverse=True)
    found = {pk: (title, slug) for pk, title, slug in beside} | {pk: columns[pk][1:] for pk in best}
    chosen = list(dict.fromkeys([*best, *(pk for pk, *_rest in beside)]))[:RELATED_POSTS]
    return [_near([pk, *found[pk]]) for pk in chosen]


def _near(row: list[Any]) -> Near:
    pk, title, slug = row
    shown.note(pk)
    return Near(title, post_address(pk, slug))
