from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import BODY_MAX_LENGTH, Comment


class CommentForm(forms.ModelForm):
    """A reader's comment. Who is signed in is not asked for a name."""

    reply_to_floor = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    notify_replies = forms.BooleanField(label=_("Mail me when somebody answers"), required=False, label_suffix="")

    author_site = forms.URLField(
        label=_("Site (optional)"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "url", "placeholder": "https://"}),
    )

    class Meta:
        model = Comment
        fields = ("author_name", "author_email", "author_site", "body")
        widgets = {
            "author_name": forms.TextInput(attrs={"autocomplete": "name"}),
            "author_email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "body": forms.Textarea(attrs={"rows": 6, "maxlength": BODY_MAX_LENGTH}),
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if user.is_authenticated:
            for name in ("author_name", "author_email", "author_site"):
                del self.fields[name]
        else:
            self.fields["author_email"].required = True
            self.fields["author_email"].help_text = _("Not shown to readers.")
        self.fields["body"].help_text = _("Markdown: **bold**, `code`, > quote, [text](address).")
