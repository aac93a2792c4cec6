from django.urls import path, re_path

from . import views

app_name = "components"

urlpatterns = [
    re_path(r"^style-(?P<digest>[0-9a-z]+)\.css$", views.style, name="stylesheet"),
    path("links/", views.links, name="links"),
    path("language/", views.language, name="language"),
    path("setup/", views.setup, name="setup"),
]
