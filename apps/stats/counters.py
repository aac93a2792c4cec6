"""Counting views: one interface, swapped backends, and the one place that chooses."""

import atexit
import datetime
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from apps.core.redis.clients import client


@dataclass(frozen=True, slots=True)
class View:
    """One view to count. Without a `visitor` it is a robot's, which is counted apart and for nothing else."""

    day: datetime.date
    visitor: str = ""
    post_id: int | None = None
    referrer: str = ""  # as referrers.referrer_of() says it


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a day and a post; None means not known just now."""

    pv: int | None = None
    uv: int | None = None
    views: int | None = None


class Counter(Protocol):
    """A post is one that exists: the caller has looked. One deleted meanwhile counts for the site alone."""

    def salt(self, day: datetime.date) -> bytes:
        """Return that day's secret, made at its first view and dropped with the day."""

    def hit(self, view: View) -> Numbers:
        """Count one view and return the numbers of its day and post, itself among them."""

    def numbers(self, day: datetime.date, post_id: int | None = None) -> Numbers:
        """Return the numbers of that day, and of a post, with nothing counted."""

    def newer_than_tables(self, day: datetime.date) -> Numbers:
        """Return the numbers of that day where the tables lag behind the counter; where they don't, none."""

    def drain(self) -> int:
        """Bring what is counted into the tables, each view once; return how many page views that were."""

    def forget_totals(self) -> None:
        """Ask the tables anew for totals kept to be shown: somebody has put the tables right."""


@cache
def counter() -> Counter:
    """Return the process's counter: Redis for a fleet, the database for a blog of one."""
    redis = client()
    if redis is None:
        from .database_counter import DatabaseCounter

        return DatabaseCounter()
    from .redis_counter import RedisCounter

    in_redis = RedisCounter(redis)
    atexit.register(in_redis.replay)  # a worker that is stopped in order leaves no view behind
    return in_redis
