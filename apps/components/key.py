"""Whether SECRET_KEY is the one that the blog's data was made with.

With another one everybody is signed out, and links in letters sent before lead nowhere: a `.env` that was not put back
after a move, or a host of a fleet with a key of its own.
"""

from django.conf import settings
from django.core.management import CommandError
from django.utils.crypto import constant_time_compare, salted_hmac

from .models import KeyDigest


def is_known() -> bool:
    """Tell whether the data was made with this key, or nobody has noted with which (1 query)."""
    noted = _noted()
    return not noted or constant_time_compare(noted, digest_of(settings.SECRET_KEY))


def settle(*, accept: bool) -> bool:
    """Note the key with the data; return whether it is a new one (1 query, 4 more when it is).

    A key that follows one of SECRET_KEY_FALLBACKS is taken, any other when it is to be accepted. Raises CommandError.
    """
    noted = _noted()
    if noted and constant_time_compare(noted, digest_of(settings.SECRET_KEY)):
        return False
    if noted and not accept and noted not in {digest_of(key) for key in settings.SECRET_KEY_FALLBACKS}:
        raise CommandError(
            "This blog's data was made with another SECRET_KEY: put that one back (.env from your backup), or name it"
            " in SECRET_KEY_FALLBACKS if you have changed it; where it is lost, --new-key goes on without, and signs"
            " everybody out."
        )
    KeyDigest.objects.update_or_create(pk=1, defaults={"digest": digest_of(settings.SECRET_KEY)})
    return bool(noted)


def digest_of(key: str) -> str:
    """Return what is stored of a key: nobody gets from there to the key."""
    return salted_hmac("apps.components.key", "", secret=key, algorithm="sha256").hexdigest()


def _noted() -> str:
    return KeyDigest.objects.filter(pk=1).values_list("digest", flat=True).first() or ""
