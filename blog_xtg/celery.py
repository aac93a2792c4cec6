"""The Celery app and the whole periodic schedule.

Every host may run a beat: one holds the lock in Redis and works, the others stand by (see CELERY_BEAT_SCHEDULER in the
settings). What stands here is what runs: the beat's store in Redis is made anew from it whenever one starts.
"""

import logging
import os
import sys
import time

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init
from django.conf import settings

from apps.core.environment import one_sentence
from apps.core.observability import task_reports  # noqa: F401 (listens to Celery's signals)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
if sys.argv[0].endswith(("/celery", "/celery/__main__.py")):  # its command line would show a traceback
    with one_sentence():
        settings.SECRET_KEY  # noqa: B018 (reads them)
logger = logging.getLogger(__name__)

app = Celery("blog_xtg", task_cls="apps.core.jobs:Job")
app.set_default()  # in every thread
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
        "task": "apps.comments.mail.tasks.deliver_mail",
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
        "schedule": crontab(minute="10"),
        "options": {"expires": 3000},
    },
    "re-render stale comments": {
        "task": "apps.comments.tasks.rerender_stale_comments",
        "schedule": crontab(hour="4", minute="12"),
    },
    "index what the search lacks": {
        "task": "apps.posts.tasks.index_missing_posts",
        "schedule": crontab(hour="4", minute="15"),
    },
    "forget old drafts": {
        "task": "apps.posts.tasks.forget_old_drafts",
        "schedule": crontab(hour="4", minute="18"),
    },
    "prune revisions": {
        "task": "apps.posts.tasks.prune_revisions",
        "schedule": crontab(hour="4", minute="30"),
    },
    "prune sessions": {
        "task": "apps.components.tasks.prune_sessions",
        "schedule": crontab(hour="4", minute="20"),
    },
}


# Connected before the scheduler's own receiver, which takes the lock.
@beat_init.connect
def leave_it_to_the_designated_host(**kwargs: object) -> None:
    """Where BEAT_NODE names another host, wait for the end: a beat that exited would be started again and again."""
    if settings.BEAT_NODE in {"", settings.BLOG_HOST}:
        return
    logger.warning("BEAT_NODE gives the schedule to %s; on %s it rests.", settings.BEAT_NODE, settings.BLOG_HOST)
    while True:
        time.sleep(3600)
