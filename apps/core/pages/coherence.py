"""How the processes of a fleet hear of each other's changes, and what each may believe of its own memory.

A change is announced after its commit: a new random stamp is set in Redis and published, with the posts concerned and
the stamp before it. What processes share is keyed by stamp, and a reader takes the stamp before it asks the database,
so nobody can put back what is no longer true. Memory is believed while messages arrive. One that was lost is noticed by
the next, which follows a stamp not heard of, or by the listener, which compares the stamp every 50 ms.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from django.db import transaction

from ..redis.clients import RedisError, client, insistent_client
from . import cache_epoch

if TYPE_CHECKING:
    from redis import Redis

CHANNEL = "blog:changes"
# After a change has waited for Redis in vain for longer than this, none does for a second. One that was refused at once
# cost nothing, and Redis may be back at the next.
IN_VAIN_SECONDS, TRIED_AGAIN_SECONDS = 0.05, 1
LOOKED_SECONDS = 0.25
STAMP, LISTS_STAMP = "blog:{stamp}:site", "blog:{stamp}:lists"  # braced: a cluster keeps them together
SNAPSHOT = "blog:snapshot:"

# KEYS: STAMP, LISTS_STAMP. ARGV: the new stamp, 1 when the lists changed as well, the channel, the change as JSON.
PUBLISH = """
local before = redis.call('GET', KEYS[1]) or ''
redis.call('SET', KEYS[1], ARGV[1])
if ARGV[2] == '1' then redis.call('SET', KEYS[2], ARGV[1]) end
return redis.call('PUBLISH', ARGV[3], before .. ' ' .. ARGV[4])
"""


class Stamps(NamedTuple):
    """What names the present state: `site` of everything, `lists` of which posts stand where."""

    site: str
    lists: str


@dataclass(frozen=True, slots=True)
class Change:
    """`posts`: the ids of posts that now read differently where they stand; None: anything may have changed."""

    stamp: str
    posts: frozenset[int] | None

    def encoded(self) -> str:
        return json.dumps({"stamp": self.stamp, "posts": None if self.posts is None else sorted(self.posts)})

    @classmethod
    def decoded(cls, text: str) -> "Change":
        """Read what `encoded` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        told = json.loads(text)
        return cls(told["stamp"], None if told["posts"] is None else frozenset(map(int, told["posts"])))


def understood(message: bytes) -> tuple[str, Change]:
    """Return the stamp before a change, and the change. Raises ValueError, KeyError or TypeError for anything else."""
    before, _space, change = message.decode().partition(" ")
    return before, Change.decoded(change)


class Backend(Protocol):
    # How long memory is believed if nobody ever says a word.
    snapshot_seconds: float
    page_seconds: float

    def is_current(self) -> bool:
        """Whether word of a change would reach this process, so that its memory may be believed."""

    def stamps(self) -> Stamps | None:
        """Return the present stamps (1 round trip); None when nobody can tell."""

    def publish(self, change: Change) -> None:
        """Give the change's stamp to all that is shared, and tell the other processes (1 round trip)."""

    def load(self, stamp: str) -> str | None:
        """Return the snapshot that a process has saved under this stamp (1 round trip)."""

    def save(self, stamp: str, snapshot: str) -> None:
        """Share the snapshot with the other processes (1 round trip)."""


class LocalBackend:
    """One process, nobody to tell. A management command beside it goes unheard: hence the short time limit.

    Only what it withdraws is noticed, within LOOKED_SECONDS, by the mark that it leaves for nginx.
    """

    snapshot_seconds = page_seconds = 10.0

    def __init__(self) -> None:
        self._stamps = Stamps(new_stamp(), new_stamp())
        self._looked_at = 0.0

    def is_current(self) -> bool:
        if (now := time.monotonic()) - self._looked_at > LOOKED_SECONDS:
            self._looked_at = now
            if cache_epoch.was_renewed_elsewhere():
                self.publish(Change(new_stamp(), None))
                invalidate(None)
        return True

    def stamps(self) -> Stamps:
        return self._stamps

    def publish(self, change: Change) -> None:
        lists = change.stamp if change.posts is None else self._stamps.lists
        self._stamps = Stamps(change.stamp, lists)

    def load(self, stamp: str) -> str | None:
        return None

    def save(self, stamp: str, snapshot: str) -> None:
        pass


class RedisBackend:
    """Processes that share a Redis. With it away each one goes by the database alone."""

    # Who was killed between a commit and its announcement has told nobody: it shows after so long.
    snapshot_seconds = page_seconds = 60.0

    def __init__(self, redis: "Redis") -> None:
        from .listener import Listener

        self._redis = redis
        self.listener = Listener(self)
        self._publish = insistent_client().register_script(PUBLISH)
        self._owing = threading.Lock()
        self._owed = 0
        self._tried_again_at = 0.0

    @property
    def has_unpublished_change(self) -> bool:
        """Whether the others don't know yet of a change of ours; until they do, what they share isn't believed here."""
        return self._owed > 0

    def is_current(self) -> bool:
        return self.listener.is_hearing() and not self.has_unpublished_change

    def stamps(self) -> Stamps | None:
        if self.has_unpublished_change:
            return None
        try:
            return self.read_stamps(self._redis)
        except RedisError:
            return None

    def read_stamps(self, redis: "Redis") -> Stamps:
        """Return the present stamps, made when there are none. Raises RedisError."""
        found: Any = redis.mget(STAMP, LISTS_STAMP)
        while None in found:  # a new Redis, or one that has lost its memory
            redis.msetnx({STAMP: new_stamp(), LISTS_STAMP: new_stamp()}) or redis.delete(STAMP, LISTS_STAMP)
            found = redis.mget(STAMP, LISTS_STAMP)
        return Stamps(*(stamp.decode() for stamp in found))

    def publish(self, change: Change) -> None:
        # Tried even when others have found Redis away: a change is worth the wait of 0.3 s at most. But a hundred, made
        # by one action or an import, wait once.
        if self._owed and time.monotonic() < self._tried_again_at:
            self._owe()
        else:
            self.tell(change)
        if self._owed:
            self.listener.hurry()  # it tells when it is connected again

    def tell(self, change: Change) -> None:
        """Publish, whatever failed a moment ago; where word of others is owed, that anything may have changed."""
        owed, began = self._owed, time.monotonic()
        if owed:
            change = Change(change.stamp, None)
        try:
            lists_changed = int(change.posts is None)
            self._publish([STAMP, LISTS_STAMP], [change.stamp, lists_changed, CHANNEL, change.encoded()])
        except RedisError:
            now = time.monotonic()
            self._tried_again_at = now + TRIED_AGAIN_SECONDS if now - began > IN_VAIN_SECONDS else now
            self._owe()
        else:
            with self._owing:
                if self._owed == owed:
                    self._owed = 0

    def _owe(self) -> None:
        with self._owing:
            self._owed += 1

    def load(self, stamp: str) -> str | None:
        try:
            found = self._redis.get(SNAPSHOT + stamp)
        except RedisError:
            return None
        return found.decode() if isinstance(found, bytes) else None

    def save(self, stamp: str, snapshot: str) -> None:
        with suppress(RedisError):  # the others read it from the database, then
            self._redis.set(SNAPSHOT + stamp, snapshot, ex=int(self.snapshot_seconds))


@cache
def backend() -> Backend:
    """Return the process's one backend: whether there is a Redis decides which."""
    if redis := client():
        return RedisBackend(redis)
    return LocalBackend()


def new_stamp() -> str:
    return secrets.token_hex(8)


# -- Changes --------------------------------------------------------------------------------------------------------

_hearers: list[Callable[[frozenset[int] | None], None]] = []
_generation = 0
_counting = threading.Lock()


def generation() -> int:
    """Return a number that grows with every change heard of: what was begun under another one is not kept."""
    return _generation


def when_changed(hearer: Callable[[frozenset[int] | None], None]) -> None:
    """Have the function called with the posts concerned (None: everything) at every change, here or elsewhere."""
    _hearers.append(hearer)


def invalidate(posts: frozenset[int] | None) -> None:
    """Drop what this process remembers of these posts; of everything when it is None."""
    global _generation
    with _counting:
        _generation += 1
    for hearer in _hearers:
        hearer(posts)


def publish_change(posts: Iterable[int] | None = None, *, withdrawn: bool = False) -> None:
    """Tell all processes, once the running transaction has committed, that these posts, or anything, changed.

    This process has dropped it when the call returns, or the commit; others within 100 ms (1 round trip). `withdrawn`:
    readers have lost something, of which nginx must not show an old copy (1 write to the folder of uploads).
    """
    concerned = None if posts is None else frozenset(posts)

    def now() -> None:
        backend().publish(Change(new_stamp(), concerned))
        invalidate(concerned)
        if withdrawn:
            cache_epoch.renew()

    transaction.on_commit(now)
