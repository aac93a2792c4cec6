"""The form a post is written in."""

from functools import partial
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.forms.widgets import Script
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from markdownx.widgets import AdminMarkdownxWidget

from .images import CONTENT_TYPES, encode_image
from .models import Post

BODY_MAX_BYTES = 5 * 1024 * 1024


class BodyWidget(AdminMarkdownxWidget):
    """The Markdown editor with our preview, our upload and the published page's look.

    Its own style sheet is left out: it would style the preview as an admin page.
    """

    class Media:
        extend = False
        css = {"all": ["css/tokens.css", "css/post.css", "css/highlight.css", "css/editor.css"]}
        js = ["markdownx/js/markdownx.min.js", Script("js/editor.js", type="module")]

    def add_markdownx_attrs(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().add_markdownx_attrs(attrs)
        return attrs | {
            "data-markdownx-urls-path": reverse("markdownx_markdownify"),
            "data-markdownx-upload-urls-path": reverse("markdownx_upload"),
            "data-choose-label": _("Add pictures…"),
            "data-upload-label": _("Uploading the picture"),
            "data-upload-failed": _("The picture could not be uploaded. Please try again."),
            "data-upload-too-large": _("The picture is too large."),
            "data-draft-found": _("This browser keeps text of {time} that was not saved."),
            "data-draft-restore": _("Put it back"),
            "data-draft-discard": _("Throw it away"),
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

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"accept": ",".join(CONTENT_TYPES)}


class PostAdminForm(forms.ModelForm):
    class Meta:
        model = Post
        fields = "__all__"  # noqa: DJ007 -- the admin names the fields
        widgets = {"body": BodyWidget}
        field_classes = {"cover": PictureField, "original_url": partial(forms.URLField, assume_scheme="https")}
        help_texts = {
            "status": _(
                "An unlisted post is in no list, feed or search. It answers to its whole address alone, which ends in"
                " random characters: pass on the link as it is. Publishing takes these characters away."
            )
        }
        error_messages = {
            "title": {
                "required": _("A post needs a title."),
                "max_length": _("The title has %(show_value)d characters; at most %(limit_value)d are allowed."),
            }
        }

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
