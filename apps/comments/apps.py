from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommentsConfig(AppConfig):
    name = "apps.comments"
    label = "comments"
    verbose_name = _("Readers")

    def ready(self) -> None:
        from apps.posts.post_page import QUESTIONS

        from .mail.services import wake_when_changed
        from .models import Comment
        from .signals import comments_changed

        comments_changed.connect(wake_when_changed, dispatch_uid="comments-mail")
        QUESTIONS.add("comments", Comment.objects.of_page)
