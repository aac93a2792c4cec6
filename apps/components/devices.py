"""Browsers from which somebody has signed in before: their tries are counted apart from their network's.

So nobody who shares an address with the owner, a school's or a provider's, can lock the owner out by guessing.
"""

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.core.keys import known_keys

SALT = "components.devices"
KEPT_SECONDS = 400 * 24 * 3600  # browsers keep no cookie longer
_PREFIX = "device-"


def remember(response: HttpResponse, user: AbstractUser) -> None:
    """Give the browser the cookie of a device known to this user; worth nothing once the password is another.

    It opens nothing: a password is still asked for.
    """
    response.set_cookie(
        _name(user),
        signing.dumps([secrets.token_hex(8), _proof(user)], salt=SALT),
        max_age=KEPT_SECONDS,
        path=reverse("admin:login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def known_device(request: HttpRequest, username: str) -> str:
    """Return the id of the device if that user has signed in from it, else blank (1 query where it has any cookie)."""
    if not any(name.startswith(_PREFIX) for name in request.COOKIES):
        return ""
    user = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: username}).first()
    if user is None:
        return ""
    try:
        device, proof = signing.loads(request.COOKIES.get(_name(user), ""), salt=SALT, max_age=KEPT_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(device) if any(constant_time_compare(proof, _proof(user, key)) for key in known_keys()) else ""


def _name(user: AbstractUser) -> str:
    return f"{_PREFIX}{user.pk}"


def _proof(user: AbstractUser, key: str | None = None) -> str:
    """Return the mark of this very password: another one makes the cookie worthless."""
    return salted_hmac(SALT, f"{user.pk}\n{user.password}", secret=key).hexdigest()[:32]
