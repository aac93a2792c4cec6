from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommentsConfig(AppConfig):
    name = "apps.comments"
    label = "comments"
    verbose_name = _("Readers")

    def ready(self) -> None:
        from apps.posts.post_page import QUESTIONS

        from .models import Comment

        QUESTIONS.add("comments", Comment.objects.of_page)
