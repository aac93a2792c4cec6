"""Some floors of a post as HTML, for pages that lie open."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from apps.core.http.cache_policy import public_page
from apps.core.http.request_info import BlogRequest
from apps.posts.models import Post
from apps.posts.passwords import is_unlocked
from apps.posts.references import is_referred_to, number_in

from ..items import items
from .floors import floors_of

_MAX_DIGITS = 9


@require_safe
@public_page
def floors(request: BlogRequest, reference: str) -> HttpResponse:
    """Answer the comments on floors `after` + 1 to `to`, 20 at most and in their order, as the post's page shows them.

    Who may not read the post gets a 404, and so do floors that have not been handed out: a bounded number of addresses
    has an answer. Costs 1 query, and nothing when the page cache has it.
    """
    after, to = _number(request, "after"), _number(request, "to")
    if not after < to <= after + Post.FLOORS_PER_PAGE:
        raise Http404("No such floors.")
    post, comments = floors_of(number_in(reference), after + 1, to)
    if post is None or to > post.last_floor:
        raise Http404("No such floors.")
    if not (is_referred_to(request, post, reference) and is_unlocked(request, post)):
        raise Http404("No such floors.")
    response = HttpResponse("".join(items(request, post, comments)))
    response.headers["X-Robots-Tag"] = "noindex"
    if not post.is_public:
        patch_cache_control(response, private=True)
    return response


def _number(request: HttpRequest, name: str) -> int:
    asked = request.GET.get(name, "")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= _MAX_DIGITS):
        raise Http404("No such floors.")
    return int(asked)
