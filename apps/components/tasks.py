"""Doors for the periodic jobs; the schedule stands in blog_xtg/celery.py."""

from celery import shared_task
from django.core.management import call_command

from . import reconciling


@shared_task
def reconcile_components() -> int:
    return reconciling.reconcile_components()


@shared_task
def prune_sessions() -> None:
    call_command("clearsessions")
