from typing import Any

from django import template
from django.http import QueryDict

from ..paging import numbers

register = template.Library()


@register.inclusion_tag("posts/_pager.html", takes_context=True)
def pager(context: dict[str, Any], current: int, last: int, anchor: str = "") -> dict[str, Any]:
    """Show numbered links to pages 1 to `last`; other parts of the query stay as they are."""
    query: QueryDict = context["request"].GET.copy()
    query.pop("page", None)
    rest = query.urlencode()

    def address(number: int) -> str:
        parts = [part for part in (rest, f"page={number}" if number > 1 else "") if part]
        return (f"?{'&'.join(parts)}" if parts else context["request"].path) + anchor

    links = [(number, address(number) if number else "") for number in numbers(current, last)]
    return {
        "current": current,
        "last": last,
        "links": links,
        "previous": address(current - 1) if current > 1 else "",
        "next": address(current + 1) if current < last else "",
    }
