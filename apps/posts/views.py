"""The pages readers see: lists, a post, search; each asks one queryset method."""

import math
from typing import Any
from urllib.parse import unquote

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from blog_xtg.public import public_page
from blog_xtg.security import DIAGRAM_POLICY

from .access import is_unlocked, unlock
from .models import Category, Post, Source, Tag
from .old_addresses import imported, old_page
from .paging import POSTS_PER_PAGE, page_of, requested_page
from .search.query import search as find
from .search.query import suggest as find_titles
from .search.terms import QUERY_MAX_LENGTH

DIAGRAM = '<pre class="mermaid">'
RECENT_POSTS = 5


def _list(request: HttpRequest, posts: QuerySet, heading: str = "", **context: Any) -> HttpResponse:
    return render(request, "posts/list.html", {"page": page_of(posts, request), "heading": heading, **context})


def _right_address(request: HttpRequest, address: str) -> HttpResponse | None:
    """Send a reader with a wrong or missing slug to the right address, the query kept."""
    if request.path == unquote(address):
        return None
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


@require_safe
@public_page
def home(request: HttpRequest) -> HttpResponse:
    if "pageNo" in request.GET:
        return old_page(request, reverse("posts:home"), Post.objects.published())
    return _list(request, Post.objects.for_home(), show_pinned=True)


@require_safe
@public_page
def category(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    found = get_object_or_404(Category, pk=pk)
    return _right_address(request, found.get_absolute_url()) or _list(
        request, Post.objects.for_list().in_category(found), found.name, introduction=found.introduction
    )


@require_safe
@public_page
def source(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Source, pk=pk)
    return _list(request, Post.objects.for_list().from_source(found), found.name)


@require_safe
@public_page
def tag(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Tag, slug=slug)
    return _right_address(request, found.get_absolute_url()) or _list(
        request, Post.objects.for_list().tagged(found), f"# {found.name}"
    )


@require_safe
@public_page
def tags(request: HttpRequest) -> HttpResponse:
    """Every tag in use; the more posts, the larger, in four sizes."""
    found: list[Any] = list(Tag.objects.in_use())  # with post_count
    most = math.log(max((tag.post_count for tag in found), default=1)) or 1
    for tag in found:
        tag.size = 1 + round(3 * math.log(tag.post_count) / most)
    return render(request, "posts/tags.html", {"tags": sorted(found, key=lambda tag: tag.slug)})


@require_safe
@public_page
def archive(request: HttpRequest, year: str = "", month: str = "") -> HttpResponse:
    posts = Post.objects.for_list()
    if year:
        posts = posts.in_month(int(year), int(month) if month else None)
    heading = "-".join(filter(None, [year, month])) or _("Archive")
    months = Post.objects.months()
    if year and not any(f"{day:%Y-%m}".startswith(heading) for day, _number in months):
        raise Http404("Nothing was published then.")
    return _list(request, posts, heading, months=months)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    page = requested_page(request)
    results = find(asked, offset=(page - 1) * POSTS_PER_PAGE, limit=POSTS_PER_PAGE)
    last_page = max(1, math.ceil(results.total / POSTS_PER_PAGE))
    if page > last_page:
        raise Http404("No such page.")
    context = {"query": asked, "results": results, "page_number": page, "last_page": last_page}
    return render(request, "posts/search.html", context)


@require_safe
@cache_control(public=True, max_age=60)
def suggest(request: HttpRequest) -> HttpResponse:
    """Titles for what is being typed, as JSON (2 queries)."""
    found = [{"title": post.title, "url": post.get_absolute_url()} for post in find_titles(_asked(request))]
    return JsonResponse({"suggestions": found})


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:QUERY_MAX_LENGTH]


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def detail(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """The post; a POST brings the password of one that has one, and nothing else."""
    post = get_object_or_404(Post.objects.for_detail(request.user), pk=pk)
    moved = _right_address(request, post.get_absolute_url())
    if moved:
        return moved
    if not is_unlocked(request, post):
        return _ask_password(request, post)
    if request.method == "POST":
        return redirect(post)
    page = requested_page(request)
    if page > post.floor_pages:
        raise Http404("No such page of comments.")
    context: dict[str, Any] = {"post": post, "floor_page": page, "has_diagrams": DIAGRAM in post.html}
    if post.is_public and post.kind == Post.Kind.POST:
        context["previous"], context["next"] = Post.objects.neighbours_of(post)
        context["related"] = Post.objects.related_to(post)
    response = render(request, "posts/detail.html", context)
    if post.password or not post.is_public:
        patch_cache_control(response, private=True)
    if context["has_diagrams"]:
        response.headers["Content-Security-Policy"] = DIAGRAM_POLICY
    return response


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer a path that nothing else knows: 301 when an import recorded it, else 404 with a way on (2 queries)."""
    recent = Post.objects.for_list()[:RECENT_POSTS]
    return imported(request) or render(request, "404.html", {"recent": recent}, status=404)


def _ask_password(request: HttpRequest, post: Post) -> HttpResponse:
    error = ""
    if request.method == "POST":
        if unlock(request, post, request.POST.get("password", "")):
            return redirect(post)
        error = _("That is not the password.")
    response = render(request, "posts/password.html", {"post": post, "error": error}, status=403 if error else 200)
    add_never_cache_headers(response)
    return response
