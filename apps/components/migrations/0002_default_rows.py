"""The site's identity and the statistics box."""

from django.db import migrations


def add(apps, schema_editor):
    apps.get_model("components", "SiteIdentity").objects.get_or_create(
        pk=1, defaults={"title": "blog_xtg", "signature": "好记性不如烂笔头", "navbar": "dark"}
    )
    apps.get_model("components", "Plugin").objects.get_or_create(
        protected=True, defaults={"title": "博客统计", "kind": "statistics", "order": 1}
    )


class Migration(migrations.Migration):
    dependencies = [("components", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
