"""The Celery app and the whole periodic schedule."""

import os

from celery import Celery
from celery.schedules import crontab

from . import reports  # noqa: F401 (listens to Celery's signals)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")

app = Celery("blog_xtg")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "flush views": {
        "task": "apps.stats.tasks.flush_views",
        "schedule": crontab(),
        "options": {"expires": 50},  # what piles up while no worker runs is of no use
    },
    # Letters go out as soon as there is something to tell; this sends those that had to wait.
    "deliver mail": {
        "task": "apps.components.tasks.deliver_mail",
        "schedule": crontab(),
        "options": {"expires": 50},
    },
    # Every full hour, midnight among them.
    "reconcile views": {
        "task": "apps.stats.tasks.reconcile_views",
        "schedule": crontab(minute="0"),
        "options": {"expires": 3000},
    },
    "reconcile comments": {
        "task": "apps.comments.tasks.reconcile_comments",
        "schedule": crontab(minute="0"),
        "options": {"expires": 3000},
    },
    # After the comments, whose counts it adds up.
    "reconcile site components": {
        "task": "apps.components.tasks.reconcile_components",
        "schedule": crontab(minute="5"),
        "options": {"expires": 3000},
    },
    "keep statistics bounded": {
        "task": "apps.stats.tasks.keep_bounded",
        "schedule": crontab(hour="4", minute="25"),
    },
    "re-render stale posts": {
        "task": "apps.posts.tasks.rerender_stale_posts",
        "schedule": crontab(hour="4", minute="10"),
    },
    "re-render stale comments": {
        "task": "apps.comments.tasks.rerender_stale_comments",
        "schedule": crontab(hour="4", minute="12"),
    },
    "index what the search lacks": {
        "task": "apps.posts.tasks.index_missing_posts",
        "schedule": crontab(hour="4", minute="15"),
    },
    "prune sessions": {
        "task": "apps.components.tasks.prune_sessions",
        "schedule": crontab(hour="4", minute="20"),
    },
}
