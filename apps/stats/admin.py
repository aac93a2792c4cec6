"""The numbers, to look at."""

from django.contrib import admin
from django.http import HttpRequest

from .models import DailyViews, PostDailyViews


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        # Asked on the pages of other models too: a post takes its figures along when it is deleted.
        match = request.resolver_match
        on_own_page = match is not None and str(match.url_name).startswith(f"{self.opts.app_label}_")
        return not on_own_page and super().has_delete_permission(request, obj)


@admin.register(DailyViews)
class DailyViewsAdmin(ReadOnlyAdmin):
    list_display = ("day", "pv", "uv")


@admin.register(PostDailyViews)
class PostDailyViewsAdmin(ReadOnlyAdmin):
    list_display = ("day", "post", "views")
    list_filter = ("day",)
    list_select_related = ("post",)
    search_fields = ("post__title",)
