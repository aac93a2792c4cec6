"""Comments of readers: one row and one floor each."""

from collections.abc import Collection
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.posts.models import Post
from apps.posts.rendering.comment_markdown import COMMENT_RENDERER_VERSION, render_comment
from apps.posts.rendering.words import is_blank, readable, readable_line

from .digests import text_digest
from .live.notifications import notify_changed
from .mail import models as _mail  # noqa: F401 (more tables of this app)
from .querysets import SHOWN_STATES, CommentQuerySet, recount
from .reactions import models as _reactions  # noqa: F401
from .spam.models import BlocklistEntry, LearnedToken, LearnedTotals, Lesson, Moderation
from .verdict import Reason

__all__ = ["BlocklistEntry", "Comment", "LearnedToken", "LearnedTotals", "Lesson", "Moderation"]

NAME_MAX_LENGTH = 64
BODY_MAX_LENGTH = 10_000
BODY_MAX_LINES = 400


class Comment(models.Model):
    """An answer on a floor of its own.

    A floor belongs to one comment for ever: it is handed out by services.add_comment and never given again, so a
    deleted comment leaves a gap and a permalink never moves.
    """

    class State(models.TextChoices):
        VISIBLE = "visible", _("visible")
        HIDDEN = "screened", _("hidden")
        PENDING = "pending", _("pending")
        SPAM = "spam", _("spam")

    post = models.ForeignKey(Post, models.CASCADE, verbose_name=_("post"), related_name="comments")
    floor = models.PositiveIntegerField(_("floor"), editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        verbose_name=_("account"),
        related_name="comments",
    )
    author_name = models.CharField(pgettext_lazy("of a person", "name"), max_length=NAME_MAX_LENGTH)
    author_email = models.EmailField(_("e-mail"), blank=True)
    author_site = models.URLField(_("site"), blank=True)
    body = models.TextField(_("text"), max_length=BODY_MAX_LENGTH)
    html = models.TextField(editable=False)
    renderer_version = models.PositiveSmallIntegerField(editable=False, default=0)
    reply_to_floor = models.PositiveIntegerField(_("reply to floor"), null=True, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.VISIBLE)
    by_administrator = models.BooleanField(_("by an administrator"), default=False, editable=False)
    created_at = models.DateTimeField(_("written at"), auto_now_add=True)
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True, editable=False)
    # What was sent, told from every other submit; none for comments that no form sent.
    submission = models.CharField(max_length=32, null=True, blank=True, editable=False)  # noqa: DJ001
    # What the spam filter found, for moderators; null where nothing was weighed. See spam/.
    score = models.FloatField(_("score"), null=True, editable=False)
    reasons = models.JSONField(_("reasons"), null=True, editable=False)
    text_digest = models.CharField(max_length=32, null=True, editable=False)  # noqa: DJ001  # null: too short

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["post", "floor"], name="comment_floor_once"),
            models.UniqueConstraint(fields=["post", "submission"], name="comment_sent_once"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="comment_newest"),
            models.Index(fields=["renderer_version", "id"], name="comment_renderer"),
            models.Index(fields=["state", "-created_at", "-id"], name="comment_queue"),
            models.Index(fields=["text_digest", "created_at"], name="comment_same_text"),
            models.Index(fields=["author_email", "state"], name="comment_known_author"),
        ]

    RENDERED = ("html", "renderer_version")

    _WORDS = ("body", "author_name", "author_site")
    _stored: dict[str, Any] = {}  # state and words as the database has them; empty for a new comment

    def __str__(self) -> str:
        return _("#%(floor)d by %(name)s") % {"floor": self.floor, "name": self.author_name}

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **kwargs: Any) -> Self:
        comment = super().from_db(db, field_names, values, **kwargs)
        comment._remember()
        return comment

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self._remember(kwargs.get("fields"))

    def clean(self) -> None:
        if is_blank(readable(self.body)):
            raise ValidationError({"body": _("Comment can't be empty.")})
        if self.body.count("\n") >= BODY_MAX_LINES:
            raise ValidationError({"body": _("Comments can have up to %(number)d lines.") % {"number": BODY_MAX_LINES}})
        if self.author_name and not readable_line(self.author_name):
            raise ValidationError({"author_name": _("Please enter a name.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the comment with its text rendered; a changed state moves the post's count along."""
        self.author_name, self.author_site = readable_line(self.author_name), readable_line(self.author_site)
        fields = kwargs.get("update_fields")
        if fields is None or "body" in fields:
            self.body = readable(self.body)
            self.render()
            self.text_digest = text_digest(self.body)
            if fields is not None:
                kwargs["update_fields"] = [*fields, *self.RENDERED, "text_digest"]
        adding = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if not adding:
                is_hidden = self.state not in {self._stored.get("state"), self.State.VISIBLE}
                recount({self.post_id}, withdrawn=(is_hidden or self._is_rewritten()) and self._was_shown())
                notify_changed([(self.post_id, self.floor)])
            self._remember()

    def render(self) -> None:
        """Bring `html` up to the text and to COMMENT_RENDERER_VERSION; stores nothing."""
        self.html = render_comment(self.body)
        self.renderer_version = COMMENT_RENDERER_VERSION

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the comment and keep the post's count exact; its floor stays empty for ever."""
        with transaction.atomic():
            deleted = super().delete(*args, **kwargs)
            recount({self.post_id}, withdrawn=self._was_shown())
            notify_changed([(self.post_id, self.floor)])
        return deleted

    def _remember(self, read: Collection[str] | None = None) -> None:
        """Note what the database holds. Where only some columns were `read`, the others may hold a change by now."""
        loaded = {name: value for name, value in vars(self).items() if name in ("state", *self._WORDS)}
        self._stored = loaded if read is None else self._stored | {name: loaded[name] for name in loaded.keys() & read}

    def _is_rewritten(self) -> bool:
        return any(vars(self).get(name) != before for name, before in self._stored.items() if name in self._WORDS)

    def _was_shown(self) -> bool:
        return self._stored.get("state") in {None, *SHOWN_STATES}

    @property
    def why(self) -> list[Reason]:
        """What the spam filter said against the comment, and for it."""
        return [Reason(*reason) for reason in self.reasons or []]

    def get_absolute_url(self) -> str:
        return self.post.floor_url(self.floor)
