"""Text as people mean it: without what can't be seen."""

import re
import unicodedata

_BREAKS = re.compile("\\s*[\t\n\x0b\x0c\r\x85]\\s*")
# The other controls (XML forbids most), and marks that turn the writing direction of everything after them.
_TURNING = "\u202a-\u202e\u2066-\u2069"
_CONTROLS = re.compile(f"[\x00-\x1f\x7f-\x9f{_TURNING}\ufeff]")
_CONTROLS_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Signs never seen, wherever they stand. The joiners, which Persian, Hindi and emoji need, are none of these.
_UNSEEN = re.compile(
    f"[{_TURNING}\u115f\u1160\u180e\u200b\u2060-\u2064\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]"
)
# In a name or an address they do nothing but make two of them look alike.
_UNSEEN_IN_A_LINE = re.compile(
    "[\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200e\u200f\U0001d173-\U0001d17a\U000e0001]"
)
_JOINERS = "\u200c\u200d"
# In a row, by category. No script stacks more marks on a letter; a flag of emoji takes six format characters.
MOST_MARKS = {"Mn": 4, "Me": 4, "Cf": 8}


def one_line(text: str) -> str:
    """Return the text with its line breaks turned to spaces, without controls and direction overrides, trimmed."""
    return _CONTROLS.sub("", _BREAKS.sub(" ", text)).strip()


def is_blank(text: str) -> bool:
    """Tell whether nothing of the text can be seen: only space, controls, format characters, marks without a letter."""
    return all(unicodedata.category(character)[0] in "CZM" for character in text)


def without_floods(text: str) -> str:
    """Return the text without what turns the writing direction or is never seen, and with few marks in a row.

    Longer towers of accents would reach into the lines above. Costs 1 ms for 10,000 characters that are not all ASCII.
    """
    if text.isascii():
        return text
    kept = []
    marks = 0
    for character in _UNSEEN.sub("", text):
        most = MOST_MARKS.get(unicodedata.category(character), 0)
        marks = marks + 1 if most else 0
        if marks <= most:
            kept.append(character)
    return "".join(kept)


def readable(text: str) -> str:
    """Return lines of text that a reader typed, without floods and controls; lines that only look empty are."""
    text = _CONTROLS_IN_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join("" if is_blank(line) else line for line in without_floods(text).split("\n"))


def readable_line(text: str) -> str:
    """Return one line that a reader typed (a name, an address, a subject), held to a text's bounds; "" if blank."""
    line = one_line(_UNSEEN_IN_A_LINE.sub("", without_floods(text)))
    return "" if is_blank(line) else " ".join(line.strip(_JOINERS + " ").split())
