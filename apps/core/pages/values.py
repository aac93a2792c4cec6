"""Frozen dataclasses as plain JSON values and back, for what processes share in Redis."""

import datetime
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Value = TypeVar("Value")


def encoded(value: Any) -> Any:
    """Return the value in lists, dictionaries, strings and numbers."""
    if is_dataclass(value):
        return {field.name: encoded(getattr(value, field.name)) for field in fields(value) if field.init}
    if isinstance(value, tuple):
        return [encoded(part) for part in value]
    if isinstance(value, dict):
        return {str(key): encoded(part) for key, part in value.items()}
    return value.isoformat() if isinstance(value, datetime.date) else value


def decoded(kind: type[Value], data: Any) -> Value:
    """Return what encoded() was given. Raises KeyError, TypeError or ValueError when the data is of another kind."""
    value: Value = _decoded(kind, data)
    return value


def _decoded(kind: Any, data: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: _decoded(of_field, data[name]) for name, of_field in _fields(kind)})
    match get_origin(kind), get_args(kind):
        case origin, (part, last) if origin is tuple and last is Ellipsis:
            return tuple(_decoded(part, item) for item in data)
        case origin, parts if origin is tuple:
            return tuple(_decoded(part, item) for part, item in zip(parts, data, strict=True))
        case origin, (key, part) if origin is dict:
            return {key(name): _decoded(part, item) for name, item in data.items()}
        case origin, parts if origin is UnionType:
            return None if data is None else _decoded(next(part for part in parts if part is not NoneType), data)
    if kind is datetime.date:
        return datetime.date.fromisoformat(data)
    if not isinstance(data, (int, float) if kind is float else kind):
        raise TypeError(f"{data!r} is no {kind}")
    return data


@cache
def _fields(kind: Any) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind)
    return [(field.name, hints[field.name]) for field in fields(kind) if field.init]
