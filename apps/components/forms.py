import threading

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordChangeForm, UserCreationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.http import rates
from apps.core.http.request_info import client_address

from .devices import known_device
from .models import SiteIdentity

# Wrong passwords from one network or one known device; and of a signed-in user who changes the password.
SIGN_INS, SIGN_INS_SECONDS = 20, 600
# A password costs a third of a second of processor time: more at a time would hold up the pages.
HASHES_AT_ONCE, HASH_AWAITED_SECONDS = 2, 2

_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)


class SetupForm(UserCreationForm):
    """Name, e-mail and password of the first administrator, whom Django's validators guard; the blog's language."""

    language = forms.ChoiceField(label=_("Blog language"), choices=SiteIdentity.Language.choices, required=False)

    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ("username", "email")


class SignInForm(AdminAuthenticationForm):
    """The admin's, for which nobody can guess a password: beyond 20 wrong ones in ten minutes none is looked at.

    They are counted by address, never by name alone, or anybody could lock the owner out; a device from which the user
    has signed in before has 20 tries of its own. 2 round trips to Redis.
    """

    def clean(self) -> dict[str, object]:
        if self.request is None:
            return super().clean()
        if device := known_device(self.request, self.cleaned_data.get("username", "")):
            return self._counted(
                f"sign-in-device:{device}", gettext("Too many attempts. Please try again in 10 minutes.")
            )
        message = gettext("Too many sign-in attempts. Please try again in 10 minutes.")
        who = rates.neighbourhood(client_address(self.request))
        if not _hashing.acquire(timeout=HASH_AWAITED_SECONDS):
            raise ValidationError(_("Too many people are signing in just now. Please try again in a moment."))
        try:
            return self._counted(f"sign-in:{who}", message)
        finally:
            _hashing.release()

    def _counted(self, tries: str, too_many: str) -> dict[str, object]:
        """Look at the password, if it is none too many; a right one doesn't count."""
        if rates.is_one_too_many(tries, SIGN_INS, SIGN_INS_SECONDS):
            raise ValidationError(too_many)
        cleaned: dict[str, object] = super().clean()
        rates.take_back(tries)
        return cleaned


class OwnPasswordForm(PasswordChangeForm):
    """A signed-in user's new password; the old one is guessed no more often than at the sign-in."""

    required_css_class = "required"  # as the admin's

    def clean_old_password(self) -> str:
        tries = f"password-change:{self.user.pk}"
        if rates.is_one_too_many(tries, SIGN_INS, SIGN_INS_SECONDS):
            raise ValidationError(_("Too many attempts. Please try again in 10 minutes."))
        old: str = super().clean_old_password()
        rates.take_back(tries)
        return old
