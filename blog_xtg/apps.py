from django.apps import AppConfig
from django.contrib.admin import apps as admin


class BlogConfig(AppConfig):
    """The project itself: its commands (start, prepare, doctor, migrate, setup_link) and system checks."""

    name = "blog_xtg"

    def ready(self) -> None:
        from . import checks  # noqa: F401 (registers itself)


class BlogAdminConfig(admin.AdminConfig):
    default = False  # of this module: the other one is
    default_site = "apps.components.admin_site.BlogAdminSite"
