"""The three sources and the category that takes what has none."""

from django.db import migrations

SOURCES = {1: "原创", 2: "转载", 3: "翻译"}


def add(apps, schema_editor):
    for pk, name in SOURCES.items():
        apps.get_model("posts", "Source").objects.get_or_create(pk=pk, defaults={"name": name})
    apps.get_model("posts", "Category").objects.get_or_create(
        protected=True, defaults={"pk": 1, "name": "未分类", "slug": "未分类", "hidden": True}
    )


class Migration(migrations.Migration):
    dependencies = [("posts", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
