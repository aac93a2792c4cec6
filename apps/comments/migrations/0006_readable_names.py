from django.db import migrations

from apps.posts.rendering.words import readable_line


def clean(apps, schema_editor):
    """Hold the names and sites of stored comments to the bounds that new ones are held to."""
    comments = apps.get_model("comments", "Comment").objects
    for pk, *typed in comments.values_list("pk", "author_name", "author_site").iterator(chunk_size=2000):
        name, site = map(readable_line, typed)
        if [name, site] != typed:
            comments.filter(pk=pk).update(author_name=name or typed[0], author_site=site)


class Migration(migrations.Migration):
    dependencies = [("comments", "0005_reactions")]

    operations = [migrations.RunPython(clean, migrations.RunPython.noop)]
