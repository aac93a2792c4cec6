from django.contrib.admin.apps import AdminConfig


class BlogAdminConfig(AdminConfig):
    default_site = "apps.components.admin_site.BlogAdminSite"
