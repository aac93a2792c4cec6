"""gunicorn's worker of threads, one thing changed: who is busy leaves new connections to the others.

All workers wait at one socket, and gunicorn's takes whatever comes, however much it has to do. Connections live long
(nginx keeps its own open), so what a burst has brought to one worker stays there, and its neighbours have nothing to
do: of two workers with 16 connections one often had them all, and half of the cores stood still.
"""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):
    """Takes connections while a thread is free for what they bring."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Look for new connections, or not; gunicorn's loop asks for it anew each time round."""
        waiting = len(self.keepalived_conns) + len(self.pending_conns)
        super().set_accept_enabled(enabled and self.nr_conns - waiting < self.cfg.threads)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection that has something to say to a thread."""
        super().enqueue_req(conn)
        self.set_accept_enabled(self._accepting)
