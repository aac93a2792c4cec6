"""Name the index by which MariaDB reads a table, where it would choose a bad one or take long to choose.

Without it the page of a post whose neighbours are not remembered takes 1.2 times as long on a blog of 1,000 posts, and
9 times as long on one of 20,000. A statement that names an index fails without that index, so an index must not be
removed in the same release as its use (tests/deploy/test_migrations.py).
"""

from __future__ import annotations

from typing import TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.datastructures import BaseTable

Rows = TypeVar("Rows", bound=QuerySet)


def by_index(rows: Rows, index: str) -> Rows:
    """Return the same rows, read by that index on MariaDB."""
    told = rows.all()
    table = told.query.get_initial_alias()
    told.query.alias_map[table] = ByIndex(told.model._meta.db_table, table, index)
    return told


class ByIndex(BaseTable):
    """A table in FROM, with FORCE INDEX on MariaDB."""

    def __init__(self, table_name: str, alias: str | None, index: str) -> None:
        super().__init__(table_name, alias)
        self.index = index

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        sql, parameters = super().as_sql(compiler, connection)
        hint = f" FORCE INDEX ({connection.ops.quote_name(self.index)})" if connection.vendor == "mysql" else ""
        return sql + hint, parameters

    def relabeled_clone(self, change_map: dict[str | None, str]) -> ByIndex:
        return ByIndex(self.table_name, change_map.get(self.table_alias, self.table_alias), self.index)
