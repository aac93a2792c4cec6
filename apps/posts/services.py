"""Services for many posts at once."""

from collections.abc import Callable

from django.db import transaction

from .models import Post
from .models.post import month_number
from .search import index, tokens

INDEXED_AT_ONCE = 400


def rerender_stale() -> int:
    """Bring every post up to this renderer's version and return how many were behind.

    A post at a time, its row locked, so that an edit made meanwhile is neither overwritten nor rendered from the old
    text; stopping half-way loses nothing. Three statements a post.
    """
    done = 0
    for pk in list(Post.objects.stale().values_list("pk", flat=True)):
        with transaction.atomic():
            post = Post.objects.select_for_update().filter(pk=pk).first()
            if post is not None:
                post.rerender()
                done += 1
    return done


def correct_months() -> int:
    """Put each post into the month that the site's present time zone says; return how many stood in another.

    The months are stored; a new TIME_ZONE moves posts published near midnight. 1 query, and one for each post moved.
    """
    moved = 0
    for pk, published_at, stored in Post.objects.stored_months():
        if (month := month_number(published_at)) != stored:
            moved += Post.objects.set_month(pk, month)
    return moved


def index_missing(progress: Callable[[int], None] | None = None) -> int:
    """Index what the search doesn't hold yet, or holds as an older version of it would; return how many posts.

    In batches of 400, each in a transaction of its own with its posts locked, so that an edit made meanwhile is not
    lost; stopping half-way loses nothing. 1 query when nothing is missing. About 10 ms a post of 600 words.
    """
    done = 0
    last = 0
    while ids := list(Post.objects.unindexed(tokens.VERSION, last).values_list("pk", flat=True)[:INDEXED_AT_ONCE]):
        with transaction.atomic():
            index.write(list(Post.objects.to_index(ids)))
        last = ids[-1]
        done += len(ids)
        if progress:
            progress(done)
    return done


def rebuild_search(progress: Callable[[int], None] | None = None) -> int:
    """Empty the index and write it anew; until a post's turn has come it is not found."""
    index.clear()
    return index_missing(progress)
