"""Floors for an open page: the post, to see whether its reader may, and some of its floors."""

from django.db import connection
from django.db.models import QuerySet

from apps.core.db.joined_queries import JoinedQueries, Row
from apps.core.db.replicas import reading
from apps.posts.models import Post
from apps.posts.pages.post_page import POST

from ..models import Comment

_FIELDS = ("id", "title", "slug", "status", "published_at", "password", "comments_open", "last_floor")


def _post() -> QuerySet:
    return Post.objects.filter(pk=POST).values_list(*_FIELDS)


_QUESTIONS = JoinedQueries(post=_post, comments=Comment.objects.of_page)


def floors_of(post_id: int, first_floor: int, last_floor: int) -> tuple[Post | None, list[Row]]:
    """Return the post, None when there is none, and the rows of its comments on these floors (1 query)."""
    with reading():  # from the primary: an open page asks for what it was told of a moment ago
        found = _QUESTIONS.ask(post=post_id, first_floor=first_floor, last_floor=last_floor)
    post = Post.from_db(connection.alias, _FIELDS, found["post"][0]) if found["post"] else None
    return post, found["comments"]
