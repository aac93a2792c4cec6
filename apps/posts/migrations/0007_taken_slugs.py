from django.db import migrations


def free(apps, schema_editor):
    """What reactions are sent to had the address of a post of that name, which nobody could open."""
    apps.get_model("posts", "Post").objects.filter(slug="reactions").update(slug="reactions-post")


class Migration(migrations.Migration):
    dependencies = [("posts", "0006_census")]

    operations = [migrations.RunPython(free, migrations.RunPython.noop)]
