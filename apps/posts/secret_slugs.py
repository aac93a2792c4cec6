"""The end of an unlisted post's slug, which nobody can guess: `notes-k7xq2mwz9fbt`.

The alphabet has no vowels, 0 or 1, so that no word and no year is taken for such an ending.
"""

import re
import secrets

from .slugs import SLUG_MAX_LENGTH

_ALPHABET = "bcdfghjkmnpqrstvwxz23456789"
_LENGTH = 12  # 57 bits
# Twelve digits alone are a number that somebody typed.
_ENDING = re.compile(rf"-(?=[{_ALPHABET}]*[b-z])[{_ALPHABET}]{{{_LENGTH}}}$")


def has_secret(slug: str) -> bool:
    return bool(_ENDING.search(slug))


def without_secret(slug: str) -> str:
    return _ENDING.sub("", slug)


def with_secret(slug: str) -> str:
    """Return the slug with a new random ending in place of the one it may have."""
    ending = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    if ending.isdigit():
        return with_secret(slug)
    return f"{without_secret(slug)[: SLUG_MAX_LENGTH - _LENGTH - 1].rstrip('-')}-{ending}"
