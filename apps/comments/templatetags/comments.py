from typing import Any

from django import template

from apps.posts.models import Post

from ..avatars import identicon
from ..models import Comment

register = template.Library()


@register.inclusion_tag("comments/_comments.html", takes_context=True)
def comments_of(context: dict[str, Any], post: Post, page: int) -> dict[str, Any]:
    """Show that page of the post's comments and the way to write one (1 query)."""
    return {
        "request": context["request"],
        "post": post,
        "page": page,
        "comments": Comment.objects.of_page(post, page),
        "open": post.comments_open and context["site"].comments_open,
        "sees_screened": context["user"].is_staff,
    }


@register.simple_tag
def avatar(comment: Comment) -> str:
    return identicon(comment.author_name, comment.author_email)


@register.simple_tag
def floor_link(post: Post, floor: int, page: int) -> str:
    """The way to a floor: within this page when it stands here, else to the page on which it does."""
    first = (page - 1) * post.FLOORS_PER_PAGE
    return f"#floor-{floor}" if first < floor <= first + post.FLOORS_PER_PAGE else post.floor_url(floor)
