"""Two texts side by side, for a writer who has to choose between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

MAX_LINES = 2000
MAX_LENGTH = 300_000
_CONTEXT = 2  # lines that are the same, shown around those that differ

Marked = tuple[str, str, str]  # before, the part that differs, after


@dataclass(frozen=True)
class Row:
    """A line of both texts; `kind` is "same", "changed" or "skipped" (lines that are the same and are left out)."""

    kind: str
    left: Marked
    right: Marked


def side_by_side(left: str, right: str) -> list[Row] | None:
    """Return the rows of a comparison by lines, or None for texts too long to compare while somebody waits."""
    lines = [text.replace("\r\n", "\n").split("\n") for text in (left, right)]
    if max(len(left), len(right)) > MAX_LENGTH or max(map(len, lines)) > MAX_LINES:
        return None
    return list(_rows(*lines))


def _rows(left: list[str], right: list[str]) -> Iterator[Row]:
    for kind, start, end, start_right, end_right in SequenceMatcher(None, left, right).get_opcodes():
        if kind == "equal":
            same = left[start:end]
            head = same[: _CONTEXT if start else 0]
            tail = same[len(head) :][-_CONTEXT:] if end < len(left) or end_right < len(right) else []
            yield from (_same(line) for line in head)
            if len(same) > len(head) + len(tail):
                yield Row("skipped", ("", "", ""), ("", "", ""))
            yield from (_same(line) for line in tail)
        else:
            for one, other in zip_longest(left[start:end], right[start_right:end_right], fillvalue=""):
                yield Row("changed", *_marked(one, other))


def _same(line: str) -> Row:
    return Row("same", (line, "", ""), (line, "", ""))


def _marked(one: str, other: str) -> tuple[Marked, Marked]:
    """Cut off what both lines begin and end with."""
    shorter = min(len(one), len(other))
    start = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    end = next((i for i in range(shorter - start) if one[-1 - i] != other[-1 - i]), shorter - start)
    return _cut(one, start, end), _cut(other, start, end)


def _cut(line: str, start: int, end: int) -> Marked:
    stop = len(line) - end
    return line[:start], line[start:stop], line[stop:]
