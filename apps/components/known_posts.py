"""Which posts anybody may read, and how many comments they have, remembered for a moment: the beacon asks all the time.

Whoever hears that a post has changed drops it here.
"""

import threading
import time
from collections import OrderedDict

from django.db import DatabaseError

from apps.posts.models import Post

MAX_AGE_SECONDS = 10
MAX_POSTS = 10_000

_lock = threading.Lock()
_kept: OrderedDict[int, tuple[float, int]] = OrderedDict()
_stamp = object()


def known(post_id: int) -> int:
    """Return how many comments the post has that anybody may open by link.

    From memory for 10 s, then 1 query; with the database away what was known last stands. Raises Post.DoesNotExist.
    """
    kept = _kept.get(post_id)
    if kept is not None and time.monotonic() - kept[0] < MAX_AGE_SECONDS:
        return kept[1]
    stamp, began = _stamp, time.monotonic()
    try:
        comments = Post.objects.for_everybody().numbers(post_id)["post_comments"]
    except Post.DoesNotExist:
        drop(post_id)
        raise
    except DatabaseError:
        if kept is None:
            raise
        comments = kept[1]  # and again for 10 s, so that not every view waits for a database that is away
    with _lock:
        # What was read while somebody changed it is good for this answer alone.
        if stamp is _stamp:
            _kept[post_id] = (began, comments)
            _kept.move_to_end(post_id)
            if len(_kept) > MAX_POSTS:
                _kept.popitem(last=False)
    return comments


def drop(post_id: int) -> None:
    """Forget that post: it has changed."""
    global _stamp
    with _lock:
        _stamp = object()
        _kept.pop(post_id, None)


def drop_all() -> None:
    """Forget everything: anything may have changed."""
    global _stamp
    with _lock:
        _stamp = object()
        _kept.clear()
