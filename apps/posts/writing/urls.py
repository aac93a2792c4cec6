"""Included under the admin, before its own addresses; the names are those that the Markdown editor's widget knows."""

from django.urls import path

from . import views

urlpatterns = [
    path("editor/preview/", views.preview, name="markdownx_markdownify"),
    path("editor/upload/", views.upload, name="markdownx_upload"),
    path("editor/drafts/", views.drafts, name="editor_drafts"),
    path("editor/draft/<uuid:slot>/", views.draft, name="editor_draft"),
]
