"""Pages that are the same for every reader who has no session: what makes them fit for caches."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from ..db.replicas import from_replica

# A browser asks each time (a 304 costs nothing); shared caches answer for a second by themselves. None may show an old
# copy beyond that (s-maxage says so, RFC 9111, 5.2.2.10): it might be of something that has been withdrawn since. Only
# our own nginx does while the blog is down, because it can be told to forget (apps/core/pages/cache_epoch.py).
SHARED = "public, max-age=0, s-maxage=1"
OWN = "private, no-cache"


def is_anonymous(request: HttpRequest) -> bool:
    """Whether the request carries nothing that could make its page another than everybody's."""
    return settings.SESSION_COOKIE_NAME not in request.COOKIES and "HTTP_AUTHORIZATION" not in request.META


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let caches keep what the view answers to readers without a session, unless it says otherwise itself.

    The answer must be a pure function of the address, the language and what is stored: no token, no cookie, no name.
    A replica of the database may make it.
    """

    made = from_replica(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = made(request, *args, **kwargs)
        if response.status_code == 200 and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = SHARED if is_anonymous(request) else OWN
            patch_vary_headers(response, ("Cookie",))
        return response

    answer.shows_the_site = True  # type: ignore[attr-defined]
    return answer


def shows_the_site(view: Callable[..., object]) -> bool:
    """Whether the view is a public page, and so shows the site components."""
    return getattr(view, "shows_the_site", False)
