"""The passwords of posts: a reader's session remembers which ones were right."""

import hmac

from django.http import HttpRequest

from apps.core.http.cache_policy import is_anonymous

from .models import Post
from .visibility import may_see_unpublished


def is_unlocked(request: HttpRequest, post: Post) -> bool:
    """Tell whether this reader may see the text: no password, the right to see all, or the password given before."""
    if not post.password or may_see_unpublished(request.user):
        return True
    return not is_anonymous(request) and request.session.get(_key(post)) == _proof(post)


def unlock(request: HttpRequest, post: Post, password: str) -> bool:
    """Compare the password in constant time and remember in the session that it was right."""
    right = hmac.compare_digest(password.encode(), post.password.encode())
    if right:
        request.session[_key(post)] = _proof(post)
    return right


def _key(post: Post) -> str:
    return f"post-{post.pk}"


def _proof(post: Post) -> str:
    """What the session keeps: worth nothing once the password has been changed."""
    return hmac.new(b"post-password", post.password.encode(), "sha256").hexdigest()
