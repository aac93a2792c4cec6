"""An earlier version of a post."""

import json
from datetime import UTC
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..querysets.revisions import RevisionQuerySet
from ..writing import deltas
from .post import Post

State = dict[str, Any]  # what the form of a post holds, as JSON knows it: the columns of FIELDS, tags, old addresses
FIELDS = (
    *("title", "body", "category_id", "source_id", "status", "published_at", "summary", "cover", "kind", "language"),
    *("translation_of_id", "original_url", "slug", "pinned", "comments_open", "password"),
)


def state_of(post: Post) -> State:
    """Return all that the post's form holds, counters left out (2 queries)."""
    state: State = {name: getattr(post, name) for name in FIELDS}
    state["cover"] = post.cover.name or ""
    state["published_at"] = post.published_at.astimezone(UTC).isoformat() if post.published_at else None
    state["tags"] = sorted(post.tags.values_list("pk", flat=True))
    state["old_addresses"] = [list(row) for row in post.old_addresses.order_by("pk").values_list("pk", "path")]
    return state


def version_of(state: State) -> str:
    """Return the digest by which forms and revisions know this state."""
    text = json.dumps(state, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


class Revision(models.Model):
    """The state of a post after a save, with its author.

    `content` holds the state: compressed, or as what differs from the revision `base_id`, which is a whole one.
    """

    post = models.ForeignKey(Post, models.CASCADE, related_name="revisions", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("author"), related_name="+"
    )
    created_at = models.DateTimeField(_("saved at"), default=timezone.now)
    version = models.CharField(max_length=32)
    title = models.CharField(_("title"), max_length=200)
    size = models.PositiveIntegerField(_("characters"))
    status = models.CharField(_("status"), max_length=10, choices=Post.Status.choices)
    replaced = models.BooleanField(default=False)  # by a later one of the same hour
    content = models.BinaryField()
    # No constraint: a post and all its revisions go in one statement, which MariaDB checks row by row.
    base = models.ForeignKey(
        "self", models.DO_NOTHING, null=True, blank=True, db_constraint=False, db_index=False, related_name="+"
    )

    objects = RevisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        indexes = [
            models.Index(fields=["post", "replaced", "-id"], name="revision_list"),
            models.Index(fields=["post", "version"], name="revision_version"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def state(self) -> State:
        """The state of the post (1 query more where it is kept as a difference)."""
        content = bytes(self.content)
        text = deltas.apply(self.base.text, content) if self.base else deltas.unpacked(content)
        head, _newline, body = text.partition("\n")
        state: State = json.loads(head)
        return state | {"body": body}

    @property
    def text(self) -> str:
        """Of a whole one: the state as it is packed."""
        return deltas.unpacked(bytes(self.content))


def packable(state: State) -> str:
    """Return the state as one text: a line of JSON, and the body below it."""
    head = {name: value for name, value in state.items() if name != "body"}
    return json.dumps(head, ensure_ascii=False) + "\n" + str(state["body"])
