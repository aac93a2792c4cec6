"""What readers think in one sign: a row for each visitor, thing and kind."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from apps.posts.models import Post

VISITOR_LENGTH = 32


class ReactionQuerySet(models.QuerySet["Reaction"]):
    def of_page(self, post: Post, first_floor: int, last_floor: int) -> "ReactionQuerySet":
        """Those to the post itself and to its comments from one floor to another."""
        return self.filter(Q(floor=0) | Q(floor__range=(first_floor, last_floor)), post=post)

    def counted(self) -> Iterable[tuple[int, str, int]]:
        """Floor, kind and number of those that are there (1 query that reads an index alone)."""
        return (
            self.order_by().values("floor", "kind").annotate(number=Count("pk")).values_list("floor", "kind", "number")
        )

    def by(self, visitor: str) -> Iterable[tuple[int, str]]:
        """Floor and kind of what this visitor has given (1 query)."""
        return self.filter(visitor=visitor).values_list("floor", "kind")

    def take_back(self, post: Post, floor: int, kind: str, visitor: str) -> int:
        return self.filter(post=post, floor=floor, kind=kind, visitor=visitor).delete()[0]


class Reaction(models.Model):
    """One visitor's sign to a post (`floor` 0) or to the comment on that floor, which is never given to another.

    The unique constraint is what the counts are read from: post, floor, kind stand first in it.
    """

    class Kind(models.TextChoices):
        LIKE = "like", _("Like")
        LOVE = "love", _("Love")
        CHEER = "cheer", _("Hooray")
        SMILE = "smile", _("Smile")

    SIGNS = {Kind.LIKE: "👍", Kind.LOVE: "❤️", Kind.CHEER: "🎉", Kind.SMILE: "😄"}

    post = models.ForeignKey(Post, models.CASCADE, db_index=False, related_name="reactions")
    floor = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    visitor = models.CharField(max_length=VISITOR_LENGTH)
    comment = models.ForeignKey("comments.Comment", models.CASCADE, null=True, related_name="reactions")

    objects = ReactionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "floor", "kind", "visitor"], name="reaction_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.post_id}/{self.floor}"
