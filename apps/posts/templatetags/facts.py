from typing import Any

from django import template

from .. import facts
from ..models import Post

register = template.Library()


@register.simple_tag(takes_context=True)
def facts_of(context: dict[str, Any], post: Post) -> facts.Facts:
    """What _facts.html shows of a post."""
    return facts.facts_of(post, context["site"])
