"""Doors for the periodic jobs; the schedule stands in blog_xtg/celery.py."""

from celery import shared_task

from . import services


@shared_task
def flush_views() -> int:
    return services.flush_views()


@shared_task
def reconcile_views() -> int:
    return services.reconcile_views()


@shared_task
def keep_bounded() -> int:
    return services.keep_bounded()
