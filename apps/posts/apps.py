from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _


class PostsConfig(AppConfig):
    name = "apps.posts"
    label = "posts"
    verbose_name = _("Writing")

    def ready(self) -> None:
        from .people import use_full_names
        from .search import receivers

        receivers.connect()
        use_full_names(get_user_model())
