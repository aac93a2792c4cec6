"""How often something was done lately, counted for all processes together.

A window begins with the first time. The counts live where nothing else can push them out: in the program's own part of
Redis (1 round trip), or in this process's memory where there is no Redis. While Redis is away each process counts by
itself: the limits are then as many times higher as there are processes, and nobody is stopped for want of Redis.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from time import monotonic

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from ..redis import clients as redis
from ..resilience import Resettable
from . import errors
from .request_info import client_address, network_of

# Of one kind (what stands before the first colon of a key). An entry takes 300 bytes, so none of this is reached but by
# somebody who has as many networks; then what is new is refused, and nothing is forgotten before its time.
MOST_ENTRIES = 100_000
SWEEP_SECONDS = 1  # between two looks for entries to forget, 10 ms each

_COUNT = """
local number = redis.call('INCR', KEYS[1])
if number == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return number
"""
_TAKE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end return 0"

_logger = logging.getLogger(__name__)


class Memory:
    """Counts of one kind in this process's memory. When it is full it refuses, and forgets nothing before its time."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._most = most
        self._counts: dict[str, tuple[int, float]] = {}  # the number, and when its window ends by monotonic()
        self._changing = threading.Lock()
        self._swept_at = 0.0

    def count(self, key: str, seconds: int) -> int | None:
        """Return the number of calls with that key since its window began; None when there is no room for another."""
        now = monotonic()
        with self._changing:
            number, ends_at = self._counts.get(key, (0, 0.0))
            if now >= ends_at:
                number, ends_at = 0, now + seconds
                if key not in self._counts and not self._has_room(now):
                    return None
            self._counts[key] = number + 1, ends_at
            return number + 1

    def take_back(self, key: str) -> None:
        with self._changing:
            number, ends_at = self._counts.get(key, (0, 0.0))
            if number:
                self._counts[key] = number - 1, ends_at

    def _has_room(self, now: float) -> bool:
        if len(self._counts) >= self._most and now - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = now
            self._counts = {key: entry for key, entry in self._counts.items() if now < entry[1]}
        return len(self._counts) < self._most


class _Kinds(Resettable):
    """The memory of each kind of count, such as comments."""

    def __init__(self) -> None:
        super().__init__()
        self.memories: defaultdict[str, Memory] = defaultdict(Memory)

    def reset(self) -> None:
        self.memories.clear()


_kinds = _Kinds()


def is_one_too_many(key: str, most: int, seconds: int) -> bool:
    """Count, and tell whether it is more than so many in that time; 0 is any number, and not counted.

    What stands before the key's first colon is the kind: no kind takes another's room.
    """
    if not most:
        return False
    number = _count(key, seconds)
    return number is None or number > most


def take_back(key: str) -> None:
    """Undo one count of the key: what was counted beforehand turned out to be right."""
    try:
        if client := redis.client():
            redis.run(client, client.register_script(_TAKE_BACK), [_name(key)], [])
            return
    except redis.RedisError as error:
        _logger.warning("A count was not taken back: %r", error)
    _memory_of(key).take_back(key)


def limited(kind: str, most: int, seconds: int) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Let a view be asked so often by one neighbourhood in that time; beyond it is answered 429, a page that says wait.

    1 round trip to Redis where there is one.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if is_one_too_many(f"{kind}:{neighbourhood(client_address(request))}", most, seconds):
                return errors.too_many(request, seconds)
            return view(request, *args, **kwargs)

        return answer

    return decorate


def neighbourhood(address: str) -> str:
    """Return the address as it may be kept for a day, a digest; of IPv6 that of the network which a household has."""
    return salted_hmac("blog.rates", network_of(address)).hexdigest()[:20]


def _count(key: str, seconds: int) -> int | None:
    try:
        if client := redis.client():
            number: int = redis.run(client, client.register_script(_COUNT), [_name(key)], [seconds])
            return number
    except redis.RedisError as error:
        _logger.warning("How often things are done is counted in this process alone: %r", error)
    return _memory_of(key).count(key, seconds)


def _memory_of(key: str) -> Memory:
    return _kinds.memories[key.partition(":")[0]]


def _name(key: str) -> str:
    return f"blog:rates:{key}"
