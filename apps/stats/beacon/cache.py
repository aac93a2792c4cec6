"""Remember what every beacon asks for: which posts anybody may open by link, and the site's numbers."""

import hmac
import time
from typing import NamedTuple

from django.db import DatabaseError

from apps.core.db.gate import DatabaseGate, one_question
from apps.core.pages import coherence, store
from apps.core.pages.site import Statistics
from apps.core.resilience import StampedCache
from apps.posts.models import Post

MAX_AGE_SECONDS = 10
MAX_POSTS = 10_000


class KnownPost(NamedTuple):
    """A post that anybody may open who has the link."""

    comments: int
    key: str  # of an unlisted post, which a beacon for it must name; blank for a public post


_posts = StampedCache[KnownPost](MAX_AGE_SECONDS, most=MAX_POSTS)
_site_numbers = StampedCache[Statistics]()
_gate = DatabaseGate()  # not one_question: reading the snapshot may ask for totals through that one


def comments_of(post_id: int, key: str = "") -> int:
    """Return the number of comments of a public post, or of an unlisted post whose key is given.

    From memory for 10 s, else 1 query. While the database is away the last known number is returned. A query that
    hangs holds one thread of the process; others wait at most 1 s, and after that not at all for 5 s. Raises
    Post.DoesNotExist, and DatabaseError if nothing is known.
    """
    post = _post(post_id)
    if post.key and not hmac.compare_digest(post.key, key):
        raise Post.DoesNotExist
    return post.comments


def _post(post_id: int) -> KnownPost:
    if post := _posts.get(key=post_id):
        return post
    last = _posts.last(post_id)
    try:
        with one_question:
            return _posts.get(key=post_id) or _read(post_id)  # another thread may have read it meanwhile
    except DatabaseError:
        if last is None:
            raise
        return last.value


def site_numbers() -> Statistics | None:
    """Return the site's numbers, the last known ones while the database is away, None if there are none."""
    try:
        site = store.remembered()
        if site is None:
            with _gate:
                site = store.current_site()
    except DatabaseError:
        last = _site_numbers.last()
        return last.value if last else None
    _site_numbers.put(site.statistics)
    return site.statistics


def drop(posts: frozenset[int] | None) -> None:
    """Forget these posts, or all posts if it is None: they have changed."""
    if posts is None:
        _posts.reset()
    else:
        _posts.forget(*posts)


def _read(post_id: int) -> KnownPost:
    generation, read_at = coherence.generation(), time.monotonic()
    try:
        post = Post.objects.reachable().only("status", "slug", "comment_count").get(pk=post_id)
    except Post.DoesNotExist:
        _posts.forget(post_id)
        raise
    known = KnownPost(post.comment_count, post.address_key if post.status == Post.Status.UNLISTED else "")
    # A post that changed while it was read is good for this answer only. Checked under the cache's lock: a change that
    # comes later drops the entry.
    _posts.put(known, key=post_id, read_at=read_at, unless=lambda: generation != coherence.generation())
    return known


coherence.when_changed(drop)
