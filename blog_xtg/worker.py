"""gunicorn's worker of threads, one thing changed: who is busy lets the others take new connections first.

All workers wait at one socket, and gunicorn's takes whatever comes, however much it has to do. Connections live long
(nginx keeps its own open), so what a burst has brought to one worker stays there, and its neighbours have nothing to
do: of two workers with 16 connections one often had them all, and half of the cores stood still.
"""

import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# An idle worker takes a connection within a millisecond. One that still waits after five waits for all of them, and
# they must take it: those that are open would be served over and over meanwhile.
HEAD_START_SECONDS = 0.005


class Worker(ThreadWorker):
    """When all its threads are at work it looks away for 5 ms, and then takes as many connections as it has threads."""

    _looked_away_at = 0.0

    def set_accept_enabled(self, enabled: bool) -> None:
        """Look for new connections, or not; gunicorn's loop asks for it anew each time round."""
        long_enough = time.monotonic() - self._looked_away_at > HEAD_START_SECONDS
        super().set_accept_enabled(enabled and (long_enough or not self._is_busy()))

    def accept(self, listener: Any) -> None:
        """Take a connection that waits at this socket, or several."""
        for _ in range(self.cfg.threads if self._is_busy() else 1):
            super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection that has something to say to a thread."""
        super().enqueue_req(conn)
        if self._accepting and self._is_busy():
            self._looked_away_at = time.monotonic()
            self.set_accept_enabled(False)

    def _is_busy(self) -> bool:
        waiting = len(self.keepalived_conns) + len(self.pending_conns)
        return bool(self.nr_conns - waiting >= self.cfg.threads)
