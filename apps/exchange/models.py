"""The origin of each imported post, so that a second import creates no duplicates."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.posts.models import Post


class ImportedPost(models.Model):
    """Where a post came from, what it looked like there, and the state in which it was last imported.

    What identifies a file is explained in `identity.py`.
    """

    key = models.CharField(_("key"), max_length=64, unique=True)  # SHA-256 of where and as what it was first found
    path_key = models.CharField(max_length=64, db_index=True)  # SHA-256 of the path within its blog
    place_key = models.CharField(max_length=64, blank=True)  # SHA-256 of where that blog last lay
    origin = models.CharField(_("origin"), max_length=500)
    title = models.CharField(max_length=200, blank=True)
    dated = models.DateTimeField(null=True, blank=True)  # the date its file states; none stated: null
    digest = models.CharField(_("digest"), max_length=64, blank=True)  # SHA-256 of the file and its pictures
    post = models.OneToOneField(Post, models.CASCADE, verbose_name=_("post"), related_name="imported")
    post_updated_at = models.DateTimeField()  # differs from the post's own once its text has been edited here
    status = models.CharField(
        max_length=10, blank=True, default="", db_default=""
    )  # that the import gave it; unknown: blank
    had_password = models.BooleanField(default=False, db_default=False)  # from its file
    post_digest = models.CharField(max_length=64, blank=True)  # of all that can be edited, the category too

    class Meta:
        verbose_name = _("imported post")
        verbose_name_plural = _("imported posts")

    def __str__(self) -> str:
        return self.origin
