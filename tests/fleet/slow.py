"""The blog with a renderer that now and then takes long, so that changes come in the middle of it."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.template.backends.jinja2 import Template

from blog_xtg.asgi import application as asgi  # sets Django up, without which there are no apps
from blog_xtg.wsgi import application as wsgi

# isort: split
from apps.components import snapshot
from apps.posts.pages import feeds, related

__all__ = ["asgi", "wsgi"]

SLOWEST_SECONDS = 0.25


def _slowly(make: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(make)
    def made(*args: Any, **kwargs: Any) -> Any:
        found = make(*args, **kwargs)
        # After the queries were made, and before the page is handed to those who would keep it.
        time.sleep(random.choice([0, 0, SLOWEST_SECONDS * random.random()]))
        return found

    return made


_render = _slowly(Template.render)
Template.render = lambda *args, **kwargs: _render(*args, **kwargs) + "<!-- by the slow renderer -->"
feeds.SiteFeed._respond = _slowly(feeds.SiteFeed._respond)
# Caches besides that of pages: the snapshot, and which posts lead to which.
snapshot.build = _slowly(snapshot.build)
related._read = _slowly(related._read)
