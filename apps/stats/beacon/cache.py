"""What the beacon asks all the time, remembered: posts that anybody may open by link, and the site's numbers."""

import hmac
import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from django.db import DatabaseError

from apps.core.db.gate import DatabaseGate, one_question
from apps.core.pages import coherence, store
from apps.core.pages.site import Statistics
from apps.posts.models import Post

MAX_AGE_SECONDS = 10
MAX_POSTS = 10_000


class KnownPost(NamedTuple):
    """Of a post that anybody may open who has the link."""

    comments: int
    key: str  # that who asks must know; blank for a public post


_lock = threading.Lock()
_kept: OrderedDict[int, tuple[float, KnownPost]] = OrderedDict()  # with the time it was read
_reading = DatabaseGate()  # not one_question: who reads the snapshot may have to ask for totals in between
_site_numbers: Statistics | None = None


def comments_of(post_id: int, key: str = "") -> int:
    """Return how many comments the post has, a public one, or an unlisted one whose key is given.

    From memory for 10 s, then 1 query; with the database away what was known last stands, and for 5 s nobody asks
    again. One that hangs holds one thread of the process, the others wait 1 s at most. Raises Post.DoesNotExist, and
    DatabaseError when nothing is known.
    """
    post = _post(post_id)
    if post.key and not hmac.compare_digest(post.key, key):
        raise Post.DoesNotExist
    return post.comments


def _post(post_id: int) -> KnownPost:
    if post := _remembered(post_id):
        return post
    kept = _kept.get(post_id)
    try:
        with one_question:
            return _remembered(post_id) or _asked(post_id)  # somebody may have been faster
    except DatabaseError:
        if kept is None:
            raise
        return kept[1]


def site_numbers() -> Statistics | None:
    """Return the site's numbers; with the database away those known last, if any were."""
    global _site_numbers
    try:
        site = store.remembered()
        if site is None:
            with _reading:
                site = store.current_site()
    except DatabaseError:
        return _site_numbers
    _site_numbers = site.statistics
    return _site_numbers


def drop(posts: frozenset[int] | None) -> None:
    """Forget these posts, which have changed; all of them when it is None."""
    with _lock:
        if posts is None:
            _kept.clear()
        else:
            for post_id in posts:
                _kept.pop(post_id, None)


def _remembered(post_id: int) -> KnownPost | None:
    kept = _kept.get(post_id)
    return kept[1] if kept is not None and time.monotonic() - kept[0] < MAX_AGE_SECONDS else None


def _asked(post_id: int) -> KnownPost:
    generation, began = coherence.generation(), time.monotonic()
    try:
        post = Post.objects.reachable().only("status", "slug", "comment_count").get(pk=post_id)
    except Post.DoesNotExist:
        drop(frozenset([post_id]))
        raise
    known = KnownPost(post.comment_count, post.address_key if post.status == Post.Status.UNLISTED else "")
    with _lock:
        # What was read while somebody changed it is good for this answer alone.
        if generation == coherence.generation():
            _kept[post_id] = (began, known)
            _kept.move_to_end(post_id)
            if len(_kept) > MAX_POSTS:
                _kept.popitem(last=False)
    return known


coherence.when_changed(drop)
