"""A whole fleet as `make fleet` starts it, in a folder and on ports of its own; and readers and writers at its door."""

import asyncio
import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from deploy.fleet import control
from deploy.fleet.files import Fleet, Part
from deploy.fleet.processes import base_environment
from tests.services import ROOT, wait_until
from tests.websocket import Closed, Refused, WebSocket

# Everybody in the tests is in a hurry.
SETTINGS = (
    "COMMENTS_PER_ADDRESS_PER_MINUTE=0\nCOMMENTS_PER_ADDRESS_PER_DAY=0\nCOMMENTS_PER_POST_PER_MINUTE=0\n"
    "COMMENT_FORM_MIN_SECONDS=0\n"
)
ACQUIRED = re.compile(r"^.*?(\d{4}-\d\d-\d\d[T ][\d:.,]+).*beat: Acquired lock", re.MULTILINE)
FILL = """
from tests.factories import make_administrator, make_category, make_post, make_posts
shelf = make_category("Shelf")
paths = [post.get_absolute_url() for post in make_posts(6, category=shelf)]
make_administrator(username="owner", password="a-long-password")
print(make_post(title="Discussed", category=shelf).get_absolute_url(), shelf.get_absolute_url(), *paths)
"""


def free_ports() -> int:
    """The first of a row of ports of which every one a fleet of two takes is free, below those handed out by chance."""
    while True:
        first = random.randrange(20_000, 32_000, 50)
        try:
            for port in (0, 1, 2, 10, 11, 20, 21):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", first + port))
        except OSError:
            continue
        return first


class WholeFleet:
    """`start()`, `stop()` and the rest by the commands that make calls; `discussed` is a post, `paths` what is read."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        (folder / "env").write_text(SETTINGS + settings)
        snippets = folder / "nginx/snippets"
        snippets.mkdir(parents=True)
        # All readers come from one address, which may not ask so much past the cache.
        (snippets / "blog-optional-unlimited.conf").write_text("limit_req_dry_run on;\n")
        self.environ = {
            **base_environment(),
            "FLEET_DIR": str(folder),
            "FLEET_PORT": str(free_ports()),
            "FLEET_OWNER": str(os.getpid()),
        }
        self.fleet = Fleet(folder, self.environ["FLEET_PORT"])
        self.port = self.fleet.port
        self.said = ""
        self.network: Any = None  # what its hosts are connected by (networks.py)

    def command(self, *wish: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deploy.fleet", *wish],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def start(self) -> None:
        done = self.command("start")
        assert done.returncode == 0, done.stdout + done.stderr
        self.said = done.stdout
        self.fleet = Fleet(self.fleet.folder)  # with the secrets that were made
        self.discussed, *rest = self.manage("shell", "--verbosity=0", "-c", FILL).splitlines()[-1].split()
        self.paths = ["/", "/archive/", "/feed/", self.discussed, *rest]

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**base_environment(), **self.fleet.environment("host1")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        import MySQLdb

        known = {"user": "blog", "password": self.fleet.known["MARIADB_PASSWORD"], "database": "blog"}
        where = {"host": self.part("mariadb").address, "port": self.port + 1}
        with closing(MySQLdb.connect(**where, charset="utf8mb4", **known)) as server:
            cursor = server.cursor()
            cursor.execute(query)
            return list(cursor.fetchall())

    def part(self, name: str) -> Part:
        return next(part for part in self.fleet.parts if part.name == name)

    def of_host(self, host: str) -> list[str]:
        return [part.name for part in self.fleet.parts if part.host == host]

    def kill(self, *names: str) -> None:
        for name in names:
            os.kill(self.fleet.pid(self.part(name)), signal.SIGKILL)

    @contextmanager
    def held_down(self, *names: str) -> Iterator[None]:
        """Dead, and not started again before the block ends."""
        (self.fleet.folder / "hold").mkdir(exist_ok=True)
        marks = [self.fleet.folder / "hold" / name for name in names]
        for mark in marks:
            mark.touch()
        try:
            self.kill(*names)
            yield
        finally:
            for mark in marks:
                mark.unlink()

    def started(self, name: str) -> int:
        return int(self.fleet.state()[name]["starts"])

    def locks_taken(self) -> list[str]:
        """The beats in the order in which they took the lock; the last one is at work."""
        logs = [
            (part.name, self.fleet.log(part).read_text()) for part in self.fleet.parts if part.name.endswith(" beat")
        ]
        return [name for _at, name in sorted((at, name) for name, log in logs for at in ACQUIRED.findall(log))]

    def is_well(self) -> bool:
        """Whether every part answers, and nginx leaves the hosts alone no longer that have failed."""
        made = {"Cookie": "commented=1"}
        return not control.silent_parts(self.fleet, self.fleet.parts) and ask(self.port, "/", made)[0] == 200

    def stop(self) -> None:
        done = self.command("stop")
        assert done.returncode == 0, done.stdout + done.stderr

    def processes(self) -> list[str]:
        """Return the running processes of this fleet, found by its folder, which is in everything's command or environment."""
        mark, found = str(self.fleet.folder).encode(), []
        for entry in Path("/proc").iterdir():
            try:
                command, environ = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark in command or mark in environ:
                found.append(f"{entry.name} {command.decode(errors='replace')}")
        return found


class Load:
    """Readers, writers and open pages at nginx, at an even pace; a context manager. What failed is in `failed`.

    `read` as readers do, `passing` by nginx's cache (as who has just commented), `sockets` opened; each with the moment.
    A writer sends a comment until it is acknowledged, as a browser's script does; `sent` counts what went wrong on the way.
    """

    def __init__(self, whole: WholeFleet) -> None:
        self.whole = whole
        self.over = threading.Event()
        self.asked: Counter[str] = Counter()
        self.failed: list[tuple[float, str, str]] = []
        self.acknowledged: dict[str, str] = {}
        self.threads = [
            *(threading.Thread(target=self._read, args=(number,), daemon=True) for number in range(2)),
            threading.Thread(target=self._read, args=(2, "commented=1"), daemon=True),
            *(threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(3)),
            threading.Thread(target=self._open_pages, daemon=True),
        ]

    def __enter__(self) -> "Load":
        for path in self.whole.paths:  # what has been read once
            status, _headers, _html = ask(self.whole.port, path)
            assert status == 200, path
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def failures(self, kind: str, since: float = 0, until: float = float("inf")) -> list[str]:
        return [what for at, its_kind, what in self.failed if its_kind == kind and since <= at <= until]

    def _fail(self, kind: str, what: object) -> None:
        self.failed.append((time.monotonic(), kind, str(what)))

    def _read(self, number: int, cookie: str = "") -> None:
        chance, kind = random.Random(number), "passing" if cookie else "read"
        headers = {"Cookie": cookie, "X-Turn": str(number)} if cookie else {}
        while not self.over.wait(0.04):
            path = chance.choice(self.whole.paths)
            self.asked[kind] += 1
            status, _headers, html = ask(self.whole.port, path, headers)
            if status != 200:
                # A worker that is killed between head and body leaves half an answer, which nginx is passing on already.
                self._fail("broken off" if "IncompleteRead" in html else kind, f"{path}: {status} {html[:80]}")

    def _write(self, number: int) -> None:
        turn, source = 0, f"127.1.0.{number + 1}"
        while not self.over.wait(0.25):
            turn += 1
            body = f"Thought {turn} of writer {number}, at {time.time():.6f}."
            address = f"{self.whole.discussed.rsplit('/', 2)[0]}/comment/"
            while (form := self._send("GET", address, {}, source))[0] != 200:
                time.sleep(0.1)
            hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[2]))
            fields = {**hidden, "body": body, "author_name": "Ada", "author_email": "ada@example.com"}
            headers = {
                "Cookie": form[1]["Set-Cookie"].partition(";")[0],
                "Content-Type": "application/x-www-form-urlencoded",
            }
            while (answer := self._send("POST", address, headers, source, urlencode(fields)))[0] != 302:
                time.sleep(0.1)
            self.acknowledged[body] = answer[1]["Location"]

    def _send(self, method: str, path: str, headers: dict[str, str], source: str, body: str | None = None) -> Any:
        self.asked["sent"] += 1
        answer = ask(self.whole.port, path, headers, source, method, body)
        if answer[0] not in (200, 302):
            self._fail("sent", f"{method} {answer[0]} {answer[2][:80]}")
        return answer

    def _open_pages(self) -> None:
        path = f"/ws/article/{self.whole.discussed.split('/')[2]}/"

        async def look() -> None:
            page = await WebSocket.open(self.whole.port, path)
            try:
                await page.hear(10)
            finally:
                page.close()

        while not self.over.wait(0.25):
            self.asked["sockets"] += 1
            try:
                asyncio.run(look())
            except (OSError, EOFError, Refused, Closed, TimeoutError) as error:
                self._fail("sockets", repr(error))

    def lost_and_doubled(self) -> tuple[int, int]:
        """Of the comments that were acknowledged, how many aren't stored, and how many are stored more than once."""
        rows = self.whole.rows("SELECT body, COUNT(*) FROM comments_comment GROUP BY body")
        stored = Counter(dict(rows))
        return sum(not stored[body] for body in self.acknowledged), sum(count > 1 for count in stored.values())


def ask(
    port: int,
    path: str,
    headers: dict[str, str] | None = None,
    source: str = "127.0.0.1",
    method: str = "GET",
    body: str | bytes | None = None,
    address: str = "127.0.0.1",
) -> tuple[int, Any, str]:
    """Status (0: no answer), headers and text, on a connection of its own."""
    from_here = (source, 0) if address == "127.0.0.1" else None
    client = http.client.HTTPConnection(address, port, timeout=20, source_address=from_here)
    try:
        given = {"Connection": "close", "Host": f"127.0.0.1:{port}", **(headers or {})}
        client.request(method, path, body, given)
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, {}, repr(error)
    finally:
        client.close()


def seconds_until(happened: Callable[[], bool], patience: float, complaint: Callable[[], str] | str = "") -> float:
    begun = time.monotonic()
    wait_until(happened, patience, complaint)
    return time.monotonic() - begun
