from django.urls import path, re_path

from . import moderation_views, views

app_name = "comments"

urlpatterns = [
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/$", views.comment, name="add"),
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/held/$", moderation_views.held, name="held"),
    re_path(
        r"^article/(?P<pk>[0-9]{1,18})/comment/(?P<floor>[0-9]{1,9})/moderate/$",
        moderation_views.moderate,
        name="moderate",
    ),
    path("comments/undo/", moderation_views.take_back, name="undo"),
]
