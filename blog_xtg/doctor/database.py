"""The database: whether it answers, and has what the program wants of it."""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import UniqueConstraint
from django.utils.module_loading import import_string

from apps.core.observability import health

from ..checks import OTHER_KEY, RIGHT_ONE, database_speaks_utf8mb4
from .findings import ERROR, OK, WARNING, Finding, manage


def database(parts: dict[str, str]) -> Iterator[Finding]:
    """The database."""
    if parts["database"] != health.OK:
        where = connection.settings_dict["HOST"] or connection.settings_dict["NAME"]
        what = "doesn't answer within a second" if parts["database"] == "no answer" else "can't be reached"
        try:
            connection.ensure_connection()
            why = ""
        except Exception as error:
            why = f" ({error})"
        remedy = "Start it, or correct DATABASE_URL: host, port, user, password and the database's name."
        yield Finding(ERROR, f"The database on {where} {what}{why}.", remedy)
        return
    version = ".".join(map(str, connection.get_database_version()))
    if parts["migrations"] != health.OK:
        yield Finding(
            ERROR,
            f"The database is behind the program: migrations {parts['migrations']}.",
            f"Run `{manage()} migrate`, once, on any host.",
        )
        return
    yield Finding(OK, f"The database: {connection.display_name} {version}, all migrations are applied.")
    if not import_string("apps.components.key.is_known")():
        yield Finding(ERROR, *OTHER_KEY)
    for alias in settings.DATABASE_REPLICAS:
        if parts[alias] != health.OK:
            host = settings.DATABASES[alias]["HOST"]
            remedy = "Start it, or take it out of DATABASE_REPLICA_URLS; the database answers for it meanwhile."
            yield Finding(ERROR, f"The replica on {host} can't be reached.", remedy)
    for wrong in database_speaks_utf8mb4(["default"]):
        yield Finding(ERROR, wrong.msg, str(wrong.hint))
    yield from _collations()
    missing = list(_missing_indexes())
    if missing:
        yield Finding(
            ERROR,
            f"Indexes are missing, so that pages read whole tables: {', '.join(missing[:10])}.",
            "Somebody has dropped them. `manage.py sqlmigrate <app> <migration>` shows the statement that makes each.",
        )


def _collations() -> Iterator[Finding]:
    if connection.vendor != "mysql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT @@collation_database UNION SELECT table_collation FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_collation IS NOT NULL"
        )
        for (name,) in cursor.fetchall():
            if not name.startswith("utf8mb4"):
                continue  # said already
            cursor.execute(f"SELECT _utf8mb4'é' COLLATE {name} = _utf8mb4'e'")
            if cursor.fetchone()[0]:
                yield Finding(
                    WARNING,
                    f"The collation {name} takes é for e and は for ば: tags that differ in that alone become one.",
                    f"ALTER DATABASE{RIGHT_ONE}, and each table likewise (ALTER TABLE … CONVERT TO{RIGHT_ONE}).",
                )


def _missing_indexes() -> Iterator[str]:
    """Names of indexes and unique constraints, or table.column of fields, that the models have and the tables lack."""
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            options = model._meta
            if not options.managed or options.proxy:
                continue
            there = connection.introspection.get_constraints(cursor, options.db_table)
            for index in options.indexes:
                if index.name not in there and not (index.condition and connection.vendor == "mysql"):
                    yield index.name
            for constraint in options.constraints:
                partial = getattr(constraint, "condition", None) and connection.vendor == "mysql"
                if isinstance(constraint, UniqueConstraint) and constraint.name not in there and not partial:
                    yield constraint.name
            leading = {found["columns"][0] for found in there.values() if found["columns"]}
            for field in options.local_concrete_fields:
                if (getattr(field, "db_index", False) or field.unique) and field.column not in leading:
                    yield f"{options.db_table}.{field.column}"
