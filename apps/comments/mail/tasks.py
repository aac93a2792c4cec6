from celery import shared_task

from apps.core.pages import store

from .delivery import deliver


# Runs share the letters out among themselves, and one called for a new comment must not be left out.
@shared_task(one_at_a_time=False, acks_late=False)
def deliver_mail() -> int:
    return deliver(store.current_site())
