"""Where the administrator approves, screens, marks as spam, deletes and answers."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import BODY_MAX_LENGTH, BlocklistEntry, Comment
from .moderation import Decision, decide, may_moderate
from .moderation_views import QUEUE, tell
from .querysets import CommentQuerySet
from .services import CommentsClosed, add_comment


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    list_display = ("excerpt", "author", "on_post", "floor", "state", "shown_score", "why", "created_at", "answer")
    list_filter = ("state", "by_administrator", "created_at")
    list_select_related = ("post",)
    list_per_page = 50
    show_full_result_count = False  # of a million comments it takes longer than the page
    search_fields = ("body", "author_name", "author_email", "post__title")
    # Those that wait come first in the alphabet, and an index holds them all in this order.
    ordering = ("state", "-created_at", "-pk")
    actions = ("approve", "screen", "mark_as_spam")
    fields = (
        *("on_post", "floor", "author_name", "author_email", "author_site", "body", "state"),
        *("shown_score", "why", "created_at"),
    )
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = ("on_post", "floor", "shown_score", "why", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # comments enter by the post's page, which hands out the floor

    def get_urls(self) -> list[URLPattern]:
        reply = self.admin_site.admin_view(self.reply)
        return [path("<int:pk>/reply/", reply, name="comments_comment_reply"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Comment, form: Any, change: bool) -> None:
        decision = _DECISIONS.get(obj.state) if "state" in form.changed_data else None
        if decision:
            obj.state = form.initial["state"]
        super().save_model(request, obj, form, change)
        if decision:
            self._decide(request, [obj.pk], decision)

    def delete_model(self, request: HttpRequest, obj: Comment) -> None:
        self._decide(request, [obj.pk], Decision.DELETE)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        self._decide(request, list(queryset.values_list("pk", flat=True)), Decision.DELETE)

    def reply(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer the comment in its row of the list (`reply-<id>`), as who is signed in; one that waits is approved."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may_moderate(request.user):
            raise PermissionDenied
        comment = get_object_or_404(Comment.objects.select_related("post"), pk=pk)
        text = request.POST.get(f"reply-{pk}", "").strip()[:BODY_MAX_LENGTH]
        if not text:
            self.message_user(request, gettext("A comment needs a text."), messages.ERROR)
            return redirect(self._list(request))
        try:
            if comment.state in (Comment.State.PENDING, Comment.State.SPAM):
                self._decide(request, [pk], Decision.APPROVE)
            added = add_comment(post=comment.post, body=text, user=request.user, reply_to_floor=comment.floor)
        except CommentsClosed:
            self.message_user(request, gettext("Comments are closed."), messages.ERROR)
        else:
            address = comment.post.floor_url(added.floor)
            said = gettext("Your reply is floor %(floor)d.") % {"floor": added.floor}
            self.message_user(request, format_html('<a href="{}">{}</a>', address, said), messages.SUCCESS)
        return redirect(self._list(request))

    @admin.display(description=_("text"), ordering="body")
    def excerpt(self, comment: Comment) -> str:
        return Truncator(comment.body).chars(120)

    @admin.display(description=_("by"), ordering="author_name")
    def author(self, comment: Comment) -> str:
        return format_html("{}<br>{}<br>{}", comment.author_name, comment.author_email, comment.author_site)

    @admin.display(description=_("post"), ordering="post__title")
    def on_post(self, comment: Comment) -> str:
        return format_html('<a href="{}">{}</a>', comment.get_absolute_url(), comment.post.title)

    @admin.display(description=_("score"), ordering="score")
    def shown_score(self, comment: Comment) -> str:
        return "–" if comment.score is None else f"{comment.score:g}"

    @admin.display(description=_("reasons"))
    def why(self, comment: Comment) -> str:
        return format_html_join("", "{}<br>", ((str(reason),) for reason in comment.why)) or "–"

    @admin.display(description=_("answer"))
    def answer(self, comment: Comment) -> str:
        return format_html(
            '<details><summary>{}</summary><textarea name="reply-{}" rows="4" cols="30" maxlength="{}"'
            ' aria-label="{}"></textarea><br>'
            '<button type="submit" class="button" formaction="{}">{}</button></details>',
            _("Reply"),
            comment.pk,
            BODY_MAX_LENGTH,
            _("Reply to floor %(floor)s") % {"floor": comment.floor},
            reverse("admin:comments_comment_reply", args=[comment.pk]),
            _("Send the reply") if comment.state not in ("pending", "spam") else _("Approve and send the reply"),
        )

    @admin.action(description=_("Approve the selected comments"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._decide(request, list(queryset.values_list("pk", flat=True)), Decision.APPROVE)

    @admin.action(description=_("Screen the selected comments"), permissions=["change"])
    def screen(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._decide(request, list(queryset.values_list("pk", flat=True)), Decision.SCREEN)

    @admin.action(description=_("Mark the selected comments as spam"), permissions=["change"])
    def mark_as_spam(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._decide(request, list(queryset.values_list("pk", flat=True)), Decision.SPAM)

    def _decide(self, request: HttpRequest, ids: list[int], decision: Decision) -> None:
        tell(request, decision, decide(ids, decision, request.user), self._list(request))

    def _list(self, request: HttpRequest) -> str:
        """The list as it was filtered and paged when the button on it was pressed."""
        came_from = urlsplit(request.META.get("HTTP_REFERER", ""))
        queue = reverse(QUEUE)
        return f"{queue}?{came_from.query}" if came_from.path == queue and came_from.query else queue


_DECISIONS = {
    Comment.State.VISIBLE.value: Decision.APPROVE,
    Comment.State.SCREENED.value: Decision.SCREEN,
    Comment.State.SPAM.value: Decision.SPAM,
}


@admin.register(BlocklistEntry)
class BlocklistEntryAdmin(admin.ModelAdmin):
    list_display = ("value", "kind", "outcome", "note", "created_at")
    list_filter = ("kind", "outcome")
    search_fields = ("value", "note")
    fields = ("kind", "value", "outcome", "note")
