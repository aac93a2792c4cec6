"""The keys under which something may have been signed or digested: SECRET_KEY, and those it was before."""

from django.conf import settings


def known_keys() -> list[str]:
    """Return SECRET_KEY, under which everything new is made, then SECRET_KEY_FALLBACKS."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
