"""Each question about comments, asked once and by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce

from apps.posts.models import Post
from apps.posts.querysets import Moment

from .signals import comments_changed

if TYPE_CHECKING:
    from .models import Comment  # noqa: F401 -- ruff doesn't read QuerySet's strings

SHOWN_STATES = ("visible", "screened")  # pending ones and spam are nobody's business but the administrator's


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible(self) -> CommentQuerySet:
        """Comments whose text everyone may read."""
        return self.filter(state="visible")

    def by_ids(self, ids: Sequence[int]) -> CommentQuerySet:
        return self.filter(pk__in=ids)

    def of_page(self, post: Post, page: int) -> CommentQuerySet:
        """The comments on that page of the post, oldest first (1 query); screened ones keep their floor."""
        last = page * post.FLOORS_PER_PAGE
        floors = (last - post.FLOORS_PER_PAGE + 1, last)
        return self.filter(post=post, floor__range=floors, state__in=SHOWN_STATES).order_by("floor")

    def answerable(self, post: Post, floor: int) -> bool:
        """Whether a reply may name that floor of the post."""
        return self.filter(post=post, floor=floor, state__in=SHOWN_STATES).exists()

    def newest(self, at: Moment) -> CommentQuerySet:
        """Visible comments on posts that are public by then, newest first."""
        # By EXISTS: given a join to begin with, SQLite would look through every post.
        public = Post.objects.published(at).filter(pk=OuterRef("post"), password="")
        return self.visible().filter(Exists(public)).order_by("-created_at", "-pk")

    def set_state(self, state: str) -> int:
        """Put all of them into that state, keep the posts' counts exact, return how many changed (3 statements)."""
        with transaction.atomic():
            posts = set(self.values_list("post_id", flat=True))
            changed = self.exclude(state=state).update(state=state)
            recount(posts)
        return changed

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the comments, keep the posts' counts exact."""
        with transaction.atomic():
            posts = set(self.values_list("post_id", flat=True))
            deleted = super().delete()
            recount(posts)
        return deleted


def recount(post_ids: set[int]) -> None:
    """Set the posts' counts to the number of their visible comments, in one statement, and tell who shows them."""
    from .models import Comment

    visible = (
        Comment.objects.visible()
        .filter(post=OuterRef("pk"))
        .order_by()
        .values("post")
        .annotate(number=Count("pk"))
        .values("number")
    )
    Post.objects.filter(pk__in=post_ids).update(comment_count=Coalesce(Subquery(visible), 0))
    comments_changed.send(Comment, post_ids=post_ids)
