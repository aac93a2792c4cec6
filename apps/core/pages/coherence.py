"""Publish changes to the processes of a fleet, and tell each process whether its memory is current.

After a commit a process sets a new random stamp in Redis and publishes it, with the ids of the changed posts and the
stamp before. Shared values are keyed by stamp, and a process reads the stamp before it reads the database, so an old
value is never stored under a new stamp. A process trusts its memory while its subscription is alive. It notices a lost
message by the next one, whose previous stamp it does not know, or by comparing the stamp every 50 ms.

README.md in this folder explains the whole protocol.
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
from ..resilience import Breaker, Resettable
from . import cache_epoch

if TYPE_CHECKING:
    from redis import Redis

CHANNEL = "blog:changes"
# After a publish has failed and took longer than this, skip publishing for a second. A publish that is refused at once
# costs nothing, and Redis may be back by the next.
SLOW_FAILURE_SECONDS, RETRY_SECONDS = 0.05, 1
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
    """Random names of the present state: `site` changes with everything, `lists` when a list may hold other posts."""

    site: str
    lists: str


@dataclass(frozen=True, slots=True)
class Change:
    """The ids of posts that changed in place; None if anything may have changed, the lists included."""

    stamp: str
    posts: frozenset[int] | None

    def encoded(self) -> str:
        return json.dumps({"stamp": self.stamp, "posts": None if self.posts is None else sorted(self.posts)})

    @classmethod
    def decoded(cls, text: str) -> "Change":
        """Read what `encoded` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        data = json.loads(text)
        return cls(data["stamp"], None if data["posts"] is None else frozenset(map(int, data["posts"])))


def parse_message(message: bytes) -> tuple[str, Change]:
    """Return the stamp before the change, and the change. Raises ValueError, KeyError or TypeError if it is neither."""
    before, _space, change = message.decode().partition(" ")
    return before, Change.decoded(change)


class Backend(Protocol):
    """How a process shares stamps, snapshots and changes with others."""

    # How long a snapshot and a page are kept if no message arrives.
    snapshot_seconds: float
    page_seconds: float

    def is_current(self) -> bool:
        """Whether a change made elsewhere would reach this process, so that it may trust its memory."""

    def stamps(self) -> Stamps | None:
        """Return the present stamps (1 round trip), None if they are unknown."""

    def publish(self, change: Change) -> None:
        """Set the change's stamp and publish the change to the other processes (1 round trip)."""

    def load(self, stamp: str) -> str | None:
        """Return the snapshot that a process saved under this stamp, None if there is none (1 round trip)."""

    def save(self, stamp: str, snapshot: str) -> None:
        """Share the snapshot with the other processes (1 round trip)."""


class LocalBackend:
    """A single process with nobody to publish to.

    Changes by a management command that runs beside it show after `page_seconds`. Only what such a command withdraws is
    noticed sooner, within LOOKED_SECONDS, by the mark that it sets for nginx.
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
    """Processes that share a Redis. While Redis is away, each process reads everything from the database."""

    # If a process dies between commit and publish, others serve stale pages for at most this long.
    snapshot_seconds = page_seconds = 60.0

    def __init__(self, redis: "Redis") -> None:
        from .listener import Listener

        self._redis = redis
        self.listener = Listener(self)
        self._publish = insistent_client().register_script(PUBLISH)
        self._counting = threading.Lock()
        self._unpublished = 0
        self._breaker = Breaker(RETRY_SECONDS)

    @property
    def has_unpublished_change(self) -> bool:
        """Whether a change of this process is not published yet. Until it is, shared values are not trusted here."""
        return self._unpublished > 0

    def is_current(self) -> bool:
        return self.listener.is_current() and not self.has_unpublished_change

    def stamps(self) -> Stamps | None:
        if self.has_unpublished_change:
            return None
        try:
            return self.read_stamps(self._redis)
        except RedisError:
            return None

    def read_stamps(self, redis: "Redis") -> Stamps:
        """Return the present stamps, setting new ones if there are none. Raises RedisError."""
        found: Any = redis.mget(STAMP, LISTS_STAMP)
        while None in found:  # a new Redis, or one that has lost its memory
            redis.msetnx({STAMP: new_stamp(), LISTS_STAMP: new_stamp()}) or redis.delete(STAMP, LISTS_STAMP)
            found = redis.mget(STAMP, LISTS_STAMP)
        return Stamps(*(stamp.decode() for stamp in found))

    def publish(self, change: Change) -> None:
        # A change is worth a wait of up to 0.3 s even if other callers have just found Redis away. But a hundred
        # changes, made by one action or an import, wait once.
        if self._unpublished and self._breaker.is_open():
            self._add_unpublished()
        else:
            self.publish_now(change)
        if self._unpublished:
            self.listener.hurry()  # the listener publishes when it is connected again

    def publish_now(self, change: Change) -> None:
        """Publish without regard to earlier failures. Stands for unpublished changes too: anything may have changed."""
        unpublished, began = self._unpublished, time.monotonic()
        if unpublished:
            change = Change(change.stamp, None)
        try:
            lists_changed = int(change.posts is None)
            self._publish([STAMP, LISTS_STAMP], [change.stamp, lists_changed, CHANNEL, change.encoded()])
        except RedisError:
            if time.monotonic() - began > SLOW_FAILURE_SECONDS:
                self._breaker.trip()
            else:
                self._breaker.close()
            self._add_unpublished()
        else:
            with self._counting:
                if self._unpublished == unpublished:
                    self._unpublished = 0

    def _add_unpublished(self) -> None:
        with self._counting:
            self._unpublished += 1

    def load(self, stamp: str) -> str | None:
        try:
            found = self._redis.get(SNAPSHOT + stamp)
        except RedisError:
            return None
        return found.decode() if isinstance(found, bytes) else None

    def save(self, stamp: str, snapshot: str) -> None:
        with suppress(RedisError):  # other processes then read the database
            self._redis.set(SNAPSHOT + stamp, snapshot, ex=int(self.snapshot_seconds))


@cache
def backend() -> Backend:
    """Return the backend of this process: RedisBackend if there is a Redis, else LocalBackend."""
    if redis := client():
        return RedisBackend(redis)
    return LocalBackend()


def new_stamp() -> str:
    return secrets.token_hex(8)


# -- Changes --------------------------------------------------------------------------------------------------------

Subscriber = Callable[[frozenset[int] | None], None]


class _Changes(Resettable):
    """The number of changes this process knows of, and the functions that drop what a change makes stale."""

    def __init__(self) -> None:
        super().__init__()
        self.generation = 0
        self.subscribers: list[Subscriber] = []
        self._counting = threading.Lock()

    def add(self, posts: frozenset[int] | None) -> None:
        with self._counting:
            self.generation += 1
        for subscriber in self.subscribers:
            subscriber(posts)

    def reset(self) -> None:
        self.add(None)


_changes = _Changes()


def generation() -> int:
    """Return a number that grows with every change: a page begun under an older one is not cached."""
    return _changes.generation


def when_changed(subscriber: Subscriber) -> None:
    """Call the function at every change, made here or elsewhere, with the ids of the posts (None: everything)."""
    _changes.subscribers.append(subscriber)


def invalidate(posts: frozenset[int] | None) -> None:
    """Drop everything this process remembers of these posts, or everything at all if it is None."""
    _changes.add(posts)


def publish_change(posts: Iterable[int] | None = None, *, withdrawn: bool = False) -> None:
    """Tell all processes, after the running transaction has committed, that these posts, or anything, changed.

    This process has invalidated its caches when the call, or the commit, returns; others within 100 ms (1 round trip).
    `withdrawn`: readers have lost something, so nginx must not serve an old copy (1 write to the folder of uploads).
    """
    changed = None if posts is None else frozenset(posts)

    def now() -> None:
        backend().publish(Change(new_stamp(), changed))
        invalidate(changed)
        if withdrawn:
            cache_epoch.renew()

    transaction.on_commit(now)
