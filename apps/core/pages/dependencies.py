"""Collect the ids of the posts that a page shows: of every post read from the database while it is rendered."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[set[int] | None] = ContextVar("shown posts", default=None)


@contextmanager
def collecting() -> Iterator[set[int]]:
    """Yield a set to which the id of each post is added that is read before the block ends."""
    noted: set[int] = set()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def add(pk: int) -> None:
    """Note that the page being rendered shows this post. Post calls it for every row it is read from."""
    noted = _noted.get()
    if noted is not None:
        noted.add(pk)
