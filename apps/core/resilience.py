"""Circuit breakers and caches that end with a stamp or a time, and the registry that empties them all between tests.

Every module that remembers something between two calls keeps it in an instance of one of these classes.
"""

import itertools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

Value = TypeVar("Value")

_all: "WeakValueDictionary[int, Resettable]" = WeakValueDictionary()
_numbers = itertools.count()


class Resettable:
    """State that outlives a call. `reset()` makes it what it was when the process began."""

    def __init__(self) -> None:
        _all[next(_numbers)] = self

    def reset(self) -> None:
        raise NotImplementedError


def reset_all() -> None:
    """Reset the state of every module, for tests; the newest first, because threads of the apps use caches of core."""
    for _number, state in sorted(_all.items(), reverse=True):
        state.reset()


class Breaker(Resettable):
    """A circuit breaker: after a failure a service is left alone for so many seconds. Each `key` is a service."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._open_until: dict[Hashable, float] = {}

    def is_open(self, key: Hashable = None) -> bool:
        """Whether the service is to be left alone."""
        return time.monotonic() < self._open_until.get(key, 0.0)

    def trip(self, key: Hashable = None, *, seconds: float | None = None) -> None:
        """Leave the service alone from now on, for `seconds` if that is another time than usual."""
        self._open_until[key] = time.monotonic() + (self._seconds if seconds is None else seconds)

    def close(self, key: Hashable = None) -> None:
        """Use the service again: it has answered."""
        self._open_until.pop(key, None)

    def reset(self) -> None:
        self._open_until.clear()


@dataclass(frozen=True, slots=True)
class Entry(Generic[Value]):
    """A value, the stamp it was read under, and times of time.monotonic()."""

    value: Value
    stamp: Hashable
    read_at: float
    good_until: float

    def is_fresh(self, stamp: Hashable = None) -> bool:
        return self.stamp == stamp and time.monotonic() < self.good_until


class StampedCache(Resettable, Generic[Value]):
    """Values that are fresh under one stamp and for `max_age` seconds; then they stay, as what was known last.

    A cache of one value needs no `key`. Beyond `most` values the one that was put first goes.
    """

    def __init__(self, max_age: float = math.inf, *, most: int = 10_000) -> None:
        super().__init__()
        self._max_age, self._most = max_age, most
        self._entries: OrderedDict[Hashable, Entry[Value]] = OrderedDict()
        self._changing = threading.Lock()

    def get(self, stamp: Hashable = None, *, key: Hashable = None) -> Value | None:
        """Return the value while it is fresh, else None."""
        entry = self._entries.get(key)
        return entry.value if entry is not None and entry.is_fresh(stamp) else None

    def last(self, key: Hashable = None) -> Entry[Value] | None:
        """Return what was put last, however old; None after `forget()`."""
        return self._entries.get(key)

    def put(
        self,
        value: Value,
        stamp: Hashable = None,
        *,
        key: Hashable = None,
        read_at: float | None = None,
        seconds: float | None = None,
        unless: Callable[[], bool] | None = None,
    ) -> None:
        """Keep a value for `max_age`, or `seconds`, after `read_at`: the moment before it was asked for, else now.

        Nothing is kept if `unless()` is true, which is called while no other thread can put or forget.
        """
        begins = time.monotonic() if read_at is None else read_at
        entry = Entry(value, stamp, begins, begins + (self._max_age if seconds is None else seconds))
        with self._changing:
            if unless is not None and unless():
                return
            self._entries[key] = entry
            self._entries.move_to_end(key)
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)

    def forget(self, *keys: Hashable) -> None:
        """Drop the values of these keys."""
        with self._changing:
            for key in keys:
                self._entries.pop(key, None)

    def reset(self) -> None:
        with self._changing:
            self._entries.clear()


class Once(Resettable):
    """Calling it returns True the first time: for what is said once in a process."""

    def __init__(self) -> None:
        super().__init__()
        self._is_over = False

    def __call__(self) -> bool:
        is_first, self._is_over = not self._is_over, True
        return is_first

    def reset(self) -> None:
        self._is_over = False
