"""Where pages ask for reactions and send them."""

import json
from typing import NamedTuple

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from apps.core.http.request_info import BlogRequest, client_address
from apps.core.http.security import from_own_pages
from apps.posts.passwords import is_unlocked
from apps.posts.references import referred_post

from ..models import Comment
from . import services
from .models import Reaction

MAX_BYTES = 500
HIGHEST_FLOOR = 2**31 - 1
UNKEPT = {"Cache-Control": "private, no-store"}


class Asked(NamedTuple):
    """`kind` is blank where nothing but the numbers is asked for."""

    visitor: str
    floors: tuple[int, int]
    floor: int
    kind: str
    on: bool


# No cookie says who this is, so nobody can be made to send it; and as JSON no form of another site can.
@from_own_pages
@require_POST
def reacted(request: BlogRequest, reference: str) -> HttpResponse:
    """Answer the reactions to a post and some of its comments; before that, give or take back one.

    Takes `{"visitor": id, "floors": [first, last]}` and, to react, `"kind"`, `"floor"` (0: the post itself) and `"on"`.
    Answers `{"counts": {floor: {kind: number}}, "mine": {floor: [kind]}}`, and `"visitor"` when it has made one. 400
    for anything else, 404 for what this reader can't see, 429 when it is too often.
    """
    try:
        asked = _asked(request)
    except (ValueError, TypeError, RecursionError):
        return JsonResponse({"error": "Not understood."}, status=400, headers=UNKEPT)
    post = referred_post(request, reference)
    if not is_unlocked(request, post):
        raise Http404("A password is needed.")
    visitor, answer = services.visitor_of(asked.visitor), {}
    if asked.kind:
        try:
            address = client_address(request)
            if not visitor:
                answer["visitor"] = services.new_visitor(address)
                visitor = services.visitor_of(answer["visitor"])
            services.react(post, floor=asked.floor, kind=asked.kind, visitor=visitor, on=asked.on, address=address)
        except services.TooMany:
            return JsonResponse({"error": "Too often."}, status=429, headers={**UNKEPT, "Retry-After": "60"})
        except Comment.DoesNotExist:
            raise Http404("No such comment.") from None
    return JsonResponse(services.standing(post, *asked.floors, visitor) | answer, headers=UNKEPT)


def _asked(request: BlogRequest) -> Asked:
    """Read the message. Raises ValueError or TypeError for what is none."""
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES or request.content_type != "application/json":
        raise ValueError
    message: object = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError
    first, last = message.get("floors", (1, 0))
    visitor, kind = message.get("visitor", ""), message.get("kind", "")
    floor, on = message.get("floor", 0), message.get("on", True)
    if not all(type(number) is int and 0 <= number <= HIGHEST_FLOOR for number in (first, last, floor)):
        raise ValueError
    if type(visitor) is not str or type(on) is not bool or (kind and kind not in Reaction.Kind.values):
        raise ValueError
    return Asked(visitor, (first, last), floor, kind, on)
