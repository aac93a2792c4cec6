"""The comment form on a page of its own, where it posts, and what who wrote a comment may still do with it."""

import math
from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core.http.request_info import BlogRequest, client_address
from apps.core.http.security import from_own_pages
from apps.posts.models import Post
from apps.posts.pages.paging import requested_page
from apps.posts.passwords import is_unlocked
from apps.posts.references import referred_post
from apps.posts.rendering.comment_markdown import render_comment
from apps.posts.visibility import is_visible_to

from .forms import BodyForm, CommentForm
from .fragments import comments_html
from .mail import services as mail
from .models import Comment
from .moderation.services import held_url
from .ownership import forget, own_comments, remember
from .querysets import CommentRow
from .services import CommentsClosed, TooLate, add_comment, edit_comment, sent_before, withdraw_comment
from .spam import limits
from .spam.services import weigh, weigh_edit
from .spam.submission import Submission
from .verdict import Refused

MINE_PER_PAGE = 20
FIELDS_OF_MINE = (
    *("floor", "html", "state", "created_at"),
    *("post__title", "post__slug", "post__kind", "post__status", "post__published_at", "post__language"),
)


@never_cache
@from_own_pages  # the token is asked for below: a failed check gives the reader the text back instead of an error page
@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: BlogRequest, reference: str) -> HttpResponse:
    """Show the form, or store a comment and lead the reader to its floor.

    `?part` is how the post's page asks: for the form alone, which it puts in its place; and a comment stored is
    answered by 201 with what the page needs to show it. A failed submit shows what was typed.
    """
    post = referred_post(request, reference)
    if not is_unlocked(request, post):
        return redirect(post)
    if not (post.comments_open and request.site.comments_open):
        return _closed(request, post)
    initial = {"reply_to_floor": floor} if (floor := _floor(request.GET.get("reply_to", ""), post)) else {}
    form = CommentForm(request.POST or None, initial=initial, user=request.user)
    refused: Refused | None = None
    expired = request.method == "POST" and _is_forged(request)
    if expired:
        _say_expired(form)
    elif request.method == "POST" and form.is_valid():
        told = {name: form.cleaned_data[name] for name in ("body", "submission", "reply_to_floor")}
        if before := sent_before(post=post, **told):
            return _added(request, post, before)
        try:
            verdict = weigh(Submission.of(request, post, form.cleaned_data))
            added = add_comment(post=post, user=request.user, verdict=verdict, **form.cleaned_data)
        except Refused as error:
            refused = error
            form.add_error(None, str(refused))
        except (CommentsClosed, Post.DoesNotExist):
            return _closed(request, post)
        else:
            return _added(request, post, added)
    form.focus_first_error()
    return _answered(_form(request, post, form), refused, 403 if expired else 422 if form.is_bound else 200)


def _answered(response: HttpResponse, refused: Refused | None, status: int = 200) -> HttpResponse:
    """Give the page that status, or the one of what was refused."""
    response.status_code = refused.status if refused else status
    if refused and refused.retry_after_seconds:
        response.headers["Retry-After"] = str(refused.retry_after_seconds)
    return response


@never_cache
@from_own_pages  # it changes nothing
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: BlogRequest, reference: str) -> HttpResponse:
    """Show what the text would look like: with `?part` alone (no query), else above the form.

    Whoever comes by a link finds the form.
    """
    if request.method != "POST":
        return redirect("comments:add", reference)
    html, refused = "", None
    errors: object = None
    try:
        limits.check_preview(client_address(request))
    except Refused as error:
        refused, errors = error, str(error)
    else:
        text = BodyForm({"body": request.POST.get("body", "")})
        html = render_comment(text.cleaned_data["body"]) if text.is_valid() else ""
        errors = text.errors.get("body")
    if "part" in request.GET:
        context = {"html": html, "errors": errors}
        return _answered(render(request, "comments/_preview.html", context), refused, 200 if html else 422)
    post = referred_post(request, reference)
    if not is_unlocked(request, post):
        return redirect(post)
    if not (post.comments_open and request.site.comments_open):
        return _closed(request, post)
    form = CommentForm(initial=request.POST.dict(), user=request.user)
    return _answered(_form(request, post, form, html=html, errors=errors), refused)


def _for_who_wrote_it(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view the comment, if it is this reader's to change."""

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def answer(request: BlogRequest, reference: str, floor: str) -> HttpResponse:
        post = referred_post(request, reference)
        if not is_unlocked(request, post):
            return redirect(post)
        own = [comment for comment in own_comments(request, post) if comment.floor == int(floor)]
        try:
            if own:
                return view(request, post, own[0])
        except (TooLate, Comment.DoesNotExist):
            pass
        return render(request, "comments/too_late.html", {"post": post, "back": post.floor_url(int(floor))}, status=403)

    return answer


@from_own_pages  # as above
@_for_who_wrote_it
def edit(request: BlogRequest, post: Post, own: Comment) -> HttpResponse:
    """Let who wrote the comment give it another text."""
    before = own.body
    form = BodyForm(request.POST or None, instance=own)
    refused: Refused | None = None
    expired = request.method == "POST" and _is_forged(request)
    if expired:
        _say_expired(form)
    elif request.method == "POST" and form.is_valid():
        written = {name: getattr(own, name) for name in ("author_name", "author_email", "author_site")}
        try:
            verdict = weigh_edit(Submission.of(request, post, written | form.cleaned_data), before)
        except Refused as error:
            refused = error
            form.add_error(None, str(refused))
        else:
            edited = edit_comment(own, form.cleaned_data["body"], verdict)
            return redirect(post.floor_url(own.floor) if edited.state == Comment.State.VISIBLE else held_url(post))
    form.focus_first_error()
    context = {"form": form, "post": post, "floor": own.floor}
    status = 403 if expired else 422 if form.is_bound else 200
    return _answered(render(request, "comments/edit.html", context), refused, status)


@_for_who_wrote_it
def delete(request: BlogRequest, post: Post, own: Comment) -> HttpResponse:
    """Ask who wrote the comment, then delete it."""
    if request.method != "POST":
        return render(request, "comments/delete.html", {"comment": own, "post": post})
    withdraw_comment(own)
    page = post.floor_url(own.floor).partition("#")[0]
    response = redirect(f"{page}#comments")
    forget(response, post, own)
    return response


def _form(request: BlogRequest, post: Post, form: CommentForm, status: int = 200, **context: object) -> HttpResponse:
    template = "comments/_form.html" if "part" in request.GET else "comments/form.html"
    context |= {"form": form, "post": post, "own": own_comments(request, post)}
    return render(request, template, context, status=status)


def _added(request: BlogRequest, post: Post, added: Comment) -> HttpResponse:
    shown = added.state == Comment.State.VISIBLE
    url = post.floor_url(added.floor) if shown else held_url(post)
    if "part" in request.GET:
        rows = [CommentRow(*(getattr(added, name) for name in CommentRow._fields))] if shown else []
        html = comments_html(request, post, rows).strip()
        response: HttpResponse = JsonResponse({"floor": added.floor, "url": url, "html": html}, status=201)
    else:
        response = redirect(url)
    remember(response, post, added)
    return response


def _is_forged(request: HttpRequest) -> bool:
    """Whether the CSRF check refuses the request; Django's own middleware decides."""
    check = CsrfViewMiddleware(lambda request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda request: HttpResponse(), (), {}) is not None


def _say_expired(form: BodyForm) -> None:
    form.is_valid()
    form.add_error(None, _("This form has expired. Please submit it again."))


def _floor(asked: str, post: Post) -> int | None:
    """The floor that a link asks to answer, None when the post has none of that number."""
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return None
    return int(asked) if int(asked) <= post.last_floor else None


def _closed(request: HttpRequest, post: Post) -> HttpResponse:
    template = "comments/_closed.html" if "part" in request.GET else "comments/closed.html"
    return render(request, template, {"post": post}, status=403)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: BlogRequest) -> HttpResponse:
    """The account's own comments, newest first, 20 a page (4 queries); a POST of `mail` on or off ends or begins mail.

    One that has not been approved is there, too; of what a moderator thinks of it no more is said than that it waits.
    """
    account = request.user.pk or 0
    if request.method == "POST":
        (mail.resume if request.POST.get("mail") == "on" else mail.stop)(account)
        return redirect("comments:mine")
    number = requested_page(request)
    comments = Comment.objects.by_account(request.user)
    last = max(1, math.ceil(comments.count() / MINE_PER_PAGE))
    if number > last:
        raise Http404("No such page.")
    start = (number - 1) * MINE_PER_PAGE
    shown = comments.select_related("post").only(*FIELDS_OF_MINE)[start : start + MINE_PER_PAGE]
    context = {
        "comments": [(comment, is_visible_to(request.user, comment.post)) for comment in shown],
        "page": number,
        "last": last,
        "author": mail.author_state(account),
    }
    return render(request, "comments/mine.html", context)
