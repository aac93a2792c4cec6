"""References: how addresses of comments and reactions name a post, by its number, with a key when it is unlisted."""

import hmac

from django.http import Http404, HttpRequest

from .models import Post
from .visibility import is_visible_to


def is_referred_to(request: HttpRequest, post: Post, reference: str) -> bool:
    """Tell whether this reader may know of the post that an address of its comments names by this reference.

    A key that is not the post's leads nowhere, whatever the post is set to.
    """
    _number, has_key, key = reference.partition("-")
    if has_key and not hmac.compare_digest(key, post.address_key):
        return False
    return is_visible_to(request.user, post, by_link=bool(has_key))


def referred_post(request: HttpRequest, reference: str) -> Post:
    """Return what the comment form needs of the post (1 query). Raises Http404 when the reader may not know of it."""
    post = Post.objects.for_comment().with_id(number_in(reference)).first()
    if post is None or not is_referred_to(request, post, reference):
        raise Http404("No such post.")
    return post


def number_in(reference: str) -> int:
    """Return the id of the post that a reference names."""
    return int(reference.partition("-")[0])
