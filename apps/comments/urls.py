from django.urls import re_path

from . import floors, views

app_name = "comments"

urlpatterns = [
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/$", views.comment, name="add"),
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/floors/$", floors.floors, name="floors"),
]
