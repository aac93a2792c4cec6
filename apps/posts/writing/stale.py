"""A form that was opened on an older version of a post: what it changes is merged into what is stored now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict

from ..models import Post
from ..models.revision import State
from .merging import merge_texts, unix


@dataclass(frozen=True)
class Merge:
    """The outcome of merging a stale form: `data` to go on with, fields taken from the stored post, and conflicts."""

    data: QueryDict
    taken: list[str]
    conflicts: list[str]


def merge(form: forms.ModelForm, sent: QueryDict, base: State, stored: State) -> Merge:
    """Take each field from the side that changed it since `base`; the body, which both may change, by paragraphs.

    A field that both sides changed differently is a conflict, and stays in the data as it was sent.
    """
    data = sent.copy()
    taken: list[str] = []
    conflicts: list[str] = []
    for name in form.fields:
        column = Post._meta.get_field(name).get_attname() if name != "tags" else name  # type: ignore[union-attr]
        if column not in base or base[column] == stored[column] or not _differs(form, sent, name, stored[column]):
            continue
        if not _differs(form, sent, name, base[column]):
            _put(form, data, name, stored[column])
            taken.append(name)
        elif name == "body" and (merged := merge_texts(base[name], sent.get(name, ""), stored[name])):
            data[name] = merged.text
            (conflicts if merged.conflicts else taken).append(name)
        else:
            conflicts.append(name)
    known = [row for row in base["old_addresses"] if row not in stored["old_addresses"]]
    return Merge(data, taken, conflicts + (["old_addresses"] if known else []))


def _differs(form: forms.ModelForm, sent: QueryDict, name: str, value: Any) -> bool:
    """Whether the form holds another value than this of the database."""
    field, html_name = form.fields[name], form.add_prefix(name)
    found = field.widget.value_from_datadict(sent, form.files, html_name)
    if isinstance(value, str) and isinstance(found, str):
        return unix(value).strip() != unix(found).strip()
    return field.has_changed(_prepared(field, value), found)


def _prepared(field: forms.Field, value: Any) -> Any:
    """Return a value as the form holds it: times as they are shown, to the minute."""
    if isinstance(field, forms.SplitDateTimeField):
        parts = field.widget.decompress(datetime.fromisoformat(value) if value else None)
        return [part.format_value(shown) or "" for part, shown in zip(field.widget.widgets, parts, strict=True)]
    return field.prepare_value(value)


def _put(form: forms.ModelForm, data: QueryDict, name: str, value: Any) -> None:
    """Write a value of the database into the data as a browser would send it."""
    field, html_name = form.fields[name], form.add_prefix(name)
    prepared = _prepared(field, value)
    if isinstance(field, forms.SplitDateTimeField):
        for ending, part in zip(field.widget.widgets_names, prepared, strict=True):
            data[html_name + ending] = part
    elif isinstance(field, forms.BooleanField):
        data.setlist(html_name, ["on"] if value else [])
    elif isinstance(field, forms.ModelMultipleChoiceField):
        data.setlist(html_name, [str(key) for key in value])
    elif not isinstance(field, forms.FileField):  # the stored file stays where none is sent
        data[html_name] = "" if prepared is None else str(prepared)
