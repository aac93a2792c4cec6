"""Every address of the site, by app."""

from django.contrib import admin
from django.contrib.sitemaps import views as sitemap_views
from django.urls import include, path, re_path
from django.utils.module_loading import import_string
from django.views.generic import TemplateView

from . import files, health

_sitemaps = {"sitemaps": import_string("apps.posts.sitemaps.SITEMAPS")}

urlpatterns = [
    path("admin/", include("apps.posts.editor_urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("favicon.ico", files.static, {"path": "img/icon.svg"}),
    path("robots.txt", TemplateView.as_view(template_name="robots.txt", content_type="text/plain")),
    path("sitemap.xml", sitemap_views.index, _sitemaps | {"sitemap_url_name": "sitemap"}),
    path("sitemap-<section>.xml", sitemap_views.sitemap, _sitemaps, name="sitemap"),
    re_path(r"^static/(?P<path>.+)$", files.static),
    re_path(r"^media/(?P<path>.+)$", files.media),
    path("", include("apps.comments.urls")),
    path("", include("apps.components.urls")),
    path("", include("apps.posts.urls")),
]

handler400 = "blog_xtg.errors.bad_request"
handler403 = "blog_xtg.errors.forbidden"
handler404 = "blog_xtg.errors.not_found"
handler500 = "blog_xtg.errors.server_error"
