"""The first administrator."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from .models import SetupToken, SiteIdentity

SETUP_DAYS = 1  # a link that lies in a log or a terminal is good for no longer


class SetupRefused(Exception):
    """There is an administrator already, or the token is not the one that was handed out last, within a day."""


def has_administrator() -> bool:
    """Tell whether anybody can manage the site (1 query)."""
    return get_user_model()._default_manager.filter(is_superuser=True, is_active=True).exists()


def new_setup_token() -> str:
    """Hand out a token for /setup/, good once and for a day; the one handed out before is good no more.

    Raises SetupRefused when there is an administrator.
    """
    if has_administrator():
        raise SetupRefused
    token = secrets.token_urlsafe(24)
    SetupToken.objects.update_or_create(pk=1, defaults={"digest": _digest(token), "created_at": timezone.now()})
    return token


def has_setup_token() -> bool:
    """Tell whether a token is good that has been handed out before (1 query)."""
    return SetupToken.objects.filter(created_at__gt=_oldest()).exists()


def is_setup_token(token: str) -> bool:
    """Tell whether the token would be accepted now (2 queries)."""
    handed_out_at = _handed_out_at(token)
    return handed_out_at is not None and handed_out_at > _oldest() and not has_administrator()


def is_expired_setup_token(token: str) -> bool:
    """Tell whether the token would have been accepted earlier, and there is no administrator yet (2 queries)."""
    handed_out_at = _handed_out_at(token)
    return handed_out_at is not None and handed_out_at <= _oldest() and not has_administrator()


@transaction.atomic
def create_first_administrator(*, token: str, username: str, email: str, password: str, language: str = "") -> User:
    """Use the token up and return the new superuser; the blog speaks that language, if one is given.

    Of two requests with the same token one deletes its row and the other finds none. Raises SetupRefused.
    """
    used, _rows = SetupToken.objects.filter(pk=1, digest=_digest(token), created_at__gt=_oldest()).delete()
    if not used or has_administrator():
        raise SetupRefused
    if language:
        identity, _is_new = SiteIdentity.objects.get_or_create(pk=1)
        identity.language = language
        identity.save()
    return get_user_model()._default_manager.create_superuser(username=username, email=email, password=password)


def _handed_out_at(token: str) -> datetime | None:
    known = SetupToken.objects.filter(pk=1).values_list("digest", "created_at").first()
    return known[1] if known and hmac.compare_digest(known[0], _digest(token)) else None


def _oldest() -> datetime:
    return timezone.now() - timedelta(days=SETUP_DAYS)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
