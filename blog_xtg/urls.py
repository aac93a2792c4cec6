"""Every address of the site, by app."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import TemplateView

from apps.core.static import views

# Those that readers ask for come first: each pattern before them costs every page a look.
urlpatterns = [
    path("", include("apps.posts.urls")),
    path("", include("apps.comments.urls")),
    path("admin/", include("apps.posts.writing.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", views.static, {"path": "img/icon.svg"}),
    path("robots.txt", TemplateView.as_view(template_name="robots.txt", content_type="text/plain")),
    re_path(r"^static/(?P<path>.+)$", views.static),
    re_path(r"^media/(?P<path>.+)$", views.media),
    path("", include("apps.components.urls")),
    path("", include("apps.stats.beacon.urls")),
]

handler400 = "blog_xtg.errors.bad_request"
handler403 = "blog_xtg.errors.forbidden"
handler404 = "blog_xtg.errors.not_found"
handler500 = "blog_xtg.errors.server_error"
