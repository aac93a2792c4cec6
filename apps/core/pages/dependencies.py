"""Which posts a page shows, noted while it is made: every post that is read from the database meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[set[int] | None] = ContextVar("shown posts", default=None)


@contextmanager
def collecting() -> Iterator[set[int]]:
    """Give the set that fills with the ids of the posts read until the block ends."""
    noted: set[int] = set()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def add(pk: int) -> None:
    """Say that what is being made shows this post; Post does so for every row it is read from."""
    noted = _noted.get()
    if noted is not None:
        noted.add(pk)
