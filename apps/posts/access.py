"""Who may read a post: what it is set to, and who has shown the password of one that has one."""

import hmac

from django.http import Http404, HttpRequest

from apps.core.http.cache_policy import is_anonymous

from .models import Post
from .rights import may_see_unpublished


def is_readable(request: HttpRequest, post: Post, *, knows_address: bool = False) -> bool:
    """Tell whether this reader may know of the post: a public one, or any with the right to see what is unpublished.

    An unlisted post is also readable by those of whom the caller can say that they know its whole address.
    """
    is_open = post.is_public or (knows_address and post.status == Post.Status.UNLISTED)
    return is_open or may_see_unpublished(request.user)


def is_referred_to(request: HttpRequest, post: Post, reference: str) -> bool:
    """Tell whether this reader may know of the post that an address of its comments names by this reference.

    A key that is not the post's leads nowhere, whatever the post is set to.
    """
    _number, has_key, key = reference.partition("-")
    if has_key and not hmac.compare_digest(key, post.address_key):
        return False
    return is_readable(request, post, knows_address=bool(has_key))


def referred_post(request: HttpRequest, reference: str) -> Post:
    """Return what the comment form needs of the post (1 query). Raises Http404 when the reader may not know of it."""
    post = Post.objects.for_comment().filter(pk=number_in(reference)).first()
    if post is None or not is_referred_to(request, post, reference):
        raise Http404("No such post.")
    return post


def number_in(reference: str) -> int:
    """Return the id of the post that a reference names."""
    return int(reference.partition("-")[0])


def is_unlocked(request: HttpRequest, post: Post) -> bool:
    """Tell whether this reader may see the text: no password, the right to see all, or the password given before."""
    if not post.password or may_see_unpublished(request.user):
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
