"""Migrations are compatible with the release before: its processes go on serving while a fleet is upgraded.

What they would miss or stumble over (a column, table or index gone or renamed, a new column that must be filled) takes
two releases: the first stops using it, the second takes it away, by SeparateDatabaseAndState and RunSQL.
"""

from collections.abc import Iterable, Iterator

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

# The last ones before the first release: nobody has run a program that knew less.
UNRELEASED = {
    "posts": "0006_census",
    "comments": "0005_reactions",
    "stats": "0002_redis_counting_referrers",
    "components": "0004_holding",
    "exchange": "0001_initial",
}

MISSED = (
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.RemoveField,
    migrations.RenameField,
    migrations.AlterModelTable,
    # by_index() names them.
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.RemoveConstraint,
)


def in_the_database(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from in_the_database(operation.database_operations)
        else:
            yield operation


def breaks(operation: Operation, app: str, before: ProjectState) -> bool:
    """Whether the program that knows the tables as they were before fails on them afterwards."""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        return not (field.null or field.many_to_many or field.db_default is not NOT_PROVIDED)
    if isinstance(operation, migrations.AlterField):
        was = before.models[app, operation.model_name_lower].fields[operation.name]
        return bool(was.null and not operation.field.null)
    return isinstance(operation, MISSED)


def breaking(loader: MigrationLoader) -> list[str]:
    found = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app not in UNRELEASED or name <= UNRELEASED[app]:
            continue
        state = loader.project_state((app, name), at_end=False)
        for operation in migration.operations:
            before = state.clone()
            operation.state_forwards(app, state)
            found += [
                f"{app}.{name}: {one.describe()}" for one in in_the_database([operation]) if breaks(one, app, before)
            ]
    return found


def test_the_release_before_goes_on_with_the_new_tables() -> None:
    loader = MigrationLoader(None)
    ours = {
        app for (app, _name), migration in loader.disk_migrations.items() if migration.__module__.startswith("apps.")
    }
    assert ours == set(UNRELEASED)
    assert breaking(loader) == []


@pytest.mark.parametrize(
    ("operation", "breaking"),
    [
        (migrations.RemoveField("post", "title"), True),
        (migrations.RenameField("post", "title", "heading"), True),
        (migrations.DeleteModel("post"), True),
        (migrations.AddField("post", "mood", models.TextField(default="good")), True),
        (migrations.AddField("post", "mood", models.TextField(db_default="good")), False),
        (migrations.AddField("post", "mood", models.TextField(null=True)), False),
        (migrations.AlterField("post", "cover", models.TextField()), False),
        (migrations.AlterField("post", "published_at", models.DateTimeField()), True),
        (migrations.RemoveIndex("post", "post_home"), True),
        (migrations.AddIndex("post", models.Index(fields=["title"], name="by_title")), False),
    ],
)
def test_what_it_would_stumble_over_is_known(operation: Operation, breaking: bool) -> None:
    assert breaks(operation, "posts", MigrationLoader(None).project_state()) is breaking
