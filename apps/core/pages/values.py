"""Convert frozen dataclasses to JSON values and back. Processes share these values through Redis."""

from __future__ import annotations

import datetime
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Value = TypeVar("Value")


def encoded(value: object) -> JSON:
    """Return the value as JSON. Tuples become lists, dates become strings, and keys of dictionaries become strings.

    Raises TypeError for a value that `decoded()` could not restore.
    """
    if is_dataclass(value):
        return {field.name: encoded(getattr(value, field.name)) for field in fields(value) if field.init}
    if isinstance(value, tuple):
        return [encoded(part) for part in value]
    if isinstance(value, dict):
        return {str(key): encoded(part) for key, part in value.items()}
    if isinstance(value, datetime.date):
        return value.isoformat()
    return _checked(value, (NoneType, bool, int, float, str))


def decoded(kind: type[Value], data: object) -> Value:
    """Return the value that was passed to `encoded()`. `kind` is the type of the value.

    Raises KeyError, TypeError or ValueError if the data was made from another type.
    """
    return cast(Value, _decoded(kind, data))


def _decoded(kind: object, data: object) -> object:
    if isinstance(kind, type) and is_dataclass(kind):
        columns = _checked(data, dict)
        return kind(**{name: _decoded(of_field, columns[name]) for name, of_field in _fields(kind)})
    match get_origin(kind), get_args(kind):
        case origin, (part, last) if origin is tuple and last is Ellipsis:
            return tuple(_decoded(part, item) for item in _checked(data, list))
        case origin, parts if origin is tuple:
            return tuple(_decoded(part, item) for part, item in zip(parts, _checked(data, list), strict=True))
        case origin, (key, part) if origin is dict:
            return {key(name): _decoded(part, item) for name, item in _checked(data, dict).items()}
        case origin, parts if origin is UnionType:
            return None if data is None else _decoded(next(part for part in parts if part is not NoneType), data)
    if kind is datetime.date:
        return datetime.date.fromisoformat(_checked(data, str))
    if kind is float:  # such a field may hold an int, too
        return _checked(data, (int, float))
    return _checked(data, cast(type, kind))


def _checked(data: object, kind: type[Value] | tuple[type[Value], ...]) -> Value:
    if not isinstance(data, kind):
        raise TypeError(f"{data!r} is no {kind}")
    return data


@cache
def _fields(kind: type[DataclassInstance]) -> list[tuple[str, object]]:
    hints = get_type_hints(kind)
    return [(field.name, hints[field.name]) for field in fields(kind) if field.init]
