from typing import Any

from django import template
from django.utils.safestring import SafeString

from .. import facts
from ..models import Post

register = template.Library()


@register.simple_tag(takes_context=True)
def facts_of(context: dict[str, Any], post: Post, live: bool = False) -> SafeString:
    """The line of facts under a post's title."""
    return facts.facts_of(post, context["site"], live=live)
