"""Each question about comments, asked once and by name."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.db import models, transaction
from django.db.models import Count, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.posts.models import Post
from apps.posts.pages.post_page import FIRST_FLOOR, LAST_FLOOR, POST
from apps.posts.rendering.comment_markdown import COMMENT_RENDERER_VERSION
from apps.posts.visibility import Moment, may_see_unpublished

from .live.notifications import notify_changed
from .signals import comments_changed

if TYPE_CHECKING:
    from apps.posts.visibility import Account

    from .models import Comment

SHOWN_STATES = ("visible", "screened")  # pending ones and spam are nobody's business but the administrator's


class CommentRow(NamedTuple):
    """The columns of a comment that pages show."""

    floor: int
    author_name: str
    author_email: str
    author_site: str
    html: str
    reply_to_floor: int | None
    state: str
    by_administrator: bool
    created_at: datetime.datetime
    edited_at: datetime.datetime | None


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible(self) -> CommentQuerySet:
        """Comments whose text everyone may read."""
        return self.filter(state="visible")

    def on_posts_read_by(self, user: Account) -> CommentQuerySet:
        """Comments on posts whose text this user may read without a password."""
        return self.all() if may_see_unpublished(user) else self.filter(post__in=Post.objects.public())

    def by_ids(self, ids: Sequence[int]) -> CommentQuerySet:
        return self.filter(pk__in=ids)

    def of_page(self) -> models.QuerySet[Comment, tuple]:
        """The comments that a post's page asks for along with the rest, oldest first; hidden ones keep their floor."""
        floors = self.filter(post=POST, floor__gte=FIRST_FLOOR, floor__lte=LAST_FLOOR, state__in=SHOWN_STATES)
        return floors.order_by("floor").values_list(*CommentRow._fields)

    def on_floors(self, post: Post, floors: Sequence[int]) -> CommentQuerySet:
        return self.filter(post=post, floor__in=floors).order_by("floor")

    def sent(self, post: object, submission: str | None) -> CommentQuerySet:
        """The comment that this submit has stored under the post, none for a submit without a key."""
        return self.none() if submission is None else self.filter(post=post, submission=submission)

    def stale(self) -> CommentQuerySet:
        """Comments whose stored HTML was made by an older version of the renderer; in the order of an index."""
        return self.filter(renderer_version__lt=COMMENT_RENDERER_VERSION).order_by("renderer_version", "pk")

    def answerable(self, post: Post, floor: int) -> bool:
        """Whether a reply may name that floor of the post."""
        return self.filter(post=post, floor=floor, state__in=SHOWN_STATES).exists()

    def newest(self, at: Moment) -> CommentQuerySet:
        """Visible comments on posts that are public by then, newest first, with the `public_slug` of their posts."""
        # By a value that is looked up for each comment: given a join or EXISTS to begin with, SQLite would look through
        # every post, and MariaDB sort all comments. The time leads it to the index, in whose order it then goes on.
        public = Post.objects.listed(at).without_password().filter(pk=OuterRef("post")).order_by()
        slugs = self.visible().filter(created_at__lte=at).annotate(public_slug=Subquery(public.values("slug")))
        return slugs.filter(public_slug__isnull=False).order_by("-created_at", "-pk")

    def same_text(self, digest: str, days: int) -> list[str]:
        """The states of up to 10 comments of that text_digest in the last days, on any post."""
        since = timezone.now() - datetime.timedelta(days=days)
        return list(self.filter(text_digest=digest, created_at__gte=since).values_list("state", flat=True)[:10])

    def knows(self, user_id: int | None, email: str) -> bool:
        """Whether a comment of that account, or that e-mail where nobody was signed in, is shown (1 query)."""
        shown = self.filter(state="visible")
        own = shown.filter(user=user_id) if user_id else shown.filter(user=None, author_email=email)
        return bool(user_id or email) and own.exists()

    def waiting_under(self, post: Post) -> CommentQuerySet:
        """The first 20 comments under the post that wait for approval."""
        return self.filter(post=post, state="pending").order_by("floor")[:20]

    def newest_of(self, post: Post) -> CommentQuerySet:
        """The post's visible comments, newest first."""
        return self.visible().filter(post=post).order_by("-floor")

    def by_account(self, user: object) -> CommentQuerySet:
        """Return the comments of that account, newest first, with the posts; in the order of one index."""
        return self.filter(user=user).order_by("-pk")

    def set_state(self, state: str) -> int:
        """Put all of them into that state, keep the posts' counts exact, return how many changed (3 statements)."""
        with transaction.atomic():
            floors, shown = self._floors()
            changed = self.exclude(state=state).update(state=state)
            recount({post_id for post_id, _floor in floors}, withdrawn=bool(shown - {state}) and state != "visible")
            notify_changed(floors)
        return changed

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the comments, keep the posts' counts exact."""
        with transaction.atomic():
            floors, shown = self._floors()
            deleted = super().delete()
            recount({post_id for post_id, _floor in floors}, withdrawn=bool(shown))
            notify_changed(floors)
        return deleted

    def _floors(self) -> tuple[set[tuple[int, int]], set[str]]:
        """Where they stand, and which of the states that readers see are among them (1 query)."""
        rows = list(self.values_list("post_id", "floor", "state"))
        return {(post_id, floor) for post_id, floor, _state in rows}, {row[2] for row in rows} & set(SHOWN_STATES)


def miscounted(posts: models.QuerySet[Post]) -> models.QuerySet[Post, tuple[int, int, int, int, int]]:
    """Those of the posts whose numbers are not those of their comments (1 query).

    Id, stored count, stored last floor, counted comments, highest floor.
    """
    visible = Count("comments", filter=Q(comments__state="visible"))
    highest = Coalesce(Max("comments__floor"), 0)
    of_comments = posts.order_by().values("pk").annotate(counted=visible, highest=highest)
    off = of_comments.filter(~Q(comment_count=F("counted")) | Q(last_floor__lt=F("highest")))
    return off.values_list("pk", "comment_count", "last_floor", "counted", "highest")


def recount(post_ids: set[int], *, withdrawn: bool = False) -> None:
    """Set the posts' counts to the number of their visible comments, in one statement, and tell who shows them.

    `withdrawn`: a comment that readers could see is gone.
    """
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
    comments_changed.send(Comment, post_ids=post_ids, withdrawn=withdrawn)
