"""A table read by an index that is named, where the database would take longer to find that one out.

MariaDB looks into every index of posts that could serve: for ten rows of a list, a third of the statement's time. A
statement that names an index fails without it: tests/deploy/test_migrations.py keeps one from going in one release.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import QuerySet
from django.db.models.sql.datastructures import BaseTable

Rows = TypeVar("Rows", bound=QuerySet)


def by_index(rows: Rows, index: str) -> Rows:
    """Return the same rows; MariaDB is told which index to read their table by."""
    told = rows.all()
    table: Any = told.query.get_initial_alias()
    told.query.alias_map[table] = ByIndex(told.model._meta.db_table, table, index)
    return told


class ByIndex(BaseTable):
    """A table in whose place MariaDB is told which index to read it by; to other databases it is the table."""

    def __init__(self, table_name: str, alias: str | None, index: str) -> None:
        super().__init__(table_name, alias)
        self.index = index

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, parameters = super().as_sql(compiler, connection)
        hint = f" FORCE INDEX ({connection.ops.quote_name(self.index)})" if connection.vendor == "mysql" else ""
        return sql + hint, parameters

    def relabeled_clone(self, change_map: Any) -> ByIndex:
        return ByIndex(self.table_name, change_map.get(self.table_alias, self.table_alias), self.index)
