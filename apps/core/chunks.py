"""Long sequences in pieces, for statements and commands that take a bounded number of values."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

IDS_AT_ONCE = 500  # in one statement


def chunked(items: Sequence[Item], size: int = IDS_AT_ONCE) -> Iterator[Sequence[Item]]:
    """Yield slices of at most `size` items, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
