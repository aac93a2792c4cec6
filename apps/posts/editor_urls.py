"""Included under the admin, before its own addresses; the names are those that the Markdown editor's widget knows."""

from django.urls import path

from . import editor

urlpatterns = [
    path("editor/preview/", editor.preview, name="markdownx_markdownify"),
    path("editor/upload/", editor.upload, name="markdownx_upload"),
]
