"""The numbers, to look at."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from .chart import draw
from .exports import EXPORTS, csv_lines
from .models import DailyReferrer, DailyViews, PostDailyViews
from .querysets import PostDailyViewsQuerySet
from .report import PERIODS, report
from .services import site_day


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
    """The list of days is a page with a chart, what was read and where readers came from; each also as CSV."""

    def get_urls(self) -> list[URLPattern]:
        export = path("export/<str:name>.csv", self.admin_site.admin_view(self.export), name="stats_export")
        return [export, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        period = _period(request)
        shown = report(site_day(), period, request.user)
        context = self.admin_site.each_context(request) | {
            "title": _("Statistics"),
            "opts": self.opts,
            "period": period,
            "periods": PERIODS,
            "report": shown,
            "chart": draw(shown.days),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/stats/overview.html", context)

    def export(self, request: HttpRequest, name: str) -> StreamingHttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if name not in EXPORTS:
            raise Http404
        period = _period(request)
        lines = csv_lines(name, site_day(), period, request.user)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}-{period}-days.csv"'
        return response


@admin.register(PostDailyViews)
class PostDailyViewsAdmin(ReadOnlyAdmin):
    list_display = ("day", "post", "views")
    list_filter = ("day",)
    list_select_related = ("post",)
    search_fields = ("post__title",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PostDailyViews]:
        rows: PostDailyViewsQuerySet = super().get_queryset(request)  # type: ignore[assignment]  # the default manager's
        return rows.visible_to(request.user)


@admin.register(DailyReferrer)
class DailyReferrerAdmin(ReadOnlyAdmin):
    list_display = ("day", "kind", "name", "views")
    list_filter = ("day", "kind")
    search_fields = ("name",)


def _period(request: HttpRequest) -> int:
    """The number of days asked for, a month's when it is none of those offered."""
    asked = request.GET.get("days", "")
    return next((period for period in PERIODS if str(period) == asked), 30)
