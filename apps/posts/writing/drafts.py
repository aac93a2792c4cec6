"""The text in an open form, kept on the server until the form is saved."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import Draft, Post
from .forms import BODY_MAX_BYTES

MOST_DRAFTS = 200  # of one user
MOST_FIELDS = 100
LARGEST_SEQUENCE = 2**53

User = AbstractBaseUser | AnonymousUser


class Refused(Exception):
    """A draft that is not stored, with the reason in words; `status` 409 asks for a new slot."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def drafts_of(user: User) -> Iterable[Draft]:
    return Draft.objects.for_list(user)


def one_of(user: User, slot: UUID) -> Draft | None:
    return Draft.objects.of(user).in_slot(slot).first()


def throw_away(user: User, slot: UUID) -> None:
    Draft.objects.of(user).in_slot(slot).delete()


def entry(draft: Draft) -> dict[str, object]:
    """Return what a list shows of a draft: static/js/server-drafts.js makes a copy of it."""
    path = (
        reverse("admin:posts_post_change", args=[draft.post_id]) if draft.post_id else reverse("admin:posts_post_add")
    )
    return {
        "slot": str(draft.slot),
        "path": path,
        "title": draft.title,
        "last_line": draft.last_line,
        "size": draft.size,
        "base": draft.base,
        "sequence": draft.sequence,
        "saved_at": draft.saved_at.isoformat(),
    }


def whole(draft: Draft) -> dict[str, object]:
    return entry(draft) | json.loads(draft.content)


def keep(user: User, slot: UUID, sent: bytes) -> Draft:
    """Store the next state of a form (3 queries, 5 for a new draft); a state that arrives late or twice is left out.

    Another page goes on with a draft when it has seen its present state, `after`. Raises Refused.
    """
    fields = _checked(user, sent)
    after = fields.pop("after")
    try:
        with transaction.atomic():
            return _write(user, slot, fields, after)
    except IntegrityError:  # made by another request meanwhile
        with transaction.atomic():
            return _write(user, slot, fields, after)


def _write(user: User, slot: UUID, fields: dict[str, Any], after: int) -> Draft:
    draft = Draft.objects.select_for_update().in_slot(slot).defer("content").first()
    if draft is None:
        if after:
            raise Refused(_("This draft was saved or thrown away elsewhere."), 409)
        if Draft.objects.of(user).count() >= MOST_DRAFTS:
            words = _("You have %(count)d unsaved drafts. Save some or throw them away.")
            raise Refused(words % {"count": MOST_DRAFTS}, 422)
        return Draft.objects.create(slot=slot, **fields | {"user_id": user.pk})
    if draft.user_id != user.pk:
        raise Refused(_("There is no such draft."), 404)
    if draft.holder != fields["holder"] and draft.sequence != after:
        raise Refused(_("This draft is being written in another window."), 409)
    if fields["sequence"] > draft.sequence:
        for name, value in fields.items():
            setattr(draft, name, value)
        draft.saved_at = timezone.now()
        draft.save(update_fields=[*fields, "saved_at"])
    return draft


def _checked(user: User, sent: bytes) -> dict[str, Any]:
    try:
        data = json.loads(sent)
        values, files = data["values"], data.get("files") or {}
        sequence, after, post_id = int(data["sequence"]), int(data.get("after") or 0), int(data.get("post") or 0)
        base, holder = str(data.get("base") or ""), str(data["holder"])
        title, body = str(values.get("title") or ""), str(values.get("body") or "")
        count = len(values) + len(files)
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
        raise Refused(_("This is no draft."), 400) from None
    is_plain = isinstance(values, dict) and isinstance(files, dict) and count <= MOST_FIELDS
    if not (is_plain and 0 < sequence < LARGEST_SEQUENCE and 0 <= post_id < 2**63 and len(base) <= 64):
        raise Refused(_("This is no draft."), 400)
    if not 0 < len(holder) <= 36:
        raise Refused(_("This is no draft."), 400)
    if len(body.encode("utf-8", "replace")) > BODY_MAX_BYTES:
        raise Refused(_("The text is larger than 5 MB and can't be saved."), 413)
    post = Post.objects.only("pk").in_bulk([post_id]).get(post_id) if post_id else None
    may = isinstance(user, PermissionsMixin) and user.has_perm("posts.change_post" if post_id else "posts.add_post")
    if not may or (post_id and post is None):
        raise Refused(_("There is no such post that you may change."), 404)
    return {
        "post": post,
        "title": _storable(title)[:200],
        "last_line": _storable(next((line for line in reversed(body[-2000:].splitlines()) if line.strip()), ""))[:200],
        "size": len(body),
        "content": _storable(json.dumps({"values": values, "files": files}, ensure_ascii=False)),
        "base": _storable(base),
        "holder": _storable(holder),
        "sequence": sequence,
        "after": after,
    }


def _storable(text: str) -> str:
    """Return the text without what no database takes: halves of surrogate pairs, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
