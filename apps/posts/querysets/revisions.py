"""Questions about the earlier versions of posts."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from ..models import Revision


class RevisionQuerySet(models.QuerySet["Revision"]):
    """The newest first. A *shown* one stands on the history page; the others are what older forms began from."""

    def of(self, post_id: int) -> Self:
        return self.filter(post_id=post_id).order_by("-pk")

    def shown(self) -> Self:
        return self.filter(replaced=False)

    def for_list(self) -> Self:
        """With their authors and without their texts."""
        return self.select_related("author").defer("content")

    def newest(self, post_id: int) -> Revision | None:
        return self.of(post_id).for_list().first()

    def of_version(self, post_id: int, version: str) -> Revision | None:
        """The newest revision that holds this very state of the post (1 query)."""
        return self.of(post_id).filter(version=version).first()

    def one(self, post_id: int, pk: int) -> Revision | None:
        """A revision of this post with all that a comparison shows of it (1 query)."""
        return self.of(post_id).select_related("author", "base").filter(pk=pk).first()

    def before(self, revision: Revision) -> Revision | None:
        return self.of(revision.post_id).shown().select_related("base").filter(pk__lt=revision.pk).first()

    def after(self, revision: Revision) -> Revision | None:
        return self.of(revision.post_id).shown().for_list().filter(pk__gt=revision.pk).last()

    def posts_with_many(self) -> list[int]:
        """The posts of which more than one revision is kept."""
        counted = self.order_by().values("post_id").annotate(number=models.Count("pk")).filter(number__gt=1)
        return list(counted.values_list("post_id", flat=True))

    def built_on(self, bases: Collection[int]) -> Self:
        """Those kept as what differs from one of these; ask it of one post's, there is no index."""
        return self.filter(base_id__in=bases)
