"""Numbered links to the pages of a list."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from jinja2 import pass_context
from jinja2.runtime import Context

from .paging import numbers


@pass_context
def pager(context: Context, current: int, last: int, anchor: str = "") -> SafeString:
    """Show links to pages 1 to `last`, if there are several; other parts of the query stay as they are."""
    if last <= 1:
        return SafeString()
    request = context["request"]
    query = request.GET.copy()
    query.pop("page", None)
    rest = query.urlencode()

    def address(number: int) -> str:
        parts = [part for part in (rest, f"page={number}" if number > 1 else "") if part]
        return (f"?{'&'.join(parts)}" if parts else request.path) + anchor

    shown = {
        "current": current,
        "links": [(number, address(number) if number else "") for number in numbers(current, last)],
        "previous": address(current - 1) if current > 1 else "",
        "next": address(current + 1) if current < last else "",
    }
    return SafeString(render_to_string("posts/_pager.html", shown))
