"""Several questions to the database in one round trip: a UNION ALL of querysets, whose rows are JSON."""

import datetime
import json
from collections.abc import Callable
from typing import Any

from django.db import connection as primary
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, QuerySet, Value
from django.db.models.functions import JSONArray
from django.db.models.sql.compiler import SQLCompiler

from .replicas import database

_EVERY_ROW = 1_000_000_000
_decode = json.JSONDecoder().raw_decode


class Param(Expression):
    """Stands in a queryset for a value that is named when the question is asked."""

    def __init__(self, name: str, output_field: Field) -> None:
        super().__init__(output_field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]

    def stored(self, value: Any) -> Any:
        """Return the value as this database takes it; a whole number is one everywhere."""
        return value if isinstance(value, int) else self.output_field.get_db_prep_value(value, primary)


class JoinedQueries:
    """Questions that are always asked together: each a function that returns a `values_list` with names.

    The SQL is made at the first asking, once for each kind of database and what is left out, and is the same ever
    after: what differs from one asking to the next is `Param`. That saves Django's compiler, which takes longer than
    the answer.
    """

    def __init__(self, **parts: Callable[[], QuerySet]) -> None:
        self._parts = parts
        self._compiled: dict[tuple[str, tuple[str, ...]], _Compiled] = {}

    def add(self, name: str, part: Callable[[], QuerySet]) -> None:
        """Let an app above ask along; before the first asking."""
        self._parts[name] = part

    def ask(self, without: tuple[str, ...] = (), /, **given: Any) -> dict[str, list[list[Any]]]:
        """Return the rows of each part, in its order (1 query); for the parts `without` nobody asks: they have none."""
        connection = database()
        key = connection.vendor, without
        if key not in self._compiled:
            self._compiled[key] = self._compile(connection, without)
        sql, parameters, readers = self._compiled[key]
        places = {part.name: part for part in parameters if isinstance(part, Param)}
        stored = {name: place.stored(given[name]) for name, place in places.items()}
        values = [stored[part.name] if isinstance(part, Param) else part for part in parameters]
        found: list[list[list[Any]]] = [[] for _part in self._parts]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            for number, row in cursor.fetchall():
                found[number].append(readers[number](_decode(row)[0]))
        return dict(zip(self._parts, found, strict=True))

    def _compile(self, connection: BaseDatabaseWrapper, without: tuple[str, ...]) -> "_Compiled":
        # Each part keeps its order only in a select of its own, which the two databases want written differently.
        braced = "({})" if connection.vendor == "mysql" else "SELECT * FROM ({})"
        statements, parameters, readers = [], [], []
        for number, (name, part) in enumerate(self._parts.items()):
            queryset = part()
            if queryset.ordered and not queryset.query.is_sliced:
                queryset = queryset[:_EVERY_ROW]  # MariaDB drops the order of a part without a limit
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
    """Makes what Python works with of what JSON can't say."""

    def __init__(self, fields: list[Field]) -> None:
        readers = ((at, _READERS.get(field.get_internal_type())) for at, field in enumerate(fields))
        self._readers = [(at, reader) for at, reader in readers if reader]

    def __call__(self, row: list[Any]) -> list[Any]:
        for at, read in self._readers:
            if row[at] is not None:
                row[at] = read(row[at])
        return row


_Compiled = tuple[str, list[Any], list[_Reader]]  # SQL, parameters with places among them, a reader for each part


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


_READERS: dict[str, Callable[[Any], Any]] = {
    "DateTimeField": _moment,
    "BooleanField": lambda value: bool(int(value)),  # "0" is what MariaDB makes of EXISTS
    "JSONField": lambda value: json.loads(value) if isinstance(value, str) else value,
}
