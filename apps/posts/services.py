"""What is done to many posts at once."""

from django.db import transaction

from .models import Post
from .models.post import month_number


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
