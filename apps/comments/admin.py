"""Where the administrator screens, restores, deletes and answers."""

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .models import Comment
from .querysets import CommentQuerySet


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    list_display = ("excerpt", "author", "on_post", "floor", "state", "created_at", "answer")
    list_filter = ("state", "by_administrator", "created_at")
    list_select_related = ("post",)
    list_per_page = 50
    search_fields = ("body", "author_name", "author_email", "post__title")
    ordering = ("-created_at", "-pk")
    actions = ("screen", "restore")
    fields = ("on_post", "floor", "author_name", "author_email", "author_site", "body", "state", "created_at")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = ("on_post", "floor", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # comments enter by the post's page, which hands out the floor

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        # The changelist's queryset may be joined and ordered in ways that DELETE doesn't take.
        Comment.objects.by_ids(list(queryset.values_list("pk", flat=True))).delete()

    @admin.display(description=_("text"), ordering="body")
    def excerpt(self, comment: Comment) -> str:
        return Truncator(comment.body).chars(60)

    @admin.display(description=_("by"), ordering="author_name")
    def author(self, comment: Comment) -> str:
        return comment.author_name

    @admin.display(description=_("post"), ordering="post__title")
    def on_post(self, comment: Comment) -> str:
        return format_html('<a href="{}">{}</a>', comment.get_absolute_url(), comment.post.title)

    @admin.display(description=_("answer"))
    def answer(self, comment: Comment) -> str:
        address = reverse("comments:add", args=[comment.post_id])
        return format_html('<a href="{}?reply_to={}">{}</a>', address, comment.floor, _("Reply"))

    @admin.action(description=_("Screen the selected comments"), permissions=["change"])
    def screen(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._set_state(request, queryset, Comment.State.SCREENED)

    @admin.action(description=_("Restore the selected comments"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: CommentQuerySet) -> None:
        self._set_state(request, queryset, Comment.State.VISIBLE)

    def _set_state(self, request: HttpRequest, queryset: CommentQuerySet, state: str) -> None:
        count = Comment.objects.by_ids(list(queryset.values_list("pk", flat=True))).set_state(state)
        text = ngettext("%(count)d comment has been changed.", "%(count)d comments have been changed.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
