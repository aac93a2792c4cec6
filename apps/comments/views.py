"""The comment form on a page of its own, and where it posts."""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.posts.access import is_unlocked
from apps.posts.models import Post
from blog_xtg.client import BlogRequest

from .forms import CommentForm
from .moderation import held_url
from .screening import Refused, Submission, screen
from .services import CommentsClosed, add_comment


@never_cache
@csrf_exempt  # asked below, so that a failed check gives the reader the text back instead of an error page
@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: BlogRequest, pk: int) -> HttpResponse:
    """Show the form, or store a comment and lead the reader to its floor.

    `?part` asks for the form alone, which the post page puts in its place. A failed submit shows what was typed.
    """
    post = get_object_or_404(Post.objects.for_comment(request.user), pk=pk)
    if not is_unlocked(request, post):
        return redirect(post)
    if not (post.comments_open and request.site.comments_open):
        return _closed(request, post)
    initial = {"reply_to_floor": floor} if (floor := _floor(request.GET.get("reply_to", ""), post)) else {}
    form = CommentForm(request.POST or None, initial=initial, user=request.user)
    refused: Refused | None = None
    expired = request.method == "POST" and _is_forged(request)
    if expired:
        form.is_valid()
        form.add_error(None, _("This form had expired. Please send it once more."))
    elif request.method == "POST" and form.is_valid():
        try:
            verdict = screen(Submission.of(request, post, form.cleaned_data))
            added = add_comment(post=post, user=request.user, verdict=verdict, **form.cleaned_data)
        except Refused as error:
            refused = error
            form.add_error(None, str(refused))
        except (CommentsClosed, Post.DoesNotExist):
            return _closed(request, post)
        else:
            return redirect(post.floor_url(added.floor) if verdict.is_visible else held_url(post))
    template = "comments/_form.html" if "part" in request.GET else "comments/form.html"
    status = refused.status if refused else 403 if expired else 422 if form.is_bound else 200
    response = render(request, template, {"form": form, "post": post}, status=status)
    if refused and refused.retry_after_seconds:
        response.headers["Retry-After"] = str(refused.retry_after_seconds)
    return response


def _is_forged(request: HttpRequest) -> bool:
    """Whether the CSRF check refuses the request; Django's own middleware decides."""
    check = CsrfViewMiddleware(lambda request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda request: HttpResponse(), (), {}) is not None


def _floor(asked: str, post: Post) -> int | None:
    """The floor that a link asks to answer, None when the post has none of that number."""
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return None
    return int(asked) if int(asked) <= post.last_floor else None


def _closed(request: HttpRequest, post: Post) -> HttpResponse:
    return render(request, "comments/closed.html", {"post": post}, status=403)
