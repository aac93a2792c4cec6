"""Doors for the periodic jobs; the schedule stands in blog_xtg/celery.py."""

from celery import shared_task
from django.core.management import call_command

from apps.comments.mail.delivery import deliver

from . import reconciling, store


@shared_task
def reconcile_components() -> int:
    return reconciling.reconcile_components()


@shared_task
def prune_sessions() -> None:
    call_command("clearsessions")


# Runs share the letters out among themselves, and one called for a new comment must not be left out.
@shared_task(one_at_a_time=False, acks_late=False)
def deliver_mail() -> int:
    return deliver(store.get())
