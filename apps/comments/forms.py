from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.posts.rendering.words import readable_line

from .models import BODY_MAX_LENGTH, Comment

if TYPE_CHECKING:
    from apps.posts.visibility import Account

MARKDOWN_HELP = _("Markdown: **bold**, `code`, > quote, [text](url).")


class LinesField(forms.CharField):
    """Text of several lines; a browser's line ends count as one character, as its own counter has it."""

    def to_python(self, value: object) -> str | None:
        return super().to_python(value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value)


class LineField(forms.CharField):
    """A line as readers will see it; one that nobody could see stays, for the model to say so."""

    def to_python(self, value: object) -> str | None:
        typed = super().to_python(value) or ""
        return readable_line(typed) or typed


class AddressField(forms.URLField):
    """The address of a site, without what can't be seen in it."""

    def to_python(self, value: object) -> str | None:
        return super().to_python(readable_line(value) if isinstance(value, str) else value)


class BodyForm(forms.ModelForm):
    """The text of a comment. The first field that is wrong takes the focus, with or without scripts."""

    class Meta:
        model = Comment
        fields: tuple[str, ...] = ("body",)
        field_classes: dict[str, type[forms.Field]] = {"body": LinesField}
        labels: dict[str, object] = {"body": _("Comment"), "author_email": _("Email")}
        widgets: dict[str, forms.Widget] = {
            "body": forms.Textarea(attrs={"rows": 6, "maxlength": BODY_MAX_LENGTH, "dir": "auto"})
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].help_text = MARKDOWN_HELP

    def focus_first_error(self) -> None:
        for name in self.errors:
            if name in self.fields and not self.fields[name].widget.is_hidden:
                self.fields[name].widget.attrs["autofocus"] = True
                return


class CommentForm(BodyForm):
    """A reader's comment. Who is signed in is not asked for a name."""

    # Made with the form and sent back with it: what is sent twice is stored once.
    submission = forms.CharField(
        required=False, max_length=64, initial=lambda: uuid.uuid4().hex, widget=forms.HiddenInput
    )
    reply_to_floor = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    notify_replies = forms.BooleanField(label=_("Email me about replies"), required=False, label_suffix="")

    author_site = AddressField(
        label=_("Website (optional)"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "url", "placeholder": "https://"}),
    )

    class Meta(BodyForm.Meta):
        fields = ("author_name", "author_email", "author_site", "body")
        field_classes = {**BodyForm.Meta.field_classes, "author_name": LineField}
        error_messages = {"author_email": {"invalid": _("Please enter a valid email address.")}}
        widgets = {
            **BodyForm.Meta.widgets,
            "author_name": forms.TextInput(attrs={"autocomplete": "name"}),
            "author_email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }

    def __init__(self, *args: Any, user: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if user.is_authenticated:
            for name in ("author_name", "author_email", "author_site"):
                del self.fields[name]
        else:
            self.fields["author_email"].required = True
            self.fields["author_email"].help_text = _("Won't be published.")
