"""Give each request its site and language, and answer anonymous readers from the page cache."""

import re
import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from ..db import replicas
from ..http.cache_policy import SHARED, is_anonymous, shows_the_site
from ..http.languages import accepted_language, chosen_language
from ..http.request_info import BlogRequest
from ..observability import metrics
from . import coherence, dependencies, store
from .page_cache import VARIANT, Page, keep_for_this_second, pages

if TYPE_CHECKING:
    from .site import Snapshot

# Answers without text: they need no language, so they must not wait for the database.
WORDLESS = ("/static/", "/style-", "/media/", "/stats/view")
# Answers of these statuses without Cache-Control get a page's: browsers and CDNs would choose a lifetime, for
# a 301 of days. The errors are among them because nginx keeps them in place of the page that was there.
FOR_A_SECOND = {200, 301, 302, 304, 403, 404, 410}

# Parameters that advertisers and mailers add to addresses. They do not change the page.
TRACKING = re.compile(
    r"(?:^|&)(?:utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|mc_[ce]id|yclid|_openstat|igshid|twclid|ttclid|spm|scm"
    r"|share_token|from=\w*timeline|isappinstalled)(?:=[^&]*)?(?=&|$)"
)
MOST_SECONDS_OFF = 24 * 3600  # between the clocks of two machines
# The parameters that public pages read, and the queries under which a page is cached: a page of a list, some floors of
# a post. `edition` asks for floors that have just changed, so such an answer is never cached.
KNOWN = re.compile(r"(?:page|pageNo|after|to|edition)(?:=|$)")
NUMBERED = re.compile(r"(?:page=[1-9][0-9]{0,8}|after=(?:0|[1-9][0-9]{0,8})&to=[1-9][0-9]{0,8})?")


class PublicPageMiddleware:
    """Answer anonymous readers from the page cache. Stands first, so that a cached page passes no other middleware.

    A page that is not cached is rendered, given an ETag, compressed as the reader accepts it, and cached. A cached page
    costs no query and no round trip while the subscription to changes is alive; without it the cache is not used.
    """

    def __init__(self, get_response: Callable[[BlogRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: BlogRequest) -> HttpResponse:
        if not is_anonymous(request) or request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        if request.path_info.startswith(WORDLESS):
            return self.get_response(request)
        request.asked_at = _asked_at(request)
        _tidy(request)
        key = _key(request) if settings.PAGE_CACHE_BYTES and coherence.backend().is_current() else None
        if key is None:
            return self._rendered(request, None)
        page = _kept(key)
        if page is None:
            with pages.making(key):
                # Another thread may have cached it meanwhile, or the subscription may have ended.
                page = _kept(key) if coherence.backend().is_current() else None
                if page is None:
                    return self._rendered(request, key)
        request.answered_by = metrics.KEPT_PAGE
        return page.answer(request)

    def _rendered(self, request: BlogRequest, key: Hashable) -> HttpResponse:
        generation = coherence.generation()
        metrics.rendered.inc()
        # A reader with a form's token may have just written something, and must find it: a replica may be behind.
        if settings.CSRF_COOKIE_NAME not in request.COOKIES and coherence.backend().is_current():
            request.replica = replicas.caught_up(generation)
        with dependencies.collecting() as posts:
            response = self.get_response(request)
        if response.cookies:
            return response
        is_shared = response.headers.get("Cache-Control") == SHARED
        if response.status_code in FOR_A_SECOND and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = SHARED
            keep_for_this_second(request, response)
        if response.status_code != 200 or not is_shared:
            return response
        site = request.site
        seconds = min(coherence.backend().page_seconds, site.next_due_at - time.time())
        page = Page(response, site.frame, frozenset(posts), time.monotonic() + seconds)
        answer = page.answer(request)
        if key:  # only now is the page compressed, and its size known
            pages.put(key, page, generation)
        return answer


def _is_public_page(request: BlogRequest) -> bool:
    try:
        return shows_the_site(resolve(request.path_info).func)
    except Resolver404:
        return False


def _asked_at(request: BlogRequest) -> float:
    """Return when the reader asked, by the clock of nginx, which will compare with it; without nginx by our own."""
    now = time.time()
    try:
        asked_at = float(request.META["HTTP_X_ASKED_AT"]) if settings.TRUSTED_PROXIES else now
    except (KeyError, ValueError):
        return now
    return asked_at if abs(asked_at - now) < MOST_SECONDS_OFF else now  # nan is never less


def _tidy(request: BlogRequest) -> None:
    """Remove what does not change the page: tracking parameters, and the encoding from an ETag.

    From the address of a public page every parameter is removed that public pages do not read.
    """
    query = request.META.get("QUERY_STRING", "")
    if query:
        query = TRACKING.sub("", query).lstrip("&")
        if not NUMBERED.fullmatch(query) and _is_public_page(request):
            query = "&".join(part for part in query.split("&") if KNOWN.match(part))
        request.META["QUERY_STRING"] = query
    if known := request.META.get("HTTP_IF_NONE_MATCH"):
        request.META["HTTP_IF_NONE_MATCH"] = VARIANT.sub("", known)


def _key(request: BlogRequest) -> Hashable:
    """Return the key of the page, None if it is not cached. Not by host: pages take their addresses from SITE_URL."""
    query = request.META.get("QUERY_STRING", "")
    if not NUMBERED.fullmatch(query):
        return None
    return (request.is_secure(), request.path, query, chosen_language(request))


def _kept(key: Hashable) -> Page | None:
    try:
        return pages.get(key, store.current_site().frame)
    except DatabaseError:
        return None


class SiteMiddleware:
    """Set `request.site`, read at first use, and the language: the reader's choice, else the site's.

    The set-up page uses the browser's first language that the blog has, because no owner has chosen one yet.
    """

    def __init__(self, get_response: Callable[[BlogRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.setup_path = reverse("components:setup")

    def __call__(self, request: BlogRequest) -> HttpResponse:
        request.site = cast("Snapshot", SimpleLazyObject(store.current_site))
        is_setup = request.path_info == self.setup_path
        language = chosen_language(request) or (is_setup and accepted_language(request)) or _site_language(request)
        with translation.override(language):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
        # Pictures and sitemaps have no text, and a feed is in the site's language.
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers["Content-Language"] = request.LANGUAGE_CODE
            patch_vary_headers(response, ("Accept-Language", "Cookie") if is_setup else ("Cookie",))
        return response

    def process_view(
        self, request: BlogRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> None:
        """Read the snapshot now for a view that shows it: reading it through the lazy object takes 10 % of a page."""
        if shows_the_site(view):
            request.site = store.current_site()


def _site_language(request: BlogRequest) -> str:
    if request.path.startswith(WORDLESS):
        return settings.LANGUAGE_CODE
    try:
        language: str = request.site.language
        return language
    except DatabaseError:  # error pages must work without a database
        return settings.LANGUAGE_CODE
