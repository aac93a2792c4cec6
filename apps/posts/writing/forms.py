"""The form a post is written in."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.forms.widgets import Script
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from markdownx.widgets import AdminMarkdownxWidget

from apps.core.admin.editing import EditingForm

from ..media.images import CONTENT_TYPES, encode_image
from ..models import Post
from ..models.revision import State
from ..rendering.words import is_blank
from .stale import merge

BODY_MAX_BYTES = 5 * 1024 * 1024
# Offered for a text; any other tag that a post has (an import's) is kept and offered besides.
LANGUAGES = {
    "zh-Hans": "简体中文",
    "zh-Hant": "繁體中文",
    "en": "English",
    "ja": "日本語",
    "ko": "한국어",
    "fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "pt": "Português",
    "it": "Italiano",
    "ru": "Русский",
    "vi": "Tiếng Việt",
    "th": "ไทย",
}
# The buttons of the form. A request with neither takes the status as it was sent.
DRAFT, PUBLISH = "_draft", "_publish"


class BodyWidget(AdminMarkdownxWidget):
    """The Markdown editor with our preview, our upload and the published page's look.

    Its own style sheet and script are left out: the one would style the preview as an admin page, the other takes undo
    away, tears what an input method composes and doubles lines.
    """

    class Media:
        extend = False
        css = {"all": ["css/tokens.css", "css/post.css", "css/highlight.css", "css/editor.css"]}
        js = [Script("js/editor.js", type="module")]

    def add_markdownx_attrs(self, attrs: dict[str, object]) -> dict[str, object]:
        attrs = super().add_markdownx_attrs(attrs)
        return attrs | {
            "data-markdownx-urls-path": reverse("markdownx_markdownify"),
            "data-markdownx-upload-urls-path": reverse("markdownx_upload"),
            "data-choose-label": _("Add pictures…"),
            "data-upload-label": _("Uploading the picture"),
            "data-upload-placeholder": _("uploading {name}…"),
            "data-upload-failed": _("The picture could not be uploaded. Please try again."),
            "data-upload-too-large": _("The picture is too large."),
            "data-upload-again": _("Too many pictures in a minute: the rest follows in {seconds} s."),
            "data-save-waits": _("Waiting for pictures…"),
        }


class PictureField(forms.FileField):
    """A picture made anew by encode_image(); Django's ImageField would open whatever Pillow can read before that."""

    widget = AdminFileWidget

    def to_python(self, data: UploadedFile | None) -> UploadedFile | None:  # type: ignore[override]
        if data is None:
            return None
        picture = encode_image(data)
        name = f"{picture.digest}.{picture.extension}"
        return SimpleUploadedFile(name, picture.content, picture.content_type)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, object]:
        return super().widget_attrs(widget) | {"accept": ",".join(CONTENT_TYPES)}


class PostAdminForm(EditingForm):
    class Meta:
        model = Post
        fields = "__all__"  # the admin names the fields
        widgets = {"body": BodyWidget, "language": forms.Select}
        field_classes = {"cover": PictureField, "original_url": partial(forms.URLField, assume_scheme="https")}
        help_texts = {
            "language": "",
            "status": _(
                "An unlisted post is in no list, feed or search. It answers to its whole address alone, which ends in"
                " random characters: pass on the link as it is. Publishing takes these characters away."
            ),
        }
        error_messages = {
            "title": {
                "required": _("A post needs a title."),
                "max_length": _("The title has %(show_value)d characters; at most %(limit_value)d are allowed."),
            }
        }

    base: State | None = None  # what a stale form was opened on, where that is still known
    stored: State | None = None
    conflicts: Sequence[str] | None = None  # None: nothing was merged

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.base and self.stored and super().is_stale:
            self._merge(self.base, self.stored)
        if "language" in self.fields:
            known = LANGUAGES.get(self.instance.language, self.instance.language)
            choices = {"": _("the site's"), **LANGUAGES} | ({self.instance.language: known} if known else {})
            self.fields["language"].widget.choices = list(choices.items())

    @property
    def is_stale(self) -> bool:
        return self.conflicts != [] and super().is_stale

    def _merge(self, base: State, stored: State) -> None:
        """Go on with what both sides made of the base; the buttons count as what they make of the status."""
        sent = cast(QueryDict, self.data).copy()
        sent["status"] = self._meant_status(sent.get("status", ""))
        for button in (DRAFT, PUBLISH):
            sent.pop(button, None)
        merged = merge(self, sent, base, stored)
        self.data, self.taken, self.conflicts = merged.data, merged.taken, merged.conflicts

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        size_bytes = len(body.encode("utf-8", "replace"))
        if size_bytes > BODY_MAX_BYTES:
            raise ValidationError(
                _("The body has %(size)s MB; at most %(limit)s MB are allowed. Split it into several posts."),
                "too_long",
                {"size": f"{size_bytes / 2**20:.1f}", "limit": BODY_MAX_BYTES // 2**20},
            )
        return body

    def clean_status(self) -> str:
        return self._meant_status(self.cleaned_data["status"])

    def _meant_status(self, chosen: str) -> str:
        """Return what the pressed button makes of the status: a draft, or no longer a draft."""
        if DRAFT in self.data:
            return Post.Status.DRAFT
        if PUBLISH in self.data and chosen == Post.Status.DRAFT:
            return Post.Status.PUBLISHED
        return chosen

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        if (
            self.cleaned_data.get("status") == Post.Status.PUBLISHED
            and self.initial.get("status") != Post.Status.PUBLISHED
            and is_blank(self.cleaned_data.get("body", "."))
        ):
            self.add_error("body", ValidationError(_("There is no text yet, so nothing was published."), "empty"))
        return cleaned
