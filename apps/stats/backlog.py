"""Keep views in the process while Redis is unavailable."""

import logging
import threading
from collections import deque
from dataclasses import dataclass

from apps.core.observability import metrics

from .counters import View

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A view with its source and number. Redis counts a number of a source once, however often it is sent."""

    source: str
    number: int
    view: View


class Backlog:
    """A bounded queue, safe for threads. When it is full, the oldest view is dropped; `report()` logs how many were."""

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
        """Remove and return up to `number` views, the oldest first. `put_back()` those that can't be sent yet."""
        with self._lock:
            taken = [self._parcels.popleft() for _ in range(min(number, len(self._parcels)))]
            metrics.backlog.set(len(self._parcels))
            return taken

    def put_back(self, parcels: list[Parcel]) -> None:
        with self._lock:
            self._parcels.extendleft(reversed(parcels))
            self._bound()

    def report(self, counted: int) -> None:
        """Log how many views were counted late, and how many were dropped."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        logger.warning("%d views of the time without Redis are counted now, %d were dropped.", counted, dropped)

    def _bound(self) -> None:
        while len(self._parcels) > self._most:
            self._parcels.popleft()
            self._dropped += 1
        metrics.backlog.set(len(self._parcels))
