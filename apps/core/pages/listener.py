"""The one thread of a process that hears of the changes made by others."""

import logging
import math
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ..observability import metrics
from ..redis.clients import RedisError, insistent_client
from . import coherence

if TYPE_CHECKING:
    from redis.client import PubSub

# How often the stamp is compared, whether messages come or not: one that was lost is missed for less than 100 ms. Costs
# a process 0.3 % of a core.
BEAT_SECONDS = 0.05
SUBSCRIBE_SECONDS = 1
ON_ITS_WAY_SECONDS = 0.01
STAMPS_REMEMBERED = 100
LATE_SECONDS = 0.08  # a thread that has not been given its turn for so long is not waited for
TRUST_SECONDS = 3  # one that hangs or has died is believed no longer than this
STOP_SECONDS = 10
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.5

logger = logging.getLogger(__name__)


class Listener:
    """Started at the first read, not at import: a thread doesn't survive the fork that makes a worker."""

    def __init__(self, backend: "coherence.RedisBackend") -> None:
        self._backend = backend
        self._client = insistent_client()
        self._starting = threading.Lock()
        self._stopped = threading.Event()
        self._hurried = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._heard_at = -math.inf
        self._stamps: deque[str] = deque(maxlen=STAMPS_REMEMBERED)  # heard last

    def is_hearing(self) -> bool:
        """Whether a change has been heard of by now (1 round trip when the thread is late, else none)."""
        self.start()
        silent_seconds = time.monotonic() - self._heard_at
        return silent_seconds < LATE_SECONDS or (silent_seconds < TRUST_SECONDS and self._ask())

    def start(self) -> None:
        """See to it that the thread runs."""
        if self._is_running():
            return
        with self._starting:
            if self._is_running():
                return
            self._heard_at = -math.inf
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="coherence", daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """See to it that the thread runs, and tries now: word is owed, which others don't miss once Redis is back."""
        self.start()
        self._hurried.set()

    def stop(self) -> None:
        """End the thread, which says nothing afterwards; a process that ends needs no such word (waits a beat)."""
        self._stopped.set()
        self._hurried.set()
        if self._thread:
            self._thread.join(STOP_SECONDS)

    def _ask(self) -> bool:
        """Compare the stamp where the thread should have; the machine has no time for it, or it has been cut off."""
        asked_at = time.monotonic()
        stamps = self._backend.stamps()
        if stamps is None:
            return False
        if stamps.site not in self._stamps:
            coherence.invalidate(None)
            self._stamps.append(stamps.site)
        self._heard(asked_at)
        return True

    def _is_running(self) -> bool:
        return self._pid == os.getpid() and self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        pause, again = FIRST_PAUSE_SECONDS, False
        while not self._stopped.is_set():
            try:
                with self._client.pubsub() as pubsub:
                    pubsub.subscribe(coherence.CHANNEL)
                    if pubsub.get_message(timeout=SUBSCRIBE_SECONDS) is None:
                        raise TimeoutError("no answer to the subscription")
                    self._catch_up(again)
                    again, pause = True, FIRST_PAUSE_SECONDS
                    while not self._stopped.is_set():
                        self._listen(pubsub)
            except (RedisError, OSError) as error:
                if self._heard_at > -math.inf:
                    logger.warning("No word of changes any more (%s); trusting the database alone.", error)
                    self._heard_at = -math.inf
                    coherence.invalidate(None)
            self._hurried.wait(pause)
            self._hurried.clear()
            pause = (
                FIRST_PAUSE_SECONDS if self._backend.has_unpublished_change else min(2 * pause, LONGEST_PAUSE_SECONDS)
            )

    def _catch_up(self, again: bool) -> None:
        """Begin with nothing believed. After an outage a new stamp sees to it that nobody believes what was before."""
        if again or self._backend.has_unpublished_change:
            self._backend.tell(coherence.Change(coherence.new_stamp(), None))
        asked_at = time.monotonic()
        self._stamps.append(self._present_stamp())
        coherence.invalidate(None)
        self._heard(asked_at)

    def _listen(self, pubsub: "PubSub") -> None:
        """Hear the messages of one beat, then see whether one was lost."""
        end = time.monotonic() + BEAT_SECONDS
        while (left := end - time.monotonic()) > 0:
            self._hear(pubsub, left)
        asked_at = time.monotonic()
        present = self._present_stamp()
        # Set and published together: its message is here, or on its way, with others perhaps behind it.
        while present not in self._stamps and self._hear(pubsub, ON_ITS_WAY_SECONDS):
            pass
        if present not in self._stamps:
            self._begin_anew()
            self._stamps.append(present)
        self._heard(asked_at)

    def _heard(self, asked_at: float) -> None:
        """Note up to which moment everything has been heard: not that of the answer, which a busy machine may delay."""
        self._heard_at = max(self._heard_at, asked_at)
        metrics.listener.labels(coherence.CHANNEL).set_to_current_time()

    def _hear(self, pubsub: "PubSub", seconds: float) -> bool:
        message = pubsub.get_message(timeout=seconds)
        if message is None or message["type"] != "message":
            return message is not None
        try:
            before, change = coherence.understood(message["data"])
        except (ValueError, KeyError, TypeError):
            logger.warning("A message on %s that nobody understands.", coherence.CHANNEL)
            coherence.invalidate(None)
            return True
        if before in self._stamps or change.stamp in self._stamps:
            coherence.invalidate(change.posts)
        else:
            self._begin_anew()
        self._stamps.append(change.stamp)
        return True

    def _begin_anew(self) -> None:
        logger.warning("Word of a change was lost; beginning anew.")
        coherence.invalidate(None)

    def _present_stamp(self) -> str:
        if self._backend.has_unpublished_change:
            raise TimeoutError("a change of our own could not be told")
        return self._backend.read_stamps(self._client).site
