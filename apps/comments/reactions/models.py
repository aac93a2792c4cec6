"""Reactions, an opinion in one sign: a row for each visitor, thing and kind."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Count, F, Q
from django.utils.translation import gettext_lazy as _

from apps.posts.models import Post

VISITOR_LENGTH = 32


def _at(first_floor: int, last_floor: int) -> Q:
    return Q(floor=0) | Q(floor__range=(first_floor, last_floor))


class ReactionQuerySet(models.QuerySet["Reaction"]):
    def by(self, visitor: str, post: Post, first_floor: int, last_floor: int) -> Iterable[tuple[int, str]]:
        """Floor and kind of what this visitor has given to the post and its comments between these floors (1 query)."""
        return self.filter(_at(first_floor, last_floor), post=post, visitor=visitor).values_list("floor", "kind")

    def counted(self) -> Iterable[tuple[int, int, str, int]]:
        """Post, floor, kind and number of what has been given (1 grouped query)."""
        return self.order_by().values_list("post", "floor", "kind").annotate(Count("pk"))


class ReactionCountQuerySet(models.QuerySet["ReactionCount"]):
    def of_page(self, post: Post, first_floor: int, last_floor: int) -> Iterable[tuple[int, str, int]]:
        """Floor, kind and number of those to the post itself and to its comments between these floors (1 query)."""
        return self.filter(_at(first_floor, last_floor), post=post, number__gt=0).values_list("floor", "kind", "number")

    def move(self, post: Post, floor: int, kind: str, by: int) -> bool:
        """Add to the number, atomically; False when nobody has reacted so before (1 statement)."""
        return bool(self.filter(post=post, floor=floor, kind=kind).update(number=F("number") + by))


class Reaction(models.Model):
    """One visitor's sign to a post (`floor` 0) or to the comment on that floor, which is never given to another."""

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
        constraints = [models.UniqueConstraint(fields=["post", "visitor", "floor", "kind"], name="reaction_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.post_id}/{self.floor}"


class ReactionCount(models.Model):
    """How many signs of a kind stand there: moved in the transaction that writes or deletes a row of them."""

    post = models.ForeignKey(Post, models.CASCADE, db_index=False, related_name="reaction_counts")
    floor = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=8, choices=Reaction.Kind.choices)
    number = models.PositiveIntegerField(default=0)
    comment = models.ForeignKey("comments.Comment", models.CASCADE, null=True, related_name="reaction_counts")

    objects = ReactionCountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "floor", "kind"], name="reaction_count_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.post_id}/{self.floor}: {self.number}"
