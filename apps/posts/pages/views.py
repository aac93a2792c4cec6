"""The pages readers see: lists, a post, search; each asks one queryset method."""

import datetime
import math
from typing import TypedDict

from django.db.models import BigIntegerField, DateTimeField
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.db.replicas import from_replica
from apps.core.http import rates
from apps.core.http.cache_policy import public_page
from apps.core.http.request_info import BlogRequest, client_address
from apps.core.http.security import DIAGRAM_POLICY, from_own_pages
from apps.core.pages.site import Shelf

from ..languages import default_name, language_tag
from ..models import Post
from ..passwords import is_unlocked, unlock
from ..search.query import search as find
from ..search.query import suggest as find_titles
from ..search.terms import QUERY_MAX_LENGTH
from ..visibility import is_visible_to
from .old_addresses import imported, old_page, renamed_tag, right_address
from .paging import POSTS_PER_PAGE, Page, PostList, bounds, requested_page
from .post_page import post_page

DIAGRAM = '<pre class="mermaid">'
RECENT_POSTS = 5
# Wrong passwords of one post from one address: a class of pupils has room, a guesser has not.
PASSWORDS, PASSWORDS_SECONDS = 100, 600
# From one address in a minute: nobody types as much, and a class behind one address has room.
SEARCHES, SUGGESTIONS = 60, 240


HOME = PostList("home", lambda: Post.objects.in_home_order())
CATEGORY = PostList("category", lambda pk: Post.objects.in_order().in_category(pk), pk=BigIntegerField())
SOURCE = PostList("source", lambda pk: Post.objects.in_order().from_source(pk), pk=BigIntegerField())
TAG = PostList("tag", lambda pk: Post.objects.in_order().tagged(pk), pk=BigIntegerField())
ARCHIVE = PostList("archive", lambda: Post.objects.in_order())
MONTH = PostList(
    "month",
    lambda first, beyond: Post.objects.in_order().in_time(first, beyond),
    first=DateTimeField(),
    beyond=DateTimeField(),
)


def _list(request: BlogRequest, page: Page, heading: str = "", **context: object) -> HttpResponse:
    return render(request, "posts/list.html", {"page": page, "heading": heading, **context})


class _Name(TypedDict):
    heading: str
    is_owners: bool


def _name(kind: str, shelf: Shelf) -> _Name:
    """The heading of a shelf's list, and whether the owner wrote it."""
    known = default_name(kind, shelf.name)
    return {"heading": known or shelf.name, "is_owners": not known}


def _shelf(shelves: dict[int, Shelf], key: int) -> Shelf:
    """Return the category or source as the snapshot has it. Raises Http404 when there is none."""
    found = shelves.get(key)
    if found is None:
        raise Http404("No such shelf.")
    return found


@require_safe
@public_page
def home(request: BlogRequest) -> HttpResponse:
    if "pageNo" in request.GET:
        return old_page(request, reverse("posts:home"), Post.objects.listed())
    return _list(request, HOME.page(request, request.site.statistics.posts), show_pinned=True)


@require_safe
@public_page
def category(request: BlogRequest, pk: str, slug: str = "") -> HttpResponse:
    found = _shelf(request.site.categories, int(pk))
    if elsewhere := right_address(request, found.url):
        return elsewhere
    page = CATEGORY.page(request, found.posts, pk=found.pk)
    return _list(request, page, **_name("category", found), introduction=found.introduction)


@require_safe
@public_page
def source(request: BlogRequest, pk: str) -> HttpResponse:
    found = _shelf(request.site.sources, int(pk))
    return _list(request, SOURCE.page(request, found.posts, pk=found.pk), **_name("source", found))


@require_safe
@public_page
def tag(request: BlogRequest, slug: str) -> HttpResponse:
    found = request.site.tags.get(slug) or renamed_tag(request.site, slug)
    if found is None:
        raise Http404("No such tag.")
    if elsewhere := right_address(request, found.url):
        return elsewhere
    return _list(request, TAG.page(request, found.posts, pk=found.pk), f"# {found.name}", is_owners=True)


@require_safe
@public_page
def tags(request: BlogRequest) -> HttpResponse:
    """Every tag in use; the more posts, the larger, in four sizes (no query)."""
    found = {slug: tag for slug, tag in request.site.tags.items() if tag.posts}
    most = math.log(max((tag.posts for tag in found.values()), default=1)) or 1
    sized = [(tag, 1 + round(3 * math.log(tag.posts) / most)) for _slug, tag in sorted(found.items())]
    return render(request, "posts/tags.html", {"tags": sized})


@require_safe
@public_page
def archive(request: BlogRequest, year: str = "", month: str = "") -> HttpResponse:
    heading = "-".join(filter(None, [year, month]))
    months = request.site.months
    total = sum(number for day, _url, number in months if f"{day:%Y-%m}".startswith(heading))
    if year and not total:
        raise Http404("Nothing was published then.")
    if year:
        first, beyond = _span(int(year), int(month) if month else None)
        page = MONTH.page(request, total, first=first, beyond=beyond)
    else:
        page = ARCHIVE.page(request, total)
    return _list(request, page, heading or _("Archive"), months=months)


def _span(year: int, month: int | None) -> tuple[datetime.datetime, datetime.datetime]:
    """Where the year, or month, begins in the site's time zone, and where the next one does."""
    zone = timezone.get_default_timezone()
    following = (year + 1, 1) if month in {None, 12} else (year, month + 1)
    return datetime.datetime(year, month or 1, 1, tzinfo=zone), datetime.datetime(*following, 1, tzinfo=zone)


@require_safe
@rates.limited("search", SEARCHES, 60)
@from_replica
def search(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    page = requested_page(request)
    results = find(asked, offset=(page - 1) * POSTS_PER_PAGE, limit=POSTS_PER_PAGE)
    last = bounds(page, results.total).last
    context = {"query": asked, "results": results, "page_number": page, "last_page": last}
    context["number_found"] = _number_found(results.total)
    return render(request, "posts/search.html", context)


def _number_found(number: int) -> str:
    if not number:
        return _("No posts found.")
    return ngettext("%(number)s post found.", "%(number)s posts found.", number) % {"number": number}


@require_safe
@rates.limited("suggest", SUGGESTIONS, 60)
@cache_control(no_cache=True)
@from_replica
def suggest(request: BlogRequest) -> HttpResponse:
    """Titles for what is being typed, as JSON (2 queries)."""
    site = request.site.language
    found = [
        {"title": post.title, "url": post.get_absolute_url(), "lang": language_tag(post.language or site)}
        for post in find_titles(_asked(request))
    ]
    return JsonResponse({"suggestions": found})


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:QUERY_MAX_LENGTH]


@from_own_pages  # the form that asks for a password is a page for all, without a token
@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def detail(request: BlogRequest, pk: str, slug: str = "") -> HttpResponse:
    """The post (see post_page); a POST brings the password of one that has one, and nothing else."""
    floor_page = requested_page(request)
    page = post_page(int(pk), floor_page, timezone.now(), request.site)
    if page is None or not is_visible_to(request.user, page.post, by_link=slug == page.post.slug):
        raise Http404("No such post.")
    post = page.post
    moved = right_address(request, post.get_absolute_url())
    if moved:
        return moved
    if not is_unlocked(request, post):
        return _ask_password(request, post)
    if request.method == "POST":
        return redirect(post)
    bounds(floor_page, post.last_floor, Post.FLOORS_PER_PAGE)  # else 404
    context = {"post": post, "page": page, "floor_page": floor_page, "has_diagrams": DIAGRAM in post.html}
    response = render(request, "posts/detail.html", context)
    if request.user.is_staff:
        add_never_cache_headers(response)
    elif not post.is_public:
        patch_cache_control(response, private=True)
    if context["has_diagrams"]:
        response.headers["Content-Security-Policy"] = DIAGRAM_POLICY
    return response


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer a path that nothing else knows: 301 when an import recorded it, else 404 with a way on (2 queries)."""
    recent = Post.objects.for_list().titles()[:RECENT_POSTS]
    return imported(request) or render(request, "404.html", {"recent": recent}, status=404)


def _ask_password(request: HttpRequest, post: Post) -> HttpResponse:
    error, status = "", 200
    if request.method == "POST":
        who = rates.neighbourhood(client_address(request))
        tries = f"password:{post.pk}:{who}"
        if rates.is_one_too_many(tries, PASSWORDS, PASSWORDS_SECONDS):
            error, status = _("Too many attempts. Please try again in 10 minutes."), 429
        elif unlock(request, post, request.POST.get("password", "")):
            rates.take_back(tries)  # a right one is no guess
            return redirect(post)
        else:
            error, status = _("Wrong password."), 403
    return render(request, "posts/password.html", {"post": post, "error": error}, status=status)
