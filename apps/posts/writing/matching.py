"""The parts that two sequences have in common, found in a time that grows with their length and no faster.

This is "patience diff" (Bram Cohen, 2006): what stands exactly once on both sides anchors the comparison, and each
anchor grows over its equal neighbours. Unlike difflib it can't be made to take quadratic time.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

Block = tuple[int, int, int]  # where it begins on the left, where on the right, how many are the same


def matching_blocks(left: Sequence[str], right: Sequence[str]) -> list[Block]:
    """Return the runs of both that are the same, in order, none overlapping another. O(n log n)."""
    blocks: list[Block] = []
    i = j = 0
    for anchor, anchor_right in [*_anchors(left, right), (len(left), len(right))]:
        if anchor < i or anchor_right < j:
            continue  # an earlier anchor has grown over it
        length = _common(left, right, i, j, anchor, anchor_right)
        blocks.append((i, j, length))
        back = _common_before(left, right, i + length, j + length, anchor, anchor_right)
        i, j = anchor, anchor_right
        length = _common(left, right, i, j, len(left), len(right))
        blocks.append((i - back, j - back, back + length))
        i, j = i + length, j + length
    return _joined(block for block in blocks if block[2])


def _anchors(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """The longest series of elements that are unique on both sides and stand in the same order on both."""
    counts, counts_right = Counter(left), Counter(right)
    place = {element: j for j, element in enumerate(right) if counts_right[element] == 1}
    pairs = [(i, place[element]) for i, element in enumerate(left) if element in place and counts[element] == 1]
    ends: list[int] = []  # the smallest end, on the right, of a series of each length
    last: list[int] = []  # the pair that ends it
    before: list[int] = []  # for each pair, the one before it in its series
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [number]
    found: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _common(left: Sequence[str], right: Sequence[str], i: int, j: int, end: int, end_right: int) -> int:
    length, most = 0, min(end - i, end_right - j)
    while length < most and left[i + length] == right[j + length]:
        length += 1
    return length


def _common_before(left: Sequence[str], right: Sequence[str], i: int, j: int, end: int, end_right: int) -> int:
    length, most = 0, min(end - i, end_right - j)
    while length < most and left[end - 1 - length] == right[end_right - 1 - length]:
        length += 1
    return length


def _joined(blocks: Iterator[Block]) -> list[Block]:
    joined: list[Block] = []
    for i, j, length in blocks:
        if joined and (joined[-1][0] + joined[-1][2], joined[-1][1] + joined[-1][2]) == (i, j):
            i, j, length = joined[-1][0], joined[-1][1], joined[-1][2] + length
            joined.pop()
        joined.append((i, j, length))
    return joined
