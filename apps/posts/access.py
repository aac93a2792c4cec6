"""Who may read a post: what it is set to, and who has shown the password of one that has one."""

import hmac

from django.http import HttpRequest

from blog_xtg.public import is_anonymous

from .models import Post


def is_readable(request: HttpRequest, post: Post) -> bool:
    """Tell whether this reader may know of the post: a public or unlisted one, or staff."""
    return post.is_public or post.status == Post.Status.UNLISTED or request.user.is_staff


def is_unlocked(request: HttpRequest, post: Post) -> bool:
    """Tell whether this reader may see the text: no password, staff, or the right one given before."""
    if not post.password or request.user.is_staff:
        return True
    return not is_anonymous(request) and request.session.get(_key(post)) == _proof(post)


def is_everybodys(post: Post) -> bool:
    """Tell whether everybody is shown the same of it, so that caches may keep that."""
    return post.is_public and not post.password


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
