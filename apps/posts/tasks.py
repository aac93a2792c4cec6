"""Doors for the periodic jobs; the schedule stands in blog_xtg/celery.py."""

from celery import shared_task

from .services import index_missing, rerender_stale
from .writing.revisions import prune


@shared_task
def rerender_stale_posts() -> int:
    return rerender_stale()


@shared_task
def index_missing_posts() -> int:
    return index_missing()


@shared_task
def prune_revisions() -> int:
    return prune()
