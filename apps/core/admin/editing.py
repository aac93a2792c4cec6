"""The base of all forms of the admin: errors that can be seen, and no newer version overwritten by an older form."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.forms.models import _get_foreign_key
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from .differences import side_by_side

VERSION = "version"  # the hidden field: what the form was opened on
OVERWRITE = "overwrite"  # the box under both texts: the version that may be replaced
_STALE = _("This was changed elsewhere after you had opened it. Nothing has been saved: both versions are below.")


class EditingForm(forms.ModelForm):
    """A form of EditingAdmin, which tells it what is stored and what the writer has seen of it."""

    stored_version = ""
    seen_version = ""
    taken: Sequence[str] = ()  # fields that a form which can merge has taken from the stored version

    @property
    def is_stale(self) -> bool:
        return self.is_bound and self.seen_version != self.stored_version

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        if self.is_stale:
            raise ValidationError(_STALE, "stale")
        return cleaned


class EditingAdmin(admin.ModelAdmin):
    """A ModelAdmin whose forms know which version they were opened on, and show their errors.

    The version is a digest of what the form shows (its fields and its inlines), so whatever changes that makes another
    one: a save, an action of the list, an import; counters don't. It is compared under a lock of the row (2 more
    queries). A request that names no version is a program's, not a form's, and is not held to one.
    """

    form = EditingForm

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not transaction.get_connection().in_atomic_block:
            return found
        list(self.model._base_manager.select_for_update().filter(pk=found.pk).values_list("pk"))
        return super().get_object(request, object_id, from_field)

    def get_form(
        self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form: Any = super().get_form(request, obj, change, **kwargs)
        if obj is not None:
            form.stored_version = self._version(request, obj, form.base_fields)
            form.seen_version = request.POST.get(OVERWRITE) or request.POST.get(VERSION) or form.stored_version
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context["adminform"]
        shown.fieldsets = [(name, _opened(options, shown.form.errors)) for name, options in shown.fieldsets]
        if isinstance(shown.form, EditingForm):
            context["version"] = shown.form.seen_version
            if shown.form.is_stale:
                stored, merged = shown.form.stored_version, bool(shown.form.taken)
                context["conflict"] = {"version": stored, "fields": _both(shown.form), "merged": merged}
        return super().render_change_form(request, context, *args, **kwargs)

    def _version(self, request: HttpRequest, obj: models.Model, names: Container[str]) -> str:
        opts = obj._meta
        values: list[object] = [
            sorted(related.pk for related in field.value_from_object(obj))
            if field.many_to_many
            else str(field.value_from_object(obj))
            for field in chain(opts.concrete_fields, opts.many_to_many)
            if field.name in names
        ]
        for inline in self.get_inline_instances(request, obj):
            key = _get_foreign_key(self.model, inline.model, fk_name=inline.fk_name)
            columns = [field.attname for field in inline.model._meta.concrete_fields if field.editable]
            rows = inline.model._base_manager.filter(**{key.name: obj}).order_by("pk")
            values.append([[str(value) for value in row] for row in rows.values_list("pk", *columns)])
        return blake2b(repr(values).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _opened(options: dict[str, Any], errors: Collection[str]) -> dict[str, Any]:
    """Return a fieldset's options, without its fold when an error stands in it.

    Django's Fieldset.is_collapsible looks for names, so it misses fields that share a line.
    """
    if not set(flatten(options["fields"])) & set(errors):
        return options
    return options | {"classes": [name for name in options.get("classes", ()) if name != "collapse"]}


def _both(form: EditingForm) -> list[Mapping[str, object]]:
    """Return the fields in which form and row differ: label, both values, and a comparison of texts."""
    differing: list[Mapping[str, object]] = []
    for name in form.changed_data:
        bound = form[name]
        mine, stored = (_readable(bound.field, value) for value in (bound.value(), form.initial.get(name)))
        rows = side_by_side(mine, stored) if isinstance(bound.field.widget, forms.Textarea) else None
        shown = {"name": name, "label": bound.label, "mine": mine, "stored": stored, "rows": rows}
        differing.append(shown | {"is_text": isinstance(bound.field.widget, forms.Textarea | forms.TextInput)})
    return differing


def _readable(field: forms.Field, value: object) -> str:
    """Return a field's value in words: the labels of choices, the names of what is referred to."""
    if isinstance(field, forms.ModelChoiceField):
        queryset = field.queryset
        keys = value if isinstance(value, list | tuple) else [value]
        wanted = [key.pk if isinstance(key, models.Model) else key for key in keys if key not in (None, "")]
        try:
            return ", ".join(str(found) for found in queryset.filter(pk__in=wanted)) if queryset is not None else ""
        except (TypeError, ValueError):  # what was sent names nothing
            return ""
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return str(dict(choices).get(value, value))
    if isinstance(field, forms.BooleanField):
        return "✓" if value else "–"
    if isinstance(field.widget, forms.MultiWidget):
        parts: Iterable[object] = value if isinstance(value, list | tuple) else field.widget.decompress(value) or ()
        return " ".join(str(part) for part in parts if part)
    return "" if value is None else str(value)
