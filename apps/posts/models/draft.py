"""A text that is being written and has not been saved yet."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..querysets import DraftQuerySet
from .post import Post


class Draft(models.Model):
    """The unsaved content of a post's form, one row for each open form; it goes when the form is saved.

    A draft of a post that is deleted stays, as one of a new post.
    """

    slot = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    post = models.ForeignKey(Post, models.SET_NULL, null=True, related_name="drafts")
    title = models.CharField(max_length=200)
    last_line = models.CharField(max_length=200)
    size = models.PositiveIntegerField()  # of the body, in characters
    content = models.TextField()  # JSON: values of the fields, and the names of chosen files
    base = models.CharField(max_length=64)  # the post's version that the form was opened on, empty for a new post
    holder = models.CharField(max_length=36)  # the open page that writes it
    sequence = models.PositiveBigIntegerField()  # grows with each change, whatever the writer's clock says
    saved_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "-saved_at"], name="draft_user_time"),
            models.Index(fields=["saved_at"], name="draft_time"),
        ]

    def __str__(self) -> str:
        return self.title
