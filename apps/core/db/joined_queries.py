"""Run several queries in one round trip: a UNION ALL of querysets, whose rows are JSON arrays."""

import datetime
import json
from collections.abc import Callable
from typing import Any, TypeAlias

from django.db import connection as primary
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, QuerySet, Value
from django.db.models.functions import JSONArray
from django.db.models.sql.compiler import SQLCompiler

from .replicas import database

Row: TypeAlias = list[Any]  # the columns of a row, each a value of its own model field

_EVERY_ROW = 1_000_000_000
_decode = json.JSONDecoder().raw_decode


class Param(Expression):
    """A placeholder in a queryset for a value that is passed to `JoinedQueries.ask()`."""

    def __init__(self, name: str, output_field: Field) -> None:
        super().__init__(output_field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]

    def stored(self, value: object) -> object:
        """Return the value as the database driver expects it."""
        # An int is the same in every database.
        return value if isinstance(value, int) else self.output_field.get_db_prep_value(value, primary)


class JoinedQueries:
    """Querysets that are always queried together. Each part is a function that returns a `values_list` of named fields.

    The SQL is compiled at the first call of `ask()`, once for each database vendor and set of omitted parts, and then
    reused. Values that differ between calls are `Param`s. Reusing the SQL skips Django's SQL compiler, which takes
    longer than the query itself.
    """

    def __init__(self, **parts: Callable[[], QuerySet]) -> None:
        self._parts = parts
        self._compiled: dict[tuple[str, tuple[str, ...]], _Compiled] = {}

    def add(self, name: str, part: Callable[[], QuerySet]) -> None:
        """Add a part from an app that imports this one. Call it before the first `ask()`."""
        self._parts[name] = part

    def ask(self, without: tuple[str, ...] = (), /, **given: object) -> dict[str, list[Row]]:
        """Return the rows of each part by its name, in the order of its queryset (1 query).

        The parts named in `without` are not queried and have no rows. `given` holds the value of each Param by name.
        Raises KeyError if one is missing.
        """
        connection = database()
        key = connection.vendor, without
        if key not in self._compiled:
            self._compiled[key] = self._compile(connection, without)
        sql, parameters, readers = self._compiled[key]
        params = {part.name: part for part in parameters if isinstance(part, Param)}
        stored = {name: param.stored(given[name]) for name, param in params.items()}
        values: list[Any] = [stored[part.name] if isinstance(part, Param) else part for part in parameters]
        found: list[list[Row]] = [[] for _part in self._parts]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            for number, row in cursor.fetchall():
                found[number].append(readers[number](_decode(row)[0]))
        return dict(zip(self._parts, found, strict=True))

    def _compile(self, connection: BaseDatabaseWrapper, without: tuple[str, ...]) -> "_Compiled":
        # A part keeps its order only inside a subquery. MariaDB and SQLite need different syntax for it.
        braced = "({})" if connection.vendor == "mysql" else "SELECT * FROM ({})"
        statements, parameters, readers = [], [], []
        for number, (name, part) in enumerate(self._parts.items()):
            queryset = part()
            if queryset.ordered and not queryset.query.is_sliced:
                queryset = queryset[:_EVERY_ROW]  # MariaDB ignores ORDER BY in a part without LIMIT
            names = list(queryset.query.selected or ())
            limits = queryset.query.low_mark, queryset.query.high_mark
            queryset.query.clear_limits()
            queryset = queryset.values_list(Value(number), JSONArray(*names))
            queryset.query.set_limits(*limits)
            expressions = list(queryset.query.annotations.values())[-1].get_source_expressions()
            readers.append(_Reader([expression.output_field for expression in expressions]))
            if name in without:
                continue
            sql, of_part = queryset.query.get_compiler(connection=connection).as_sql(with_col_aliases=True)
            statements.append(braced.format(sql))
            parameters += of_part
        return " UNION ALL ".join(statements), parameters, readers


class _Reader:
    """Converts the columns of a row that JSON has no type for, such as dates."""

    def __init__(self, fields: list[Field]) -> None:
        readers = ((at, _READERS.get(field.get_internal_type())) for at, field in enumerate(fields))
        self._readers = [(at, reader) for at, reader in readers if reader]

    def __call__(self, row: Row) -> Row:
        for at, read in self._readers:
            if row[at] is not None:
                row[at] = read(row[at])
        return row


# The SQL, its parameters with Params among them, and a reader for each part.
_Compiled = tuple[str, list[object], list[_Reader]]


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


_READERS: dict[str, Callable[[Any], object]] = {
    "DateTimeField": _moment,
    "BooleanField": lambda value: bool(int(value)),  # MariaDB returns EXISTS as the string "0" or "1"
    "JSONField": lambda value: json.loads(value) if isinstance(value, str) else value,
}
