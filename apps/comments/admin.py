"""Where the administrator approves, hides, marks as spam, deletes and answers."""

from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.admin.editing import EditingAdmin

from .models import BODY_MAX_LENGTH, BlocklistEntry, Comment
from .moderation.messages import QUEUE, tell
from .moderation.services import UNSEEN, Decision, decide, may_moderate
from .querysets import CommentQuerySet
from .services import CommentsClosed, add_comment


@admin.register(Comment)
class CommentAdmin(EditingAdmin):
    list_display_links = None  # they stand in the first column
    list_display = ("written", "state", "verdict", "created_at")
    list_filter = ("state", "by_administrator", "created_at")
    list_select_related = ("post",)
    list_per_page = 50
    show_full_result_count = False  # of a million comments it takes longer than the page
    search_fields = ("body", "author_name", "author_email", "post__title")
    # Those that wait come first in the alphabet, and an index holds them all in this order.
    ordering = ("state", "-created_at", "-pk")
    actions = ("approve", "hide", "mark_as_spam")
    fields = (
        *("on_post", "floor", "author_name", "author_email", "author_site", "body", "state"),
        *("verdict", "created_at", "edited_at"),
    )
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = ("on_post", "floor", "verdict", "created_at", "edited_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # comments enter by the post's page, which hands out the floor

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comment]:
        """Comments under posts that this moderator may read: a title, an address would tell of others."""
        comments: CommentQuerySet = super().get_queryset(request)  # type: ignore[assignment]  # the default manager's
        return comments.on_posts_read_by(request.user)

    def get_urls(self) -> list[URLPattern]:
        reply = self.admin_site.admin_view(self.reply)
        return [path("<int:pk>/reply/", reply, name="comments_comment_reply"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Comment, form: ModelForm, change: bool) -> None:
        if {"author_name", "author_site", "body"} & set(form.changed_data):
            obj.edited_at = timezone.now()
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
        comment = get_object_or_404(self.get_queryset(request).select_related("post"), pk=pk)
        text = request.POST.get(f"reply-{pk}", "").strip()[:BODY_MAX_LENGTH]
        if not text:
            self.message_user(request, gettext("Comment can't be empty."), messages.ERROR)
            return redirect(self._list(request))
        try:
            if comment.state in UNSEEN:
                self._decide(request, [pk], Decision.APPROVE)
            added = add_comment(post=comment.post, body=text, user=request.user, reply_to_floor=comment.floor)
        except CommentsClosed:
            self.message_user(request, gettext("Comments are closed."), messages.ERROR)
        else:
            address = comment.post.floor_url(added.floor)
            said = gettext("Your reply was posted as #%(floor)d.") % {"floor": added.floor}
            self.message_user(request, format_html('<a href="{}">{}</a>', address, said), messages.SUCCESS)
        return redirect(self._list(request))

    @admin.display(description=_("comment"), ordering="author_name")
    def written(self, comment: Comment) -> str:
        """The comment with its writer and post, and a place for a reply in this row."""
        context = {"comment": comment, "unseen": comment.state in UNSEEN, "max_length": BODY_MAX_LENGTH}
        return render_to_string("admin/comments/written.html", context)

    @admin.display(description=_("post"), ordering="post__title")
    def on_post(self, comment: Comment) -> str:
        return format_html('<a href="{}">{}</a>', comment.get_absolute_url(), comment.post.title)

    @admin.display(description=_("score and reasons"), ordering="score")
    def verdict(self, comment: Comment) -> str:
        if comment.score is None:
            return "–"
        reasons = format_html_join("", "<br>{}", ((str(reason),) for reason in comment.why))
        return format_html("<b>{}</b>{}", f"{comment.score:g}", reasons)

    @admin.action(description=_("Approve selected comments"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._decide(request, list(queryset.values_list("pk", flat=True)), Decision.APPROVE)

    @admin.action(description=_("Hide selected comments"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._decide(request, list(queryset.values_list("pk", flat=True)), Decision.HIDE)

    @admin.action(description=_("Mark selected comments as spam"), permissions=["change"])
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
    Comment.State.HIDDEN.value: Decision.HIDE,
    Comment.State.SPAM.value: Decision.SPAM,
}


@admin.register(BlocklistEntry)
class BlocklistEntryAdmin(EditingAdmin):
    list_display = ("value", "kind", "outcome", "note", "created_at")
    list_filter = ("kind", "outcome")
    search_fields = ("value", "note")
    fields = ("kind", "value", "outcome", "note")
