"""What changes a post's words without going through Post.save(): its tags, their names, its end. Wired in apps.py."""

from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete

from apps.core.chunks import chunked

from ..models import Post, Tag
from . import index

_CHUNK = 500


def _tags_of_post(instance: Post | Tag, action: str, reverse: bool, pk_set: set[int] | None, **kwargs: object) -> None:
    if action == "pre_clear" and isinstance(instance, Tag):  # afterwards nobody knows whose tag it was
        instance.__dict__["_posts_before_clear"] = list(instance.posts.values_list("pk", flat=True))
    elif action == "post_clear" and reverse:
        _write(instance.__dict__.pop("_posts_before_clear", []))
    elif action in {"post_add", "post_remove", "post_clear"}:
        _write(list(pk_set or ()) if reverse else [instance.pk])


def _tag_saved(instance: Tag, created: bool, update_fields: frozenset[str] | None = None, **kwargs: object) -> None:
    if not created and (update_fields is None or "name" in update_fields):
        _write(list(instance.posts.values_list("pk", flat=True)))


def _tag_goes(instance: Tag, **kwargs: object) -> None:
    instance.__dict__["_posts_before_delete"] = list(instance.posts.values_list("pk", flat=True))


def _tag_gone(instance: Tag, **kwargs: object) -> None:
    _write(instance.__dict__.pop("_posts_before_delete", []))


def _post_goes(instance: Post, **kwargs: object) -> None:
    index.remove(instance.pk)


def _write(post_ids: list[int]) -> None:
    with transaction.atomic():
        for some in chunked(post_ids, _CHUNK):
            index.write_tags(some)


def connect() -> None:
    m2m_changed.connect(_tags_of_post, sender=Post.tags.through, dispatch_uid="search-tags")
    post_save.connect(_tag_saved, sender=Tag, dispatch_uid="search-tag")
    pre_delete.connect(_tag_goes, sender=Tag, dispatch_uid="search-tag-goes")
    post_delete.connect(_tag_gone, sender=Tag, dispatch_uid="search-tag-gone")
    pre_delete.connect(_post_goes, sender=Post, dispatch_uid="search-post-goes")
