"""gunicorn's worker of threads, two things changed.

Who is busy lets the others take new connections first. All workers wait at one socket, and gunicorn's takes whatever
comes, however much it has to do. Connections live long (nginx keeps its own open), so what a burst has brought to one
worker stays there, and its neighbours have nothing to do: of two workers with 16 connections one often had them all,
and half of the cores stood still.

Who ends leaves nobody at the door. gunicorn's takes no more connections once it is told to end, but keeps the socket
for two seconds more: who connects meanwhile waits there and is hung up on in the end. nginx then asks another host,
unless something was sent (a comment): that fails. Here who has come is served, and the door is closed at once.
"""

import sys
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# An idle worker takes a connection within a millisecond. One that still waits after five waits for all of them, and
# they must take it: those that are open would be served over and over meanwhile.
HEAD_START_SECONDS = 0.005
SHORT_TURN_SECONDS = 0.00005


class Worker(ThreadWorker):
    """When all its threads are at work it looks away for 5 ms, and then takes as many connections as it has threads.

    Told to end, it takes all that wait and closes its socket; what is open it goes on serving, as gunicorn's does.
    """

    sockets: list[Any]
    _looked_away_at = 0.0

    def set_accept_enabled(self, enabled: bool) -> None:
        """Look for new connections, or not; gunicorn's loop asks for it anew each time round, and at its end."""
        if not self.alive:
            super().set_accept_enabled(False)
            self._close_the_door()
            return
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
            super().set_accept_enabled(False)

    def _is_busy(self) -> bool:
        waiting = len(self.keepalived_conns) + len(self.pending_conns)
        return bool(self.nr_conns - waiting >= self.cfg.threads)

    def _close_the_door(self) -> None:
        # Who comes between the last look and the end of the socket is hung up on: between them this thread may have to
        # wait for its turn, 5 ms unless it is said.
        sys.setswitchinterval(SHORT_TURN_SECONDS)
        for listener in self.sockets:
            listener.setblocking(False)
            taken = -1
            while taken < self.nr_conns:
                taken = self.nr_conns
                super().accept(listener)
            listener.close()
        self.sockets = []
