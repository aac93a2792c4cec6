"""Which posts anybody may read, and how many comments they have: the beacon asks all the time, so it is remembered."""

import threading
import time
from collections import OrderedDict

from django.db import DatabaseError

from apps.posts.models import Post

from . import coherence

MAX_AGE_SECONDS = 10
MAX_POSTS = 10_000

_lock = threading.Lock()
_kept: OrderedDict[int, tuple[float, int]] = OrderedDict()


def known(post_id: int) -> int:
    """Return how many comments the post has that anybody may open by link.

    From memory for 10 s, then 1 query; with the database away what was known last stands. Raises Post.DoesNotExist.
    """
    kept = _kept.get(post_id)
    if kept is not None and time.monotonic() - kept[0] < MAX_AGE_SECONDS:
        return kept[1]
    generation, began = coherence.generation(), time.monotonic()
    try:
        comments = Post.objects.for_everybody().numbers(post_id)["post_comments"]
    except Post.DoesNotExist:
        drop(frozenset([post_id]))
        raise
    except DatabaseError:
        if kept is None:
            raise
        comments = kept[1]  # and again for 10 s, so that not every view waits for a database that is away
    with _lock:
        # What was read while somebody changed it is good for this answer alone.
        if generation == coherence.generation():
            _kept[post_id] = (began, comments)
            _kept.move_to_end(post_id)
            if len(_kept) > MAX_POSTS:
                _kept.popitem(last=False)
    return comments


def drop(posts: frozenset[int] | None) -> None:
    """Forget these posts, which have changed; all of them when it is None."""
    with _lock:
        if posts is None:
            _kept.clear()
        else:
            for post_id in posts:
                _kept.pop(post_id, None)


coherence.when_changed(drop)
