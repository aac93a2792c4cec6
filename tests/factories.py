"""Rows for tests, made as the program makes them."""

from itertools import count
from typing import Any

from django.contrib.auth import get_user_model

from apps.comments.models import Comment
from apps.comments.services import add_comment
from apps.posts.models import Category, Post, Tag

_numbers = count(1)


def make_post(*, tags: tuple[str, ...] = (), **fields: Any) -> Post:
    """A published post, unless `status` says otherwise."""
    number = next(_numbers)
    post = Post(**{"title": f"Post {number}", "body": f"Text {number}.", "status": Post.Status.PUBLISHED, **fields})
    post.save()
    post.tags.set(Tag.objects.named(tags))
    return post


def make_posts(number: int, **fields: Any) -> list[Post]:
    return [make_post(**fields) for _ in range(number)]


def make_category(name: str = "", **fields: Any) -> Category:
    return Category.objects.create(name=name or f"Category {next(_numbers)}", **fields)


def make_comment(post: Post, body: str = "A thought.", **fields: Any) -> Comment:
    return add_comment(post=post, body=body, **{"author_name": "Ada", "author_email": "ada@example.com", **fields})


def make_administrator(**fields: Any) -> Any:
    number = next(_numbers)
    users = get_user_model()._default_manager
    return users.create_superuser(
        **{"username": f"owner{number}", "email": "o@example.com", "password": "pw", **fields}
    )
