from collections import namedtuple
from typing import Any

from django import template

from apps.posts.models import Post

from ..avatars import identicon
from ..querysets import SHOWN_FIELDS

register = template.Library()


_Shown = namedtuple("_Shown", SHOWN_FIELDS)  # type: ignore[misc]  # mypy wants the names written here


@register.inclusion_tag("comments/_comments.html", takes_context=True)
def comments_of(context: dict[str, Any], post: Post, rows: list[list[Any]], page: int) -> dict[str, Any]:
    """Show that page of the post's comments, rows of CommentQuerySet.of_page(), and the way to write one."""
    return {
        "request": context["request"],
        "post": post,
        "page": page,
        "comments": [_Shown(*row) for row in rows],
        "open": post.comments_open and context["site"].comments_open,
        "user": context["user"],
    }


@register.simple_tag
def avatar(comment: Any) -> str:
    return identicon(comment.author_name, comment.author_email)


@register.simple_tag
def floor_link(post: Post, floor: int, page: int) -> str:
    """The way to a floor: within this page when it stands here, else to the page on which it does."""
    first = (page - 1) * post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if first < floor <= first + post.FLOORS_PER_PAGE else post.floor_url(floor)
