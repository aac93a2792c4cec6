"""gunicorn's threaded worker with two changes: it balances connections between workers, and it shuts down cleanly.

Balancing: a busy worker lets the other workers accept new connections first. All workers share one listening socket,
and gunicorn's worker accepts every connection, even when all its threads are busy. nginx keeps its connections open, so
the connections that one worker has accepted in a burst stay with it. In measurements with two workers, one often had
all 16 connections, and half of the cores were idle.

Shutdown: gunicorn's worker stops accepting connections when it is told to stop, but keeps the listening socket open for
two more seconds. A client that connects in this time waits in the backlog, and its connection is then reset. nginx
retries on another host, but not a request that is unsafe to repeat, such as a comment. This worker refuses new
connections at once, serves those that are already established, and closes the socket without delay.
"""

import ctypes
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress

from gunicorn.workers.gthread import ThreadWorker

# An idle worker accepts a connection within a millisecond. If a connection is still waiting after this time, all
# workers are busy. They must accept it then, or the connections that are already open would get all of their time.
HEAD_START_SECONDS = 0.005
# The time allowed for completing a TCP handshake that has begun: a round trip to nginx.
HANDSHAKE_SECONDS = 0.02

SO_ATTACH_FILTER = 26  # Linux, socket(7)
# A classic BPF program (the kernel's Documentation/networking/filter.rst) for a listening socket. It drops the packet
# that opens a connection (SYN without ACK) and accepts the packets that complete a handshake.
_DROP_SYN = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the flags: byte 13 of the TCP header
        (0x54, 0, 0, 0x12),  # keep SYN and ACK
        (0x15, 0, 1, 0x02),  # if only SYN is set,
        (0x06, 0, 0, 0),  # drop the packet,
        (0x06, 0, 0, 0xFFFFFFFF),  # else accept all of it
    )
)


def turn_away(listeners: Iterable[socket.socket]) -> None:
    """Refuse new connections to these listening sockets in every process that shares them. It can't be undone.

    Without this, a client that connects after a worker's last `accept` and before the socket is closed sends its
    request and gets a reset: 4 of 35,000 requests in twelve restarts. A client whose SYN is dropped has sent nothing.
    Its retry after a second finds the socket closed, and nginx asks another host. Does nothing on systems other than
    Linux.
    """
    program = ctypes.create_string_buffer(_DROP_SYN, len(_DROP_SYN))
    filtering = struct.pack("HP", len(_DROP_SYN) // 8, ctypes.addressof(program))
    for listener in listeners:
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filtering)


class Worker(ThreadWorker):
    """A worker that stops accepting for 5 ms when all its threads are busy, and then accepts one connection per thread.

    At shutdown it accepts the connections in the backlog and closes the listening sockets. It serves open connections
    to the end, as gunicorn's worker does.
    """

    sockets: list[socket.socket]
    _paused_at = 0.0  # time.monotonic()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Start or stop accepting connections. gunicorn's loop calls this in every round and once at its end."""
        if not self.alive:
            super().set_accept_enabled(False)
            self._close_listeners()
            return
        pause_is_over = time.monotonic() - self._paused_at > HEAD_START_SECONDS
        super().set_accept_enabled(enabled and (pause_is_over or not self._is_busy()))

    def accept(self, listener: socket.socket) -> None:
        """Accept one connection of this socket, or one per thread if all threads are busy."""
        for _ in range(self.cfg.threads if self._is_busy() else 1):
            super().accept(listener)

    def enqueue_req(self, conn: object) -> None:
        """Give a connection with a request to a thread, and pause accepting if all threads are busy now."""
        super().enqueue_req(conn)
        if self._accepting and self._is_busy():
            self._paused_at = time.monotonic()
            super().set_accept_enabled(False)

    def _is_busy(self) -> bool:
        waiting = len(self.keepalived_conns) + len(self.pending_conns)
        return bool(self.nr_conns - waiting >= self.cfg.threads)

    def _close_listeners(self) -> None:
        closes_at = time.monotonic() + HANDSHAKE_SECONDS
        while self.sockets:
            is_last_round = time.monotonic() >= closes_at
            for listener in self.sockets:
                listener.setblocking(False)
                taken = -1
                while taken < self.nr_conns:
                    taken = self.nr_conns
                    super().accept(listener)
                if is_last_round:
                    listener.close()
            if is_last_round:
                self.sockets = []
            else:
                self.wait_for_and_dispatch_events(timeout=HANDSHAKE_SECONDS / 4)
