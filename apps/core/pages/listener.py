"""The thread of a process that subscribes to changes made by other processes."""

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

# How often the stamp is compared, whether messages come or not, so that a lost message goes unnoticed for less than
# 100 ms. Costs a process 0.3 % of a core.
BEAT_SECONDS = 0.05
SUBSCRIBE_SECONDS = 1
ON_ITS_WAY_SECONDS = 0.01
STAMPS_REMEMBERED = 100
LATE_SECONDS = 0.08  # if the thread has not run for this long, the caller compares the stamp itself
TRUST_SECONDS = 3  # if it has not run for this long, it hangs or has died
STOP_SECONDS = 10
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.5

logger = logging.getLogger(__name__)


class Listener:
    """The subscription of a process.

    Its thread starts at the first read, not at import, because a thread does not survive the fork that makes a worker.
    """

    def __init__(self, backend: "coherence.RedisBackend") -> None:
        self._backend = backend
        self._client = insistent_client()
        self._starting = threading.Lock()
        self._stopped = threading.Event()
        self._hurried = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._current_at = -math.inf  # every change before this moment is known
        self._stamps: deque[str] = deque(maxlen=STAMPS_REMEMBERED)  # the last ones received

    def is_current(self) -> bool:
        """Whether this process knows every change by now (1 round trip if the thread is late, else none)."""
        self.start()
        age_seconds = time.monotonic() - self._current_at
        return age_seconds < LATE_SECONDS or (age_seconds < TRUST_SECONDS and self._compare_stamp())

    def start(self) -> None:
        """Start the thread if it is not running."""
        if self._is_running():
            return
        with self._starting:
            if self._is_running():
                return
            self._current_at = -math.inf
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="coherence", daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """Let the thread connect now, not after its pause: a change waits to be published."""
        self.start()
        self._hurried.set()

    def stop(self) -> None:
        """End the thread (waits up to 50 ms). It publishes nothing any more."""
        self._stopped.set()
        self._hurried.set()
        if self._thread:
            self._thread.join(STOP_SECONDS)

    def _compare_stamp(self) -> bool:
        """Compare the stamp in the caller's thread: the machine is too busy for the listener's, or it is cut off."""
        asked_at = time.monotonic()
        stamps = self._backend.stamps()
        if stamps is None:
            return False
        if stamps.site not in self._stamps:
            coherence.invalidate(None)
            self._stamps.append(stamps.site)
        self._note_current(asked_at)
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
                if self._current_at > -math.inf:
                    logger.warning("The subscription to changes has ended (%s); reading the database alone.", error)
                    self._current_at = -math.inf
                    coherence.invalidate(None)
            self._hurried.wait(pause)
            self._hurried.clear()
            pause = (
                FIRST_PAUSE_SECONDS if self._backend.has_unpublished_change else min(2 * pause, LONGEST_PAUSE_SECONDS)
            )

    def _catch_up(self, again: bool) -> None:
        """Begin with empty caches. After an outage set a new stamp: no process then uses shared values from before."""
        if again or self._backend.has_unpublished_change:
            self._backend.publish_now(coherence.Change(coherence.new_stamp(), None))
        asked_at = time.monotonic()
        self._stamps.append(self._present_stamp())
        coherence.invalidate(None)
        self._note_current(asked_at)

    def _listen(self, pubsub: "PubSub") -> None:
        """Receive messages for 50 ms, then check whether one was lost."""
        end = time.monotonic() + BEAT_SECONDS
        while (left := end - time.monotonic()) > 0:
            self._receive(pubsub, left)
        asked_at = time.monotonic()
        present = self._present_stamp()
        # The stamp is set and published together: its message has arrived or is on its way, perhaps behind others.
        while present not in self._stamps and self._receive(pubsub, ON_ITS_WAY_SECONDS):
            pass
        if present not in self._stamps:
            self._invalidate_all()
            self._stamps.append(present)
        self._note_current(asked_at)

    def _note_current(self, asked_at: float) -> None:
        """Note that every change before `asked_at` is known. A busy machine may delay the answer's own moment."""
        self._current_at = max(self._current_at, asked_at)
        metrics.listener.labels(coherence.CHANNEL).set_to_current_time()

    def _receive(self, pubsub: "PubSub", seconds: float) -> bool:
        message = pubsub.get_message(timeout=seconds)
        if message is None or message["type"] != "message":
            return message is not None
        try:
            before, change = coherence.parse_message(message["data"])
        except (ValueError, KeyError, TypeError):
            logger.warning("A message on %s can't be read.", coherence.CHANNEL)
            coherence.invalidate(None)
            return True
        if before in self._stamps or change.stamp in self._stamps:
            coherence.invalidate(change.posts)
        else:
            self._invalidate_all()
        self._stamps.append(change.stamp)
        return True

    def _invalidate_all(self) -> None:
        logger.warning("The message of a change was lost; dropping everything remembered.")
        coherence.invalidate(None)

    def _present_stamp(self) -> str:
        if self._backend.has_unpublished_change:
            raise TimeoutError("a change of this process is not published yet")
        return self._backend.read_stamps(self._client).site
