"""The links of the older blog, and those an import recorded: each answers 301 to where the page is now."""

from urllib.parse import unquote

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, redirect

from apps.core.pages.site import Shelf, Snapshot

from ..addresses import last_page
from ..models import Category, OldAddress, OldTagSlug, Post, Source
from ..slugs import slugify
from ..visibility import is_visible_to
from .paging import MAX_DIGITS, POSTS_PER_PAGE


def _page_query(request: HttpRequest, last: int) -> str:
    """Translate `pageNo=n`, where -1 is the last page, -2 the one before; anything else is page 1."""
    asked = request.GET.get("pageNo", "")
    digits = asked.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
        return ""
    number = int(asked)
    page = max(1, last + 1 + number) if number < 0 else number
    return f"?page={page}" if page > 1 else ""


def old_page(request: HttpRequest, address: str, posts: QuerySet) -> HttpResponse:
    """Answer a list's old address (1 query, when the page is counted from the end)."""
    from_the_end = request.GET.get("pageNo", "").startswith("-")
    last = last_page(posts.count(), POSTS_PER_PAGE) if from_the_end else 1
    return HttpResponsePermanentRedirect(address + _page_query(request, last))


def article(request: HttpRequest, pk: int) -> HttpResponse:
    post = get_object_or_404(Post.objects.visible_to(request.user).only("slug", "last_floor"), pk=pk)
    return HttpResponsePermanentRedirect(post.get_absolute_url() + _page_query(request, post.floor_pages))


def category(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Category, pk=pk)
    return old_page(request, found.get_absolute_url(), Post.objects.listed().in_category(found))


def source(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Source, pk=pk)
    return old_page(request, found.get_absolute_url(), Post.objects.listed().from_source(found))


def right_address(request: HttpRequest, address: str) -> HttpResponse | None:
    """Send a reader with a wrong or missing slug to the right address, the query kept."""
    if request.path == unquote(address):
        return None
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


def renamed_tag(site: Snapshot, slug: str) -> Shelf | None:
    """Return the tag that has this slug in another spelling, or had it before (1 query); None when nothing is known."""
    slug = slugify(slug)
    found = site.tags.get(slug)
    if found is None and slug and (successor := OldTagSlug.objects.successor(slug)):
        found = site.tags.get(successor)
    return found


def setup(request: HttpRequest) -> HttpResponse:
    return redirect("/setup/", permanent=True)


def imported(request: HttpRequest) -> HttpResponse | None:
    """Return the redirect of a path an import recorded, None when nothing is known of it (1 query)."""
    if len(request.path) > OldAddress.PATH_MAX_LENGTH:
        return None
    known = OldAddress.objects.to(request.path)
    if known is None or not is_visible_to(request.user, known.post, by_link=known.was_whole(request.path)):
        return None
    return HttpResponsePermanentRedirect(known.post.get_absolute_url())
