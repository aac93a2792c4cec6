from django.urls import re_path

from . import floors, views

app_name = "comments"

_FORM = r"^article/(?P<pk>[0-9]{1,18})/comment/"
_OWN = rf"{_FORM}(?P<floor>[1-9][0-9]{{0,8}})/"

urlpatterns = [
    re_path(rf"{_FORM}$", views.comment, name="add"),
    re_path(rf"{_FORM}preview/$", views.preview, name="preview"),
    re_path(rf"{_FORM}floors/$", floors.floors, name="floors"),
    re_path(rf"{_OWN}edit/$", views.edit, name="edit"),
    re_path(rf"{_OWN}delete/$", views.delete, name="delete"),
]
