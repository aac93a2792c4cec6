"""Where the owner shapes the frame."""

from adminsortable2.admin import SortableAdminBase, SortableAdminMixin, SortableInlineAdminMixin
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.core.admin.editing import EditingAdmin
from apps.posts.rendering.left_out import in_words
from apps.posts.rendering.raw_html import left_out_of

from .models import Menu, MenuItem, Plugin, SiteIdentity


def _name_left_out(request: HttpRequest, html: str) -> None:
    """Say what of the HTML typed is not kept; to be asked before it is stored without."""
    if words := in_words(left_out_of(html)):
        messages.warning(request, words)


@admin.register(SiteIdentity)
class SiteIdentityAdmin(EditingAdmin):
    """One row, one form: the list leads straight to it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SiteIdentity | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SiteIdentity, form: object, change: bool) -> None:
        _name_left_out(request, obj.footer)
        super().save_model(request, obj, form, change)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        identity, _made = SiteIdentity.objects.get_or_create(pk=1)
        return redirect(reverse("admin:components_siteidentity_change", args=[identity.pk]))


class MenuItemInline(SortableInlineAdminMixin, admin.TabularInline):
    model = MenuItem
    extra = 1


@admin.register(Menu)
class MenuAdmin(SortableAdminMixin, SortableAdminBase, EditingAdmin):
    list_display = ("name",)
    fields = ("name",)
    inlines = (MenuItemInline,)


@admin.register(Plugin)
class PluginAdmin(SortableAdminMixin, EditingAdmin):
    list_display = ("title", "kind", "disabled", "note")
    list_editable = ("disabled",)
    fields = ("title", "kind", "content", "note", "disabled")

    def save_model(self, request: HttpRequest, obj: Plugin, form: object, change: bool) -> None:
        if obj.kind == Plugin.Kind.HTML:
            _name_left_out(request, obj.content)
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Plugin | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.protected)
