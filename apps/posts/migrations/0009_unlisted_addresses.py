from django.db import migrations

from apps.posts.secret_slugs import has_secret, with_secret


def hide(apps, schema_editor):
    """Give unlisted posts slugs that can't be guessed; the whole address that was passed on goes on leading there."""
    posts, old_addresses = apps.get_model("posts", "Post"), apps.get_model("posts", "OldAddress")
    for pk, slug in posts.objects.filter(status="unlisted").values_list("pk", "slug"):
        if has_secret(slug):
            continue
        old_addresses.objects.get_or_create(path=f"/article/{pk}/{slug}/", defaults={"post_id": pk})
        posts.objects.filter(pk=pk).update(slug=with_secret(slug))


class Migration(migrations.Migration):
    dependencies = [("posts", "0008_old_tag_slugs")]

    operations = [migrations.RunPython(hide, migrations.RunPython.noop)]
