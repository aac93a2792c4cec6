"""The frame around every page, which is the same for all who read in one language."""

from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag(takes_context=True)
def framed(context: dict[str, Any], name: str) -> SafeString:
    """Show the template of that name, which sees nothing but `site`: rendered once for a snapshot and language.

    With DEBUG it is rendered for every page: what somebody edits shows at once.
    """
    site = context["site"]
    key = name, get_language()
    part: SafeString | None = site.rendered.get(key)
    if part is None or settings.DEBUG:
        part = site.rendered[key] = SafeString(render_to_string(name, {"site": site}))
    return part
