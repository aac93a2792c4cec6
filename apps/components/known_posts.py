"""What the beacon asks all the time, remembered: which posts anybody may read, their comments, the site's numbers."""

import threading
import time
from collections import OrderedDict

from django.db import DatabaseError

from apps.posts.models import Post
from apps.stats.patience import Turn, one_question

from . import coherence, store
from .snapshot import Statistics

MAX_AGE_SECONDS = 10
MAX_POSTS = 10_000

_lock = threading.Lock()
_kept: OrderedDict[int, tuple[float, int]] = OrderedDict()
_reading = Turn()  # not one_question: who reads the snapshot may have to ask for totals in between
_statistics: Statistics | None = None


def known(post_id: int) -> int:
    """Return how many comments the post has that anybody may open by link.

    From memory for 10 s, then 1 query; with the database away what was known last stands, and for 5 s nobody asks
    again. One that hangs holds one thread of the process, the others wait 1 s at most. Raises Post.DoesNotExist, and
    DatabaseError when nothing is known.
    """
    if (comments := _remembered(post_id)) is not None:
        return comments
    kept = _kept.get(post_id)
    try:
        with one_question:
            comments = _remembered(post_id)  # somebody may have been faster
            return _asked(post_id) if comments is None else comments
    except DatabaseError:
        if kept is None:
            raise
        return kept[1]


def statistics() -> Statistics | None:
    """Return the site's numbers; with the database away those known last, if any were."""
    global _statistics
    try:
        if site := store.remembered():
            _statistics = site.statistics
        else:
            with _reading:
                _statistics = store.get().statistics
    except DatabaseError:
        pass
    return _statistics


def drop(posts: frozenset[int] | None) -> None:
    """Forget these posts, which have changed; all of them when it is None."""
    with _lock:
        if posts is None:
            _kept.clear()
        else:
            for post_id in posts:
                _kept.pop(post_id, None)


def _remembered(post_id: int) -> int | None:
    kept = _kept.get(post_id)
    return kept[1] if kept is not None and time.monotonic() - kept[0] < MAX_AGE_SECONDS else None


def _asked(post_id: int) -> int:
    generation, began = coherence.generation(), time.monotonic()
    try:
        comments = Post.objects.for_everybody().numbers(post_id)["post_comments"]
    except Post.DoesNotExist:
        drop(frozenset([post_id]))
        raise
    with _lock:
        # What was read while somebody changed it is good for this answer alone.
        if generation == coherence.generation():
            _kept[post_id] = (began, comments)
            _kept.move_to_end(post_id)
            if len(_kept) > MAX_POSTS:
                _kept.popitem(last=False)
    return comments


coherence.when_changed(drop)
