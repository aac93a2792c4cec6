"""A change of what readers see is announced to all processes. Wired in apps.py; listed in ARCHITECTURE.md."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import m2m_changed, post_delete, post_save

from apps.comments.signals import comments_changed
from apps.core.pages import coherence
from apps.posts.models import Category, Post, Source, Tag

from .models import Menu, MenuItem, Plugin, SiteIdentity

SHOWN = (SiteIdentity, Menu, MenuItem, Plugin, Category, Source, Tag, get_user_model())


def connect() -> None:
    """Listen to every model that pages show, and to comments."""
    for model in SHOWN:
        post_save.connect(_anything, sender=model, dispatch_uid=f"components-{model.__name__}")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"components-{model.__name__}")
    post_save.connect(_post_saved, sender=Post, dispatch_uid="components-Post")
    post_delete.connect(_deleted, sender=Post, dispatch_uid="components-Post")
    m2m_changed.connect(_tags_changed, sender=Post.tags.through, dispatch_uid="components-tags")
    comments_changed.connect(_comments_changed, dispatch_uid="components-comments")


def _anything(*, instance: object, update_fields: Collection[str] | None = None, **kwargs: object) -> None:
    if update_fields != frozenset({"last_login"}):  # which every sign-in writes, and no page shows
        coherence.publish_change(withdrawn=getattr(instance, "disabled", False))


def _deleted(**kwargs: object) -> None:
    coherence.publish_change(withdrawn=True)


def _post_saved(*, instance: Post, created: bool, **kwargs: object) -> None:
    posts = None if created or instance.moves_in_lists() else [instance.pk]
    coherence.publish_change(posts, withdrawn=not created and instance.is_being_withdrawn())


def _tags_changed(*, action: str, **kwargs: object) -> None:
    if action.startswith("post_"):
        coherence.publish_change()


def _comments_changed(*, post_ids: Any, withdrawn: bool = False, **kwargs: object) -> None:
    coherence.publish_change(post_ids, withdrawn=withdrawn)
