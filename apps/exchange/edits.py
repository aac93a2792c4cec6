"""Edits made here since an import; a post closed here (status, password, time) is opened by no import."""

import json
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from apps.posts.models import Post

from .identity import sha256
from .items import PostItem
from .models import ImportedPost
from .readers.held_back import strictest

_STATE_FIELDS = (
    "kind language title slug source_id original_url category_id body summary status published_at pinned password"
    " cover comments_open"
).split()


def state(post: Post) -> str:
    """SHA-256 of all that can be edited; differs once somebody has (1 query)."""
    values = {name: getattr(post, name) for name in _STATE_FIELDS}
    values["cover"] = post.cover.name or ""
    values["tags"] = sorted(post.tags.values_list("pk", flat=True))
    if isinstance(post.published_at, datetime):
        values["published_at"] = post.published_at.timestamp()
    return sha256(json.dumps(values, sort_keys=True, ensure_ascii=True, default=str))


def is_edited(record: ImportedPost) -> bool:
    """Tell whether the post differs from what its last import left (3 queries)."""
    if record.post.updated_at != record.post_updated_at:
        return True
    return bool(record.post_digest) and record.post_digest != state(record.post)


def keep_closed(item: PostItem, post: Post, record: ImportedPost, *, edited: bool, warnings: list[str]) -> PostItem:
    """Return the item as the post may become; `warnings` name what stays as it was set here.

    `edited`: the post was edited since its import, which decides for records that don't know the status they gave.
    """
    set_here = post.status != record.status if record.status else edited
    if set_here and is_stricter(post.status, item.status):
        warnings.append(f"stays {post.status}, as it was set here")
        item = replace(item, status=post.status)
    if post.password and not item.password and not record.had_password:
        warnings.append("keeps the password that was set here")
        item = replace(item, password=post.password)
    planned = post.published_at
    set_here = bool(planned) and planned != record.dated
    if planned and set_here and planned > timezone.now() and item.published_at and item.published_at < planned:
        warnings.append("keeps the time of publication that was set here")
        item = replace(item, published_at=planned)
    return item


def is_stricter(status: str, other: str) -> bool:
    return status != other and strictest((status, other)) == status
