"""The server of a blog of one holds its bounds, answers while the database is locked, and ends when it is told to."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.services import BlogServer

KB, MB = 1024, 1024 * 1024
# The server of `start`, with other bounds: IDLE_SECONDS=2.
WITH_BOUNDS = """
import runpy, sys
sys.argv = ["manage.py", *sys.argv[2:]]
import blog_xtg.solo as solo
{bounds}
runpy.run_path("manage.py", run_name="__main__")
"""


class BoundServer(BlogServer):
    def __init__(self, bounds: str, **environ: str) -> None:
        super().__init__(**environ)
        self.bounds = bounds

    def command(self) -> list[str]:
        code = WITH_BOUNDS.format(bounds="\n".join(f"solo.{bound}" for bound in self.bounds.split()))
        # daphne stands first among the apps for `start`, which the settings see by the command line.
        code = code.replace("import blog_xtg.solo as solo", "import daphne.server, blog_xtg.solo as solo")
        return [sys.executable, "-c", code, "-", "start", "--port", str(self.port)]


@pytest.fixture(scope="module")
def blog() -> Iterator[BlogServer]:
    with BlogServer() as server:
        yield server


def handshake(port: int) -> bytes:
    host = f"127.0.0.1:{port}"
    return (
        f"GET /ws/article/1/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def say(blog: BlogServer, head: str, *pieces: bytes, seconds: float = 20) -> bytes:
    """Return the server's answer to this head and these pieces of a body."""
    with socket.create_connection(("127.0.0.1", blog.port), timeout=seconds) as connection:
        connection.sendall(f"{head}\r\nHost: 127.0.0.1:{blog.port}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # it has hung up, and said why before
        while piece := connection.recv(65536):
            answer += piece
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def temporary_files(blog: BlogServer) -> list[str]:
    assert blog.process
    files = Path(f"/proc/{blog.process.pid}/fd")
    named = [os.readlink(file) for file in files.iterdir() if os.path.islink(file)]
    return [name for name in named if name.endswith(" (deleted)")]


# -- Bodies ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "length", "taken"),
    [
        ("/stats/view", KB, True),
        ("/stats/view", KB + 1, False),
        ("/stats/view", 300 * MB, False),
        ("/%73tats/view", 2 * KB, False),
        ("/article/1/comment/", 256 * KB, True),
        ("/article/1/comment/", 256 * KB + 1, False),
        ("/admin/login/", 256 * KB + 1, True),
        ("/admin/login/?next=/admin/", 20 * MB + 1, False),
        ("/search/?next=/admin/", 256 * KB + 1, False),
        ("/administrator/", 256 * KB + 1, False),
    ],
)
def test_a_body_has_the_bounds_it_has_behind_nginx(blog: BlogServer, address: str, length: int, taken: bool) -> None:
    before = temporary_files(blog)
    sent = length if taken else min(length, 100)  # what is too long is refused before it comes
    answer = say(blog, f"POST {address} HTTP/1.1\r\nContent-Length: {length}", b"x" * sent)
    assert (status(answer) != 413) is taken, answer[:200]
    if not taken:
        assert b"\r\nConnection: close\r\n" in answer
        assert temporary_files(blog) == before


@pytest.mark.parametrize(("address", "pieces"), [("/stats/view", 2), ("/article/1/comment/", 300)])
def test_a_body_in_pieces_is_counted_as_it_comes(blog: BlogServer, address: str, pieces: int) -> None:
    piece = b"400\r\n" + b"x" * KB + b"\r\n"
    answer = say(blog, f"POST {address} HTTP/1.1\r\nTransfer-Encoding: chunked", *[piece] * pieces, b"0\r\n\r\n")
    assert status(answer) == 413
    assert answer.count(b"HTTP/1.1") == 1


def test_a_client_that_asks_first_is_refused_at_once(blog: BlogServer) -> None:
    answer = say(blog, f"POST /stats/view HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {MB}")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_what_a_refused_client_sends_on_is_no_request(blog: BlogServer) -> None:
    more = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer = say(blog, f"POST /stats/view HTTP/1.1\r\nContent-Length: {MB}", b"x" * MB + more, more)
    assert answer.count(b"HTTP/1.1") == 1


# -- Connections ----------------------------------------------------------------------------------------------------------


def hung_up(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_a_connection_that_says_half_is_closed_and_a_websocket_is_not() -> None:
    with BoundServer("IDLE_SECONDS=2") as blog, closing(socket.socket()) as websocket:
        websocket.connect(("127.0.0.1", blog.port))
        websocket.sendall(handshake(blog.port))
        assert websocket.recv(1000).startswith(b"HTTP/1.1 101 ")
        for beginning in (
            b"",
            b"GET / HT",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A:",
            b"POST /article/1/comment/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\nauthor=",
        ):
            with socket.create_connection(("127.0.0.1", blog.port)) as connection:
                connection.sendall(beginning)
                assert hung_up(connection, 30), beginning
        with socket.create_connection(("127.0.0.1", blog.port)) as connection:
            for _ in range(100):  # byte by byte
                try:
                    connection.sendall(b"X")
                except OSError:
                    break
                time.sleep(0.2)
            else:
                pytest.fail("It may go on for ever.")
        with closing(http.client.HTTPConnection("127.0.0.1", blog.port, timeout=20)) as connection:
            for _ in range(2):  # kept for the next request
                connection.request("GET", "/healthz")
                assert connection.getresponse().read() == b"ok\n"
        websocket.settimeout(0.2)
        assert not hung_up(websocket, 0.2)


def seconds_worked(blog: BlogServer) -> float:
    assert blog.process
    figures = Path(f"/proc/{blog.process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, figures[11:13])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("frame", [b"\x81\x80\0\0\0\0", b"\x89\x80\0\0\0\0", b"\x01\x80\0\0\0\0"])
def test_websockets_that_never_stop_talking_are_hung_up_on(blog: BlogServer, frame: bytes) -> None:
    begun = seconds_worked(blog)
    for _ in range(3):
        with closing(socket.create_connection(("127.0.0.1", blog.port), timeout=60)) as talker:
            talker.sendall(handshake(blog.port))
            assert talker.recv(1000).startswith(b"HTTP/1.1 101 ")
            with suppress(ConnectionError):
                for _ in range(100):
                    talker.sendall(frame * 1000)
            talker.settimeout(30)
            with suppress(ConnectionError):
                while talker.recv(65536):
                    pass
    assert seconds_worked(blog) - begun < 3  # each of the 300,000 frames would take 0.05 ms


def test_half_requests_without_number_leave_room_for_readers() -> None:
    with BoundServer("MAX_CONNECTIONS=30") as blog:
        halves = [socket.create_connection(("127.0.0.1", blog.port)) for _ in range(60)]
        for half in halves:
            with suppress(OSError):  # given up already
                half.sendall(b"GET / HT")
        time.sleep(0.5)
        assert blog.answers()
        assert hung_up(halves[0], 10)
        assert not hung_up(halves[-1], 0.2)
        assert blog.process
        sockets = [
            link
            for file in Path(f"/proc/{blog.process.pid}/fd").iterdir()
            if os.path.islink(file) and (link := os.readlink(file)).startswith("socket:")
        ]
        assert len(sockets) < 45
        for half in halves:
            half.close()


# -- A database that somebody else has locked -----------------------------------------------------------------------------


@contextmanager
def locked(blog: BlogServer) -> Iterator[None]:
    """Another process's write that doesn't end."""
    with closing(sqlite3.connect(blog.folder / "blog.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


PAGES = [
    "/",
    "/article/1/",
    "/archive/",
    "/category/1/",
    "/source/1/",
    "/tags/",
    "/links/",
    "/search/?q=Markdown",
    "/search/suggest/?q=bl",
    "/feed/",
    "/feed/atom/",
    "/feed/json/",
    "/sitemap.xml",
    "/article/1/comments/feed/",
    "/comments/feed/",
    "/article/1/card.png",
    "/admin/login/",
    "/nothing-here/",
    "/readyz",
]


def get(blog: BlogServer, path: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", blog.port, timeout=60)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        if response.status in {301, 302} and (to := response.headers["Location"].removeprefix(blog.url)) != path:
            return get(blog, to)
        return response.status


def test_every_page_is_there_while_another_has_locked_the_database() -> None:
    with BlogServer() as blog, locked(blog):
        begun = time.monotonic()
        answers = {path: get(blog, path) for path in PAGES}
        wrong = {
            path: code for path, code in answers.items() if code >= 500 or (code == 404) is not ("nothing" in path)
        }
        assert not wrong, blog.log[-3000:]
        assert time.monotonic() - begun < 60, "nobody waits for the lock"
        assert "JSONField" not in blog.log


def ask_in_the_background(blog: BlogServer, pool: ThreadPoolExecutor, *requests: tuple[str, str, str]) -> None:
    def ask(method: str, path: str, body: str) -> int:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", blog.port, timeout=60)) as connection:
                headers = {"Content-Type": "application/x-www-form-urlencoded" if method == "POST" else ""}
                connection.request(method, path, body, headers)
                return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0

    for request in requests:
        pool.submit(ask, *request)


def test_it_ends_in_time_whatever_waits() -> None:
    with BlogServer() as blog, ThreadPoolExecutor(40) as pool, locked(blog):
        process = blog.process
        assert process
        held = [socket.create_connection(("127.0.0.1", blog.port)) for _ in range(6)]
        held[0].sendall(handshake(blog.port))
        held[1].sendall(b"GET / HT")
        held[2].sendall(b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\nname=")
        ask_in_the_background(
            blog,
            pool,
            *[("POST", "/stats/view", json.dumps({"post": 1}))] * 5,
            *[("POST", "/article/1/comment/", "author_name=a&text=b")] * 5,
            *[("POST", "/admin/login/", "username=a&password=b")] * 5,
            *[("GET", f"/search/?q=word{number}+another", "") for number in range(10)],
        )
        time.sleep(1)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert time.monotonic() - begun < 10
        assert process.returncode == 0, blog.log[-2000:]
        blog.process = None
        for connection in held:
            connection.close()


def test_what_is_under_way_is_answered_before_the_end() -> None:
    """A beacon waits for the lock; it is given back before its time is over."""
    with BlogServer() as blog, ThreadPoolExecutor(4) as pool:
        get(blog, "/article/1/")
        process = blog.process
        assert process
        with locked(blog):
            answers = [pool.submit(beacon, blog) for _ in range(3)]
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", blog.port), timeout=2).close()
        assert [answer.result(30) for answer in answers] == [200] * 3
        process.wait(30)
        blog.process = None


def beacon(blog: BlogServer) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", blog.port, timeout=30)) as connection:
        connection.request("POST", "/stats/view", "{}", {"User-Agent": "Mozilla/5.0 Firefox/150.0"})
        return connection.getresponse().status
