"""Doors for the periodic jobs; the schedule stands in blog_xtg/celery.py."""

from celery import shared_task

from .models import Draft
from .services import index_missing, rerender_stale
from .writing.revisions import prune


@shared_task
def rerender_stale_posts() -> int:
    return rerender_stale()


@shared_task
def index_missing_posts() -> int:
    return index_missing()


@shared_task
def forget_old_drafts() -> int:
    """Delete the drafts that nobody has touched for 90 days; return how many."""
    return Draft.objects.forgotten().delete()[0]


@shared_task
def prune_revisions() -> int:
    return prune()
