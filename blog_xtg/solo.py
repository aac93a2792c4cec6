"""The server of a blog of one: daphne, with the bounds that nginx sets in front of a fleet, and an end that comes.

It is imported by `manage.py start` alone: Twisted takes 17 MB.
"""

import asyncio
import atexit
import ctypes
import os
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.management.commands import runserver
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer, reactor, task
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel

# The same as nginx's (deploy/nginx): of a request under these prefixes, of any other.
BODY_MAX_BYTES = {"/admin/": 20 * 1024 * 1024, "/stats/": 1024}
OTHER_BODY_MAX_BYTES = 256 * 1024
ADDRESS_MAX_BYTES = 128 * 1024  # ten thousand Chinese characters are 90,000 bytes in an address
IDLE_SECONDS = 60  # for a request's head, for the next piece of its body, for the next request
# For a client that is refused to read the answer before it is hung up on.
LINGER_SECONDS = 5
MAX_CONNECTIONS = 1000
MAX_WEBSOCKETS = 700  # of these: open pages leave room for readers
MAX_FRAMES, FRAMES_SECONDS = 100, 10  # of one websocket; a page says something every 25 seconds
FILES_WANTED = 4096

# After SIGTERM: for what is under way, and for everything. systemd and Docker kill after 10 s or more.
GRACE_SECONDS = 5
END_SECONDS = 8
CANCEL_SECONDS = 1

M_TRIM_THRESHOLD, M_ARENA_MAX = -1, -8  # malloc.h
ARENAS, TRIM_BYTES = 2, 128 * 1024


def bound_memory() -> None:
    """Let glibc keep two arenas, not eight a core, and give freed memory back.

    Each request is a thread of its own here, and what its arena has once held stays the process's: 335 MB after a
    hostile mix of requests, less than 200 MB with these. MALLOC_ARENA_MAX in the environment wins.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    with suppress(OSError, TypeError, AttributeError):  # no glibc, no arenas
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, ARENAS)
        libc.mallopt(M_TRIM_THRESHOLD, TRIM_BYTES)


def body_max_bytes(address: bytes) -> int:
    """Return how large a body may be that is sent to this path or address."""
    path = unquote(address.partition(b"?")[0].decode("latin1"))
    return next((most for prefix, most in BODY_MAX_BYTES.items() if path.startswith(prefix)), OTHER_BODY_MAX_BYTES)


class Request(WebRequest):
    """A request whose body is counted when its length is not told beforehand."""

    content: IO[bytes]
    _received_bytes = 0

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is None and self.channel.body_max_bytes <= OTHER_BODY_MAX_BYTES:
            self.content.close()
            self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes > self.channel.body_max_bytes:
            self.channel.refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> None:
        upgrade = self.requestHeaders.getRawHeaders(b"Upgrade", [b""])[0]
        if upgrade.lower() == b"websocket" and self.server.open_websockets() >= MAX_WEBSOCKETS:
            self.basic_error(503, b"Service Unavailable", "Too many pages are open.")
            return
        channel = self.channel
        super().process()
        if self.transport is None:  # it has become a websocket
            channel.factory.channels.pop(channel, None)


class Channel(HTTPChannel):
    """A connection: it is closed when it says nothing, or only half of something, for a minute."""

    transport: Any
    _path: Any  # bytes, once the first line is read
    is_answering = False
    is_refused = False
    body_max_bytes = OTHER_BODY_MAX_BYTES

    def connectionMade(self) -> None:
        super().connectionMade()
        self.factory.channels[self] = None

    def connectionLost(self, reason: object = connectionDone) -> None:
        self.factory.channels.pop(self, None)
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        if self.is_refused:
            return
        if not self.line_mode:  # a head that comes byte by byte earns no more time, a body does
            self.resetTimeout()
        LineReceiver.dataReceived(self, data)

    def rawDataReceived(self, data: bytes) -> None:
        if not self.is_refused:
            super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        self.body_max_bytes = body_max_bytes(self._path)
        self.resetTimeout()
        if self.length is not None and self.length > self.body_max_bytes:
            self.refuse()
        else:
            super().allHeadersReceived()

    def allContentReceived(self) -> None:
        if not self.is_refused:
            self.is_answering = True
            super().allContentReceived()

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        if self.factory.server.is_ending:
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
            return False
        return super().checkPersistence(request, version)

    def requestDone(self, request: Request) -> None:
        self.is_answering = False
        if self.factory.channels.pop(self, self) is None:
            self.factory.channels[self] = None  # the one that has waited least
        super().requestDone(request)

    def refuse(self) -> None:
        """Answer 413 and take nothing more; what is still sent is dropped unread."""
        if self.is_refused:
            return
        self.is_refused = True
        words = f"413: at most {self.body_max_bytes} bytes are taken here.\n".encode()
        head = "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        self.transport.write(f"{head}Content-Length: {len(words)}\r\n\r\n".encode() + words)
        self.transport.loseWriteConnection()
        self.setTimeout(LINGER_SECONDS)


class Factory(HTTPFactory):
    """The open connections, the one that has been waiting for a request longest first."""

    protocol = Channel

    def __init__(self, server: "Server") -> None:
        super().__init__(server)
        self.channels: dict[Channel, None] = {}

    def buildProtocol(self, addr: object) -> Channel | None:
        """Return what speaks with a new client; with all places taken, in place of one that says nothing."""
        if len(self.channels) + self.server.open_websockets() >= self.server.max_connections:
            waiting = next((channel for channel in self.channels if not channel.is_answering), None)
            if waiting is None:
                return None
            del self.channels[waiting]
            waiting.transport.abortConnection()
        channel: Channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        channel.timeOut = IDLE_SECONDS
        return channel


class OpenPage(WebSocketProtocol):
    """A websocket that is hung up on when more comes than any page sends.

    What it says is the app's to judge (comments/live), but thousands of frames come in one piece, and until all of them
    are taken apart nobody else is served.
    """

    _frames = 0
    _counted_since = 0.0

    def onFrameBegin(self) -> None:
        now = time.monotonic()
        if now - self._counted_since >= FRAMES_SECONDS:
            self._counted_since, self._frames = now, 0
        self._frames += 1
        if self._frames > MAX_FRAMES:
            self.dropConnection(abort=True)
        else:
            super().onFrameBegin()


class Server(daphne.server.Server):
    """Daphne's, which ends within eight seconds of a signal, whatever its threads wait for."""

    is_ending = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT comes, and end the process. Doesn't return."""
        self.ports: list[Any] = []  # the stubs of IListeningPort fit no call of its methods
        self.max_connections = min(MAX_CONNECTIONS, _files() // 2)
        daphne.server.HTTPFactory = Factory  # which its run() names
        WebSocketFactory.protocol = OpenPage
        # Daphne's Twisted hangs up on a longer address, saying nothing.
        HTTPChannel.MAX_LENGTH = HTTPChannel.totalHeadersSize = ADDRESS_MAX_BYTES
        super().run()
        leave()

    def listen_success(self, port: object) -> None:
        super().listen_success(port)
        self.ports.append(port)

    def open_websockets(self) -> int:
        """Return how many websockets are open."""
        return sum(
            isinstance(protocol, WebSocketProtocol) and "disconnected" not in details
            for protocol, details in self.connections.items()
        )

    def kill_all_applications(self) -> object:
        """Listen no more, give what is under way five seconds, cancel the rest. Twisted waits for it, then ends."""
        self.is_ending = True
        last = threading.Timer(END_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()
        for port in self.ports:
            port.stopListening()
        return self._finish()

    @defer.inlineCallbacks
    def _finish(self) -> Generator[defer.Deferred[object], object, None]:
        end = time.monotonic() + GRACE_SECONDS
        while any(isinstance(protocol, WebRequest) for protocol, _work in self._at_work()) and time.monotonic() < end:
            yield task.deferLater(reactor, 0.05)
        cancelled = [work for _protocol, work in self._at_work()]
        for work in cancelled:
            work.cancel()
        if cancelled:
            yield defer.Deferred.fromFuture(asyncio.ensure_future(asyncio.wait(cancelled, timeout=CANCEL_SECONDS)))
        yield task.deferLater(reactor, 0.05)  # what was answered last goes out

    def _at_work(self) -> Iterator[tuple[object, asyncio.Future[object]]]:
        for protocol, details in self.connections.items():
            work = details.get("application_instance")
            if work is not None and not work.done():
                yield protocol, work


class Command(runserver.Command):
    """Daphne's runserver with this server; `start` calls it."""

    server_cls = Server


def leave() -> None:
    """End the process without waiting for threads: one that waits for a locked database would hold it for long.

    What registered for the end (views that wait for Redis, a letter half on its way) has its turn.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def _files() -> int:
    """Return how many files the process may have open, having asked for enough."""
    try:
        import resource
    except ImportError:  # Windows
        return 2 * MAX_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return 2 * MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else soft
