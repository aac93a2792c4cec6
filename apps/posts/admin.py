"""Where the writer works."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.db.models.options import Options
from django.forms import ModelForm
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core.admin.editing import EditingAdmin

from .models import Category, OldAddress, Post, Source, Tag
from .querysets import CategoryQuerySet, PostQuerySet
from .rendering.left_out import in_words
from .rendering.words import is_blank
from .visibility import is_scheduled
from .writing.forms import PostAdminForm
from .writing.history import HistoryAdmin
from .writing.revisions import recorded
from .writing.saving import saved_response

admin.site.site_header = _("blog_xtg: writing and managing")
admin.site.site_title = "blog_xtg"
admin.site.index_title = _("What would you like to do?")


class OldAddressInline(admin.TabularInline):
    model = OldAddress
    extra = 0
    classes = ("collapse",)


@admin.register(Post)
class PostAdmin(HistoryAdmin):
    class Media:
        css = {"all": ["css/copies.css"]}
        js = [Script("js/draft.js", type="module"), Script("js/post-form.js", type="module")]

    form = PostAdminForm
    list_display = ("title", "shown", "category", "source", "published_at", "view_count", "comment_count", "pinned")
    list_filter = ("status", "category", "source", "pinned", "published_at", "tags")
    list_select_related = ("category", "source")
    list_per_page = 50
    search_fields = ("title", "body", "tags__name")
    ordering = (Coalesce("published_at", "created_at").desc(), "-pk")
    autocomplete_fields = ("tags", "translation_of")
    readonly_fields = ("view_count", "comment_count", "created_at", "updated_at")
    actions = ("publish", "unpublish", "move")
    inlines = (OldAddressInline,)
    fieldsets = (
        (None, {"fields": ("title", "body", ("category", "source"), "tags", ("status", "published_at"))}),
        (
            _("More"),
            {
                "classes": ("collapse",),
                "fields": (
                    "summary",
                    "cover",
                    ("kind", "language", "translation_of"),
                    "original_url",
                    "slug",
                    ("pinned", "comments_open"),
                    "password",
                    ("view_count", "comment_count"),
                    ("created_at", "updated_at"),
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Post]:
        posts: PostQuerySet = super().get_queryset(request)  # type: ignore[assignment]  # the default manager's
        if request.resolver_match and request.resolver_match.url_name == "posts_post_changelist":
            return posts.for_admin_list()
        return posts

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # The tags' widget asks the database for whatever ids come in, before the form looks at them.
        if any("\0" in tag for tag in request.POST.getlist("tags")):
            raise BadRequest
        return super().changeform_view(request, *args, **kwargs)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Options, object_id: str) -> HttpResponse:
        """Lead to the list, where this computer's copy of a text is offered though its post was deleted meanwhile."""
        super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc]
        return redirect("admin:posts_post_changelist")

    def save_model(self, request: HttpRequest, obj: Post, form: ModelForm, change: bool) -> None:
        if obj.author_id is None and not change:
            obj.author_id = request.user.pk
        super().save_model(request, obj, form, change)
        if words := in_words(obj.left_out):
            self.message_user(request, words, messages.WARNING)

    def response_add(self, request: HttpRequest, obj: Post, post_url_continue: str | None = None) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return saved_response(self, request, obj) or self.response_post_save_add(request, obj)

    def response_change(self, request: HttpRequest, obj: Post) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        return saved_response(self, request, obj) or self.response_post_save_change(request, obj)

    @admin.display(description=_("status"), ordering="status")
    def shown(self, post: Post) -> str:
        if is_scheduled(post):
            return gettext("scheduled")
        return post.get_status_display()

    @admin.action(description=_("Publish the selected posts"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        empty = [post for post in queryset if is_blank(post.body)]
        written = [post for post in queryset if post not in empty]
        for post in written:
            with recorded(post.pk, request.user):
                post.publish()
        if written:
            text = ngettext("%(count)d post is public now.", "%(count)d posts are public now.", len(written))
            self._say(request, text, len(written))
        for post in empty:
            said = gettext("“%(title)s” has no text yet, so it was not published.") % {"title": post.title}
            self.message_user(request, said, messages.WARNING)

    @admin.action(description=_("Take the selected posts back to draft"), permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        for post in queryset:
            with recorded(post.pk, request.user):
                post.unpublish()
        text = ngettext("%(count)d post is a draft now.", "%(count)d posts are drafts now.", len(queryset))
        self._say(request, text, len(queryset))

    @admin.action(description=_("Move the selected posts to a category…"), permissions=["change"])
    def move(self, request: HttpRequest, queryset: QuerySet[Post]) -> HttpResponse | None:
        """Ask for the category on a page of its own, then move."""
        category = Category.objects.chosen(request.POST.get("category", ""))
        if category is None:
            # All of a long list are chosen by saying so: a field for each would be more than a request may have.
            across = request.POST.get("select_across") == "1"
            context = self.admin_site.each_context(request) | {
                "title": _("Move to a category"),
                "posts": queryset,
                "chosen": [queryset[0].pk] if across else [post.pk for post in queryset],
                "across": across,
                "categories": Category.objects.all(),
                "opts": self.model._meta,
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/posts/move.html", context)
        for post in queryset:
            with recorded(post.pk, request.user):
                post.move_to(category)
        text = ngettext("%(count)d post has been moved.", "%(count)d posts have been moved.", len(queryset))
        self._say(request, text, len(queryset))
        return None

    def _say(self, request: HttpRequest, text: str, count: int) -> None:
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(Category)
class CategoryAdmin(EditingAdmin):
    list_display = ("name", "slug", "hidden", "number_of_posts")
    list_editable = ("hidden",)
    search_fields = ("name", "slug")
    fields = ("name", "slug", "introduction", "hidden")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        categories: CategoryQuerySet = super().get_queryset(request)  # type: ignore[assignment]  # as above
        return categories.with_number_of_posts()

    @admin.display(description=_("posts"), ordering="number_of_posts")
    def number_of_posts(self, category: Any) -> int:
        return category.number_of_posts

    def has_delete_permission(self, request: HttpRequest, obj: Category | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.protected)


@admin.register(Source)
class SourceAdmin(EditingAdmin):
    list_display = ("name",)


@admin.register(Tag)
class TagAdmin(EditingAdmin):
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
