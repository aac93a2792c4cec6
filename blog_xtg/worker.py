"""gunicorn's worker of threads, two things changed.

Who is busy lets the others take new connections first. All workers wait at one socket, and gunicorn's takes whatever
comes, however much it has to do. Connections live long (nginx keeps its own open), so what a burst has brought to one
worker stays there, and its neighbours have nothing to do: of two workers with 16 connections one often had them all,
and half of the cores stood still.

Who ends leaves nobody at the door. gunicorn's takes no more connections once it is told to end, but keeps the socket
for two seconds more: who connects meanwhile waits there and is hung up on in the end. nginx then asks another host,
unless something was sent (a comment): that fails. Here nobody new is let in from then on, who has come is served, and
the door is closed at once.
"""

import ctypes
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress

from gunicorn.workers.gthread import ThreadWorker

# An idle worker takes a connection within a millisecond. One that still waits after five waits for all of them, and
# they must take it: those that are open would be served over and over meanwhile.
HEAD_START_SECONDS = 0.005
# How long a connection that has begun may take to stand: a round trip to nginx.
HANDSHAKE_SECONDS = 0.02

SO_ATTACH_FILTER = 26  # Linux, socket(7)
# A classic BPF program (the kernel's Documentation/networking/filter.rst). Of what reaches a listening socket it drops
# the wish to connect, a TCP header with SYN and without ACK, and lets pass what completes a connection that has begun.
_NOBODY_NEW = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the flags, the header's byte 13,
        (0x54, 0, 0, 0x12),  # and of these SYN and ACK;
        (0x15, 0, 1, 0x02),  # if SYN stands alone
        (0x06, 0, 0, 0),  # drop the packet,
        (0x06, 0, 0, 0xFFFFFFFF),  # else take all of it
    )
)


def turn_away(listeners: Iterable[socket.socket]) -> None:
    """Let nobody new connect to these of gunicorn's sockets, whichever processes have them, for good.

    Who connected between a worker's last look and the end of the socket would believe the connection to stand, send
    something and be hung up on: 4 of 35,000 in twelve restarts. Who is turned away has sent nothing: it hears nothing,
    is refused when it tries again after a second, and nginx asks another host. Elsewhere than on Linux nothing is done.
    """
    program = ctypes.create_string_buffer(_NOBODY_NEW, len(_NOBODY_NEW))
    filtering = struct.pack("HP", len(_NOBODY_NEW) // 8, ctypes.addressof(program))
    for listener in listeners:
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filtering)


class Worker(ThreadWorker):
    """When all its threads are at work it looks away for 5 ms, and then takes as many connections as it has threads.

    Told to end, it takes all that wait and closes its socket; what is open it goes on serving, as gunicorn's does.
    """

    sockets: list[socket.socket]
    _looked_away_at = 0.0

    def set_accept_enabled(self, enabled: bool) -> None:
        """Look for new connections, or not; gunicorn's loop asks for it anew each time round, and at its end."""
        if not self.alive:
            super().set_accept_enabled(False)
            self._close_the_door()
            return
        long_enough = time.monotonic() - self._looked_away_at > HEAD_START_SECONDS
        super().set_accept_enabled(enabled and (long_enough or not self._is_busy()))

    def accept(self, listener: socket.socket) -> None:
        """Take a connection that waits at this socket, or several."""
        for _ in range(self.cfg.threads if self._is_busy() else 1):
            super().accept(listener)

    def enqueue_req(self, conn: object) -> None:
        """Give a connection that has something to say to a thread."""
        super().enqueue_req(conn)
        if self._accepting and self._is_busy():
            self._looked_away_at = time.monotonic()
            super().set_accept_enabled(False)

    def _is_busy(self) -> bool:
        waiting = len(self.keepalived_conns) + len(self.pending_conns)
        return bool(self.nr_conns - waiting >= self.cfg.threads)

    def _close_the_door(self) -> None:
        closes_at = time.monotonic() + HANDSHAKE_SECONDS
        while self.sockets:
            is_last_look = time.monotonic() >= closes_at
            for listener in self.sockets:
                listener.setblocking(False)
                taken = -1
                while taken < self.nr_conns:
                    taken = self.nr_conns
                    super().accept(listener)
                if is_last_look:
                    listener.close()
            if is_last_look:
                self.sockets = []
            else:
                self.wait_for_and_dispatch_events(timeout=HANDSHAKE_SECONDS / 4)
