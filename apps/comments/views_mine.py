"""What somebody who is signed in has written, and whether mail comes about it."""

import math

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.posts.access import is_readable
from apps.posts.paging import requested_page
from blog_xtg.client import BlogRequest

from . import mail
from .models import Comment

COMMENTS_PER_PAGE = 20
FIELDS = (
    *("floor", "html", "state", "created_at"),
    *("post__title", "post__slug", "post__kind", "post__status", "post__published_at"),
)


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
    last = max(1, math.ceil(comments.count() / COMMENTS_PER_PAGE))
    if number > last:
        raise Http404("No such page.")
    start = (number - 1) * COMMENTS_PER_PAGE
    shown = comments.select_related("post").only(*FIELDS)[start : start + COMMENTS_PER_PAGE]
    context = {
        "comments": [(comment, is_readable(request, comment.post)) for comment in shown],
        "page": number,
        "last": last,
        "author": mail.author_state(account),
    }
    return render(request, "comments/mine.html", context)
