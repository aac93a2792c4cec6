"""The admin's own doors: the sign-in and the change of one's password, for which nobody can guess a password."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from .devices import remember
from .forms import OwnPasswordForm, SignInForm


class BlogAdminSite(AdminSite):
    """Django's admin with our sign-in. A browser that gives the right password is a device known from then on."""

    login_form = SignInForm

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        response = super().login(request, extra_context)
        _remember_device(request, response)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> Any:
        """Django's own, with a form that counts how often the old password is guessed."""
        request.current_app = self.name
        change = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name=self.password_change_template or "registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        response = change(request)
        _remember_device(request, response)
        return response


def _remember_device(request: HttpRequest, response: HttpResponseBase) -> None:
    user = request.user
    if request.method == "POST" and isinstance(response, HttpResponseRedirect) and isinstance(user, AbstractUser):
        remember(response, user)
