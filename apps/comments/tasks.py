"""Doors for the periodic jobs; the schedule stands in blog_xtg/celery.py."""

from celery import shared_task

from .mail.tasks import deliver_mail  # noqa: F401 (Celery looks for tasks here)
from .reactions.services import reconcile_reactions
from .services import reconcile_counts, rerender_stale


@shared_task
def reconcile_comments() -> int:
    return reconcile_counts() + reconcile_reactions()


@shared_task
def rerender_stale_comments() -> int:
    return rerender_stale()
