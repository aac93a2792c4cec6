"""The beacon as Django answers it: for readers with a session, and for a blog of one."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from .answer import answer


@csrf_exempt  # it counts a view, and every reader may send one; asked for where it comes from, it would cost more
def view(request: HttpRequest) -> HttpResponse:
    """Answer a beacon as its reader may see the post (see answer())."""
    status, headers, body = answer(request.META, request, request.user)
    return HttpResponse(body, status=status, headers=dict(headers))
