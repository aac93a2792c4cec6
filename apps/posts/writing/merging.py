"""Two changes of one text made into one: diff3, by paragraph.

After Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (2007): what both sides left alone divides the text,
and between two such places the side that changed something is taken. Beyond their diff3, neighbouring paragraphs that
were each changed by one side are not in each other's way.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from .matching import matching_blocks

MAX_PARAGRAPHS = 200_000
Region = tuple[list[str], list[str], list[str]]  # paragraphs of the base, of mine and of theirs
_BREAK = re.compile(r"(\n{2,})")


@dataclass(frozen=True)
class Merged:
    """The merged text; where both sides changed the same, it holds `mine` and `conflicts` counts the places."""

    text: str
    conflicts: int


def merge_texts(base: str, mine: str, theirs: str) -> Merged | None:
    """Merge two texts made of `base`; None for texts of too many paragraphs to merge while somebody waits.

    Line ends become \\n. 5 MB of text take 1 to 3 s.
    """
    sides = [_paragraphs(text) for text in (base, mine, theirs)]
    if max(map(len, sides)) > MAX_PARAGRAPHS:
        return None
    merged: list[str] = []
    conflicts = 0
    regions = chain.from_iterable(map(_by_paragraph, _regions(*sides)))
    for old, left, right in regions:
        merged += right if left == old else left
        conflicts += old not in (left, right) and left != right
    return Merged("".join(merged).rstrip("\n") + _ending(mine), conflicts)


def unix(text: str) -> str:
    """Return the text with line ends of one character: browsers send two."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _paragraphs(text: str) -> list[str]:
    """The paragraphs, each with the empty lines behind it; the last one as if others followed."""
    parts = _BREAK.split(unix(text).rstrip("\n"))
    parts.append("\n\n")
    return [paragraph + gap for paragraph, gap in zip(parts[::2], parts[1::2], strict=True) if paragraph or gap]


def _ending(text: str) -> str:
    text = unix(text)
    return text[len(text.rstrip("\n")) :]


def _regions(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[Region]:
    """Cut the three into regions: paragraphs that are the same in all, and what stands between these."""
    in_mine, in_theirs = _places(base, mine), _places(base, theirs)
    i = j = k = 0
    stable = [(at, in_mine[at], in_theirs[at]) for at in in_mine if at in in_theirs]
    for at, at_mine, at_theirs in [*stable, (len(base), len(mine), len(theirs))]:
        yield list(base[i:at]), list(mine[j:at_mine]), list(theirs[k:at_theirs])
        same = list(base[at : at + 1])
        yield same, same, same
        i, j, k = at + 1, at_mine + 1, at_theirs + 1


def _places(base: Sequence[str], other: Sequence[str]) -> dict[int, int]:
    return {i + n: j + n for i, j, length in matching_blocks(base, other) for n in range(length)}


def _by_paragraph(region: Region) -> list[Region]:
    """Divide a region that both sides changed into its paragraphs, where they are as many on every side."""
    base, mine, theirs = region
    if base in (mine, theirs) or not len(base) == len(mine) == len(theirs):
        return [region]
    return [([old], [left], [right]) for old, left, right in zip(base, mine, theirs, strict=True)]
