"""The first administrator."""

import hashlib
import hmac
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from .models import SetupToken, SiteIdentity


class SetupRefused(Exception):
    """There is an administrator already, or the token is not the one that was handed out last."""


def has_administrator() -> bool:
    """Tell whether anybody can manage the site (1 query)."""
    return get_user_model()._default_manager.filter(is_superuser=True, is_active=True).exists()


def new_setup_token() -> str:
    """Hand out a token for /setup/, good once; the one handed out before is good no more.

    Raises SetupRefused when there is an administrator.
    """
    if has_administrator():
        raise SetupRefused
    token = secrets.token_urlsafe(24)
    SetupToken.objects.update_or_create(pk=1, defaults={"digest": _digest(token)})
    return token


def has_setup_token() -> bool:
    """Tell whether a token has been handed out that nobody has used yet (1 query)."""
    return SetupToken.objects.exists()


def is_setup_token(token: str) -> bool:
    """Tell whether the token would be accepted now (2 queries)."""
    known = SetupToken.objects.filter(pk=1).values_list("digest", flat=True).first()
    return known is not None and hmac.compare_digest(known, _digest(token)) and not has_administrator()


@transaction.atomic
def create_first_administrator(*, token: str, username: str, email: str, password: str, language: str = "") -> Any:
    """Use the token up and return the new superuser; the blog speaks that language, if one is given.

    Of two requests with the same token one deletes its row and the other finds none. Raises SetupRefused.
    """
    used, _rows = SetupToken.objects.filter(pk=1, digest=_digest(token)).delete()
    if not used or has_administrator():
        raise SetupRefused
    if language:
        identity, _is_new = SiteIdentity.objects.get_or_create(pk=1)
        identity.language = language
        identity.save()
    return get_user_model()._default_manager.create_superuser(username=username, email=email, password=password)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
