"""Which texts say the same: by their digest, and how much of one is new to the other."""

import hashlib
import re

from apps.posts.search.tokens import fold

LEAST_WEIGHT = 20  # a shorter text ("谢谢", "+1", "Thanks a lot!") is written by many without one copying the other

_SAID = re.compile(r"[\W_]+")
_RUN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
REWRITTEN = 0.25  # so much of it is new


def text_digest(text: str) -> str | None:
    """Return a digest of the letters and digits, case and width aside; None when the text is short.

    A letter weighs 1, any other sign of writing (Chinese above all) 2.
    """
    said = _SAID.sub("", fold(text))
    if sum(1 if character.isascii() else 2 for character in said) < LEAST_WEIGHT:
        return None
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]


def is_rewritten(before: str, after: str) -> bool:
    """Tell whether the second text is more than the first with corrections: much of it did not stand there."""
    pieces = _pieces(after)
    return len(pieces - _pieces(before)) > REWRITTEN * len(pieces)


def _pieces(text: str) -> set[str]:
    """The words of a text; of scripts that are written without blanks, and of others, each two signs in a row."""
    pieces = set()
    for run in _RUN.findall(fold(text)):
        pieces |= {run} if run.isascii() else {run[start : start + 2] for start in range(max(1, len(run) - 1))}
    return pieces
