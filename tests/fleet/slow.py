"""The blog with a renderer that now and then takes long, so that changes come in the middle of it."""

import random
import time
from typing import Any

from django.template.backends.jinja2 import Template

from blog_xtg.asgi import application as asgi
from blog_xtg.wsgi import application as wsgi

__all__ = ["asgi", "wsgi"]

SLOWEST_SECONDS = 0.25
_render = Template.render


def _slowly(self: Template, *args: Any, **kwargs: Any) -> Any:
    text = _render(self, *args, **kwargs)
    # After the queries were made, and before the page is handed to those who would keep it.
    time.sleep(random.choice([0, 0, SLOWEST_SECONDS * random.random()]))
    return text + "<!-- by the slow renderer -->"


Template.render = _slowly  # type: ignore[method-assign]
