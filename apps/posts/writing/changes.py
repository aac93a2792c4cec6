"""The differences between two states of a post, in the words of its form."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime

from apps.core.admin.differences import Row, side_by_side

from ..models import Category, Post, Source, Tag
from ..models.revision import FIELDS, State
from .forms import LANGUAGES

LONG = {"body", "summary", "title"}
_HIDDEN = "••••"


@dataclass(frozen=True)
class Change:
    """A field that differs; `rows` compare a text by line and word, None where it is no text or too long for that."""

    label: str
    old: str
    new: str
    rows: list[Row] | None = None
    is_text: bool = False


def changes(old: State, new: State) -> list[Change]:
    """Return the fields in which two states differ, as the form orders them (up to 8 queries for names)."""
    found = []
    for name in [*FIELDS, "tags", "old_addresses"]:
        before, after = old.get(name), new.get(name)
        if (before or "") == (after or ""):
            continue
        words = [_WORDS.get(name, _plain)(value) if value not in (None, "") else "" for value in (before, after)]
        if words[0] == words[1] != _HIDDEN:  # times of one minute: a form knows no seconds
            continue
        rows = side_by_side(*words) if name in LONG else None
        found.append(Change(_label(name), words[0], words[1], rows, name in LONG))
    return found


def labels(names: list[str]) -> str:
    return ", ".join(_label(name) for name in names)


def _label(name: str) -> str:
    field = Post._meta.get_field(name.removesuffix("_id"))
    if hasattr(field, "verbose_name"):
        return capfirst(str(field.verbose_name))
    return capfirst(str(field.related_model._meta.verbose_name_plural))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "✓" if value else "–"
    return str(value)


def _named(model: type[Category] | type[Source] | type[Post] | type[Tag]) -> Callable[[object], str]:
    def names(value: object) -> str:
        keys = [int(str(key)) for key in (value if isinstance(value, list) else [value])]
        return ", ".join(str(found) for found in model._base_manager.filter(pk__in=keys).order_by("pk"))

    return names


_WORDS: dict[str, Callable[[object], str]] = {
    "category_id": _named(Category),
    "source_id": _named(Source),
    "translation_of_id": _named(Post),
    "tags": _named(Tag),
    "status": lambda value: str(Post.Status(value).label) if value in Post.Status.values else str(value),
    "kind": lambda value: str(Post.Kind(value).label) if value in Post.Kind.values else str(value),
    "language": lambda value: LANGUAGES.get(str(value), str(value)),
    "published_at": lambda value: date_format(localtime(datetime.fromisoformat(str(value))), "DATETIME_FORMAT"),
    "old_addresses": lambda value: ", ".join(row[1] for row in value) if isinstance(value, list) else "",
    "password": lambda value: _HIDDEN,
}
