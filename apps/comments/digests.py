"""Texts that say the same have the same digest."""

import hashlib
import re

from apps.posts.search.tokens import fold

LEAST_WEIGHT = 20  # a shorter text ("谢谢", "+1", "Thanks a lot!") is written by many without one copying the other

_SAID = re.compile(r"[\W_]+")


def text_digest(text: str) -> str | None:
    """Return a digest of the letters and digits, case and width aside; None when the text is short.

    A letter weighs 1, any other sign of writing (Chinese above all) 2.
    """
    said = _SAID.sub("", fold(text))
    if sum(1 if character.isascii() else 2 for character in said) < LEAST_WEIGHT:
        return None
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]
