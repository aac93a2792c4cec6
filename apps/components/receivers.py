"""A change of what the frame shows drops the snapshot. Wired in apps.py; listed in ARCHITECTURE.md."""

from typing import Any

from django.db.models.signals import post_delete, post_save

from apps.comments.signals import comments_changed
from apps.posts.models import Category, Post, Source, Tag

from . import store
from .models import Menu, MenuItem, Plugin, SiteIdentity

SHOWN = (SiteIdentity, Menu, MenuItem, Plugin, Category, Source, Tag, Post)


def _changed(**kwargs: Any) -> None:
    store.invalidate()


def connect() -> None:
    """Listen to every model the snapshot shows, and to comments."""
    for model in SHOWN:
        for signal in (post_save, post_delete):
            signal.connect(_changed, sender=model, dispatch_uid=f"components-{model.__name__}")
    comments_changed.connect(_changed, dispatch_uid="components-comments")
