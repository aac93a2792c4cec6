from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from blog_xtg import rates
from blog_xtg.client import client_address

from .models import SiteIdentity

SIGN_INS, SIGN_INS_SECONDS = 20, 600  # from one address


class SetupForm(UserCreationForm):
    """Name, e-mail and password of the first administrator, whom Django's validators guard; the blog's language."""

    language = forms.ChoiceField(label=_("Language of the blog"), choices=SiteIdentity.Language.choices, required=False)

    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ("username", "email")


class SignInForm(AdminAuthenticationForm):
    """The admin's, for whom nobody can guess a password: beyond 20 in ten minutes from an address none is looked at.

    Counted by address alone: counted by name, anybody could lock the owner out. 2 round trips to the cache.
    """

    def clean(self) -> dict[str, Any]:
        who = rates.neighbourhood(client_address(self.request)) if self.request else ""
        if rates.is_one_too_many(f"sign-in:{who}", SIGN_INS, SIGN_INS_SECONDS):
            raise ValidationError(gettext("Too many attempts from your network. Please wait ten minutes."))
        return super().clean()
