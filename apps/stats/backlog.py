"""Views that Redis could not take, kept in the process until it can."""

import logging
import threading
from collections import deque
from dataclasses import dataclass

from apps.core.observability import metrics

from .counters import View

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A view under the number it was sent with: sent again with the same, it is counted once."""

    source: str
    number: int
    view: View


class Backlog:
    """First in, first out, bounded: when it is full the oldest is dropped, and how many is logged at the end."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parcels: deque[Parcel] = deque()
        self._dropped = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._parcels)

    def add(self, parcel: Parcel) -> None:
        with self._lock:
            if not self._parcels:
                logger.warning("Redis takes no views; this process keeps the newest %d.", self._most)
            self._parcels.append(parcel)
            self._bound()

    def take(self, number: int) -> list[Parcel]:
        """Take the oldest ones out; whoever takes them puts back what still can't be counted."""
        with self._lock:
            taken = [self._parcels.popleft() for _ in range(min(number, len(self._parcels)))]
            metrics.backlog.set(len(self._parcels))
            return taken

    def put_back(self, parcels: list[Parcel]) -> None:
        with self._lock:
            self._parcels.extendleft(reversed(parcels))
            self._bound()

    def report(self, counted: int) -> None:
        """Log that so many were counted after all, and how many were not."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        logger.warning("%d views of the time without Redis are counted now, %d were dropped.", counted, dropped)

    def _bound(self) -> None:
        while len(self._parcels) > self._most:
            self._parcels.popleft()
            self._dropped += 1
        metrics.backlog.set(len(self._parcels))
