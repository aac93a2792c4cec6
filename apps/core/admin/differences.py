"""Two texts side by side, by line and word, for a writer who has to choose between them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from itertools import zip_longest

MAX_LINES = 2000
MAX_LENGTH = 300_000
_CONTEXT = 2  # lines that are the same, shown around those that differ

MAX_WORDS = 120  # of a line, in what differs: beyond, that is marked as a whole
_WORD = re.compile(r"[^\W\u2e80-\U0003ffff]+|\s+|.", re.S)  # Chinese by the character

Marked = tuple[str, ...]  # a line in parts: the same, differing, the same, differing …, the same


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
                yield Row("skipped", (), ())
            yield from (_same(line) for line in tail)
        else:
            for one, other in zip_longest(left[start:end], right[start_right:end_right], fillvalue=""):
                yield Row("changed", *_marked(one, other))


def _same(line: str) -> Row:
    return Row("same", (line,), (line,))


def _marked(one: str, other: str) -> tuple[Marked, Marked]:
    """Cut both lines into what they share and what they don't."""
    left, right = _WORD.findall(one), _WORD.findall(other)
    shorter = min(len(left), len(right))
    start = next((i for i in range(shorter) if left[i] != right[i]), shorter)
    end = next((i for i in range(shorter - start) if left[-1 - i] != right[-1 - i]), shorter - start)
    middles = left[start : len(left) - end], right[start : len(right) - end]
    found: list[Match] = []
    if max(map(len, middles)) <= MAX_WORDS:
        blocks = SequenceMatcher(None, *middles, autojunk=False).get_matching_blocks()
        found = [block for block in blocks if _tells(middles[0][block.a : block.a + block.size])]
    head, tail = "".join(left[:start]), "".join(left[len(left) - end :])
    parts = _cut(middles[0], [(block.a, block.size) for block in found])
    parts_right = _cut(middles[1], [(block.b, block.size) for block in found])
    return (head, *parts, tail), (head, *parts_right, tail)


def _tells(run: list[str]) -> bool:
    """Whether words in the middle are worth showing as the same: a lone blank or comma would only shred the line."""
    return any(word[0].isalnum() for word in run)


def _cut(words: list[str], runs: list[tuple[int, int]]) -> Marked:
    """Return the words as parts; `runs` says where what is the same begins, and how many words it has."""
    parts: list[str] = []
    done = 0
    for start, length in runs:
        parts += ["".join(words[done:start]), "".join(words[start : start + length])]
        done = start + length
    return (*parts, "".join(words[done:]))
