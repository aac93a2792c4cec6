"""The pages readers see: lists, a post, search; each asks one queryset method."""

import math
from typing import Any
from urllib.parse import unquote

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from blog_xtg.security import DIAGRAM_POLICY

from .access import is_unlocked, unlock
from .models import Category, Post, Source, Tag
from .old_addresses import imported, old_page
from .paging import page_of, requested_page

DIAGRAM = '<pre class="mermaid">'
RECENT_POSTS = 5
QUERY_MAX_LENGTH = 100


def _list(request: HttpRequest, posts: QuerySet, heading: str = "", **context: Any) -> HttpResponse:
    return render(request, "posts/list.html", {"page": page_of(posts, request), "heading": heading, **context})


def _right_address(request: HttpRequest, address: str) -> HttpResponse | None:
    """Send a reader with a wrong or missing slug to the right address, the query kept."""
    if request.path == unquote(address):
        return None
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if "pageNo" in request.GET:
        return old_page(request, reverse("posts:home"), Post.objects.published())
    return _list(request, Post.objects.for_home(), show_pinned=True)


@require_safe
def category(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    found = get_object_or_404(Category, pk=pk)
    return _right_address(request, found.get_absolute_url()) or _list(
        request, Post.objects.for_list().in_category(found), found.name, introduction=found.introduction
    )


@require_safe
def source(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Source, pk=pk)
    return _list(request, Post.objects.for_list().from_source(found), found.name)


@require_safe
def tag(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Tag, slug=slug)
    return _list(request, Post.objects.for_list().tagged(found), f"# {found.name}")


@require_safe
def tags(request: HttpRequest) -> HttpResponse:
    """Every tag in use; the more posts, the larger, in four sizes."""
    found: list[Any] = list(Tag.objects.in_use())  # with post_count
    most = math.log(max((tag.post_count for tag in found), default=1)) or 1
    for tag in found:
        tag.size = 1 + round(3 * math.log(tag.post_count) / most)
    return render(request, "posts/tags.html", {"tags": sorted(found, key=lambda tag: tag.slug)})


@require_safe
def archive(request: HttpRequest, year: str = "", month: str = "") -> HttpResponse:
    posts = Post.objects.for_list()
    if year:
        posts = posts.in_month(int(year), int(month) if month else None)
    heading = "-".join(filter(None, [year, month])) or _("Archive")
    return _list(request, posts, heading, months=Post.objects.months())


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").replace("\0", "").strip()[:QUERY_MAX_LENGTH]
    posts = Post.objects.matching(query) if query else Post.objects.none()
    return render(request, "posts/search.html", {"page": page_of(posts, request), "query": query})


@require_http_methods(["GET", "HEAD", "POST"])
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
