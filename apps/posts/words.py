"""Single lines of text as people mean them: without what can't be seen."""

import re
import unicodedata

_BREAKS = re.compile("\\s*[\t\n\x0b\x0c\r\x85]\\s*")
# The other controls (XML forbids most), and marks that turn the writing direction of everything after them.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def one_line(text: str) -> str:
    """Return the text with its line breaks turned to spaces, without controls and direction overrides, trimmed."""
    return _CONTROLS.sub("", _BREAKS.sub(" ", text)).strip()


def is_blank(text: str) -> bool:
    """Tell whether nothing of the text can be seen: only space, controls, zero-width and other format characters."""
    return all(unicodedata.category(character)[0] in "CZ" for character in text)
