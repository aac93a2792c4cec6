"""Texts in a compact form: compressed, whole or as what differs from another one.

A text is cut at the ends of lines and after commas and stops, so that a changed word costs its clause: a Chinese
paragraph is one line of a thousand characters.
"""

import json
import re
import zlib

from .matching import matching_blocks

_ENDS = re.compile(r"(?<=[\n.,;。，；、!！?？])")


def packed(text: str) -> bytes:
    """Return the whole text, compressed."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def unpacked(content: bytes) -> str:
    """Undo packed()."""
    return zlib.decompress(content).decode("utf-8", "surrogatepass")


def delta(base: str, text: str) -> bytes:
    """Return what makes `text` of `base`: runs of pieces to copy, as [start, end], and texts to put between them."""
    old, new = _ENDS.split(base), _ENDS.split(text)
    steps: list[list[int] | str] = []
    done = 0
    for start, place, length in [*matching_blocks(old, new), (len(old), len(new), 0)]:
        if place > done:
            steps.append("".join(new[done:place]))
        if length:
            steps.append([start, start + length])
        done = place + length
    return packed(json.dumps(steps, separators=(",", ":")))


def apply(base: str, content: bytes) -> str:
    """Return the text of which delta() made this of `base`."""
    old = _ENDS.split(base)
    steps: list[list[int] | str] = json.loads(unpacked(content))
    return "".join(step if isinstance(step, str) else "".join(old[slice(*step)]) for step in steps)
