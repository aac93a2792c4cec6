from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class CommentsConfig(AppConfig):
    name = "apps.comments"
    label = "comments"
    verbose_name = _("Comments")

    def ready(self) -> None:
        from apps.posts.models import Post
        from apps.posts.pages.post_page import QUESTIONS

        from .mail.services import forget_public_readers, wake_when_changed
        from .models import Comment
        from .signals import comments_changed

        post_save.connect(forget_public_readers, Post, dispatch_uid="comments-unlisted")
        comments_changed.connect(wake_when_changed, dispatch_uid="comments-mail")
        QUESTIONS.add("comments", Comment.objects.of_page)
