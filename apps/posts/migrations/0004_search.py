"""The tables of the search. The words' table is made by hand: its key is the table, in ASCII, compared byte by byte."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "posts_searchword"
BY_HAND = {
    "sqlite": (
        f"CREATE TABLE {TABLE} (token text NOT NULL, block integer NOT NULL, posts blob NOT NULL,"
        " PRIMARY KEY (token, block)) WITHOUT ROWID"
    ),
    "mysql": (
        f"CREATE TABLE {TABLE} (token varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
        " block bigint UNSIGNED NOT NULL, posts varbinary(512) NOT NULL, PRIMARY KEY (token, block))"
    ),
}


def create(apps, schema_editor):
    if statement := BY_HAND.get(schema_editor.connection.vendor):
        schema_editor.execute(statement)
    else:
        schema_editor.create_model(apps.get_model("posts", "SearchWord"))


def drop(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE {TABLE}")


class Migration(migrations.Migration):
    dependencies = [("posts", "0003_reader")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="SearchWord",
                    fields=[
                        ("pk", models.CompositePrimaryKey("token", "block", blank=True, editable=False, primary_key=True, serialize=False)),
                        ("token", models.CharField(max_length=64)),
                        ("block", models.PositiveBigIntegerField()),
                        ("posts", models.BinaryField()),
                    ],
                ),
            ],
        ),
        migrations.RunPython(create, drop, atomic=False),
        migrations.CreateModel(
            name="SearchBlock",
            fields=[("number", models.PositiveBigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "post",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_entry",
                        serialize=False,
                        to="posts.post",
                    ),
                ),
                ("version", models.PositiveSmallIntegerField()),
                ("words", models.BinaryField()),
                ("tag_words", models.TextField()),
                ("reading", models.TextField()),
            ],
        ),
    ]
