"""The WSGI application, for gunicorn's threads."""

import os
from collections.abc import Callable, Iterable

import django

from apps.core.environment import one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
with one_sentence():
    django.setup(set_prefix=False)

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse
from django.utils.module_loading import import_string

from apps.core.http.shortcut import Shortcut

BEACON = "stats:beacon"

application: Callable[..., Iterable[bytes]] = WSGIHandler()
if settings.REDIS_URL:  # a blog of one counts in its database, whose connections Django looks after
    answer = import_string("apps.stats.beacon.answer.answer")
    application = Shortcut(application, reverse(BEACON), BEACON, answer)
