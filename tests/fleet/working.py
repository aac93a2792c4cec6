"""The program's own Celery app, with jobs that change what pages show, and that say what a worker remembers."""

import time

from django.db import transaction

from apps.core.redis.clients import insistent_client
from blog_xtg.celery import app


@app.task(name="tests.rename")
def rename(title: str) -> None:
    """Change the site's title; note when it was committed and told, by the clock that all processes here share."""
    from apps.components.models import SiteIdentity

    moments: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: moments.append(time.monotonic()))
        SiteIdentity(title=title).save()
    insistent_client().rpush("renamed", f"{moments[0]} {time.monotonic()}")


@app.task(name="tests.remembered")
def remembered() -> None:
    from apps.core.pages import store

    insistent_client().rpush("remembered", store.current_site().title)
