"""Requests a second, their times, the processor time each costs, and memory."""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench import PAGE_CACHE
from tests.services import BROWSER, Service, program

CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("wrk.lua")
SPARE_SECONDS = 30
PATIENCE = 5  # times the seconds, where not one answer came
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
WARMING_REQUESTS = 24
FILLING_ROUNDS = 6
LANGUAGES = ("en", "zh-hans")
FULL = 0.95
GZIPPED = b"\x1f\x8b"


class Wrong(Exception):
    """An answer that is none: figures of such a run say nothing."""


@dataclass(frozen=True)
class Target:
    """An address to measure.

    `title` must stand in the answer's title; `beacon` is the first post's id and their number; of `paths` each is asked
    for in turn. By `tolerance` of its length may one right answer differ from the other: what our pages differ by is a
    word in nginx's headers.
    """

    name: str
    url: str
    title: str = ""
    beacon: tuple[int, int] | None = None
    paths: tuple[str, ...] = ()
    tolerance: float = 0.001


@dataclass(frozen=True)
class Run:
    """One measurement; processor time in microseconds a request, by service."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu: dict[str, float]

    @property
    def cost(self) -> float:
        return sum(self.cpu.values())


@dataclass(frozen=True)
class Answer:
    """An answer; `size_bytes` with its head, as wrk counts."""

    status: int
    body: bytes
    size_bytes: int

    @property
    def title(self) -> str:
        found = re.search(rb"<title[^>]*>(.*?)</title>", self.body, re.DOTALL)
        return found[1].decode(errors="replace").strip() if found else ""


class _CountingSocket(socket.socket):
    received = 0

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        number = super().recv_into(*arguments, **options)
        self.received += number
        return number


def fetch(url: str, body: str | None = None, **headers: str) -> Answer:
    """GET it, or POST the body. Redirects are not followed; but for `headers` it asks as wrk does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SPARE_SECONDS)
    plain = socket.create_connection((connection.host, connection.port), SPARE_SECONDS)
    counting = connection.sock = _CountingSocket(fileno=plain.detach())
    counting.settimeout(SPARE_SECONDS)
    try:
        address = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.putrequest("GET" if body is None else "POST", address, skip_accept_encoding=True)
        sent = (body or "").encode()
        for name, value in {"User-Agent": BROWSER, "X-Forwarded-For": "10.255.255.255", **headers}.items():
            connection.putheader(name.replace("_", "-"), value)
        if sent:
            connection.putheader("Content-Length", str(len(sent)))
        connection.endheaders(sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), counting.received)
    finally:
        connection.close()


def check(target: Target) -> Answer:
    """Ask once. Raises Wrong unless it is the right page, or a beacon's numbers."""
    answer = fetch(target.url, json.dumps({"post": target.beacon[0]}) if target.beacon else None)
    if answer.status != 200 or target.title not in answer.title:
        raise Wrong(f"{target.name}: {answer.status} {answer.title!r} from {target.url}")
    return answer


def peer(name: str, url: str) -> Target:
    """Another blog's page, which has to keep the title it has now. Raises Wrong when it isn't there."""
    target = Target(f"peer: {name}", url, tolerance=0.01)  # it may tell how long it took, or hold a number used once
    return replace(target, title=check(target).title)


def beacon(name: str, url: str, first_post: int, posts: int) -> Target:
    """The beacon for so many posts in turn: its numbers have more digits or fewer, and it is told by the views counted."""
    return Target(name, url, beacon=(first_post, posts), tolerance=0.05)


def in_turn(name: str, root: str, paths: Sequence[str], title: str) -> Target:
    """Pages of one kind, another each time: one has a longer text than the other."""
    return Target(name, f"{root}{paths[0]}", title, paths=tuple(paths), tolerance=0.25)


def warm(target: Target) -> None:
    """Let every thread of every worker answer before anything is measured."""
    with ThreadPoolExecutor(8) as readers:
        for asked in [readers.submit(check, target) for _ in range(WARMING_REQUESTS)]:
            asked.result()


def interleaved(
    targets: Sequence[Target], services: dict[str, list[Service]], seconds: int, rounds: int
) -> dict[str, list[Run]]:
    """Measure the targets in turn, round after round, so that what else the machine does falls on all alike."""
    runs: dict[str, list[Run]] = {target.name: [] for target in targets}
    for target in targets:
        warm(target)
    for _ in range(rounds):
        for target in targets:
            runs[target.name].append(_measured(target, services, seconds))
    return runs


def _measured(target: Target, services: dict[str, list[Service]], seconds: int) -> Run:
    before = check(target)
    used = {name: cpu_seconds(of) for name, of in services.items()}
    found = _wrk(target, seconds) or _wrk(target, seconds * PATIENCE)
    if not found:
        raise Wrong(f"{target.name}: not one answer in {seconds * PATIENCE} s")
    requests = found["requests"]
    cpu = {name: (cpu_seconds(of) - used[name]) / requests * 1e6 for name, of in services.items()}
    after = check(target)
    if found["statuses"] or found["sockets"]:
        raise Wrong(f"{target.name}: {found['statuses']} bad statuses, {found['sockets']} broken connections")
    # Those that were under way when wrk stopped have been counted, too.
    if target.beacon and not 0 <= (views := _views(after) - _views(before) - 1) - requests <= CONNECTIONS:
        raise Wrong(f"{target.name}: {requests} views sent, {views} counted")
    sizes = before.size_bytes, after.size_bytes
    least = requests * min(sizes) * (1 - target.tolerance)
    most = (requests + CONNECTIONS) * max(sizes) * (1 + target.tolerance)
    if not least <= found["bytes"] <= most:
        raise Wrong(
            f"{target.name}: {requests} answers of {found['bytes'] / requests:.0f} bytes on average, the right one has "
            f"{' or '.join(map(str, sorted(set(sizes))))}"
        )
    return Run(requests / found["seconds"], found["p50_ms"], found["p99_ms"], cpu)


def _views(answer: Answer) -> int:
    return int(json.loads(answer.body)["pv_today"])


def _wrk(target: Target, seconds: int) -> dict[str, float]:
    """The figures of wrk; empty when not one answer came in time."""
    environ = {**os.environ, "USER_AGENT": BROWSER}
    if target.beacon:
        environ |= {"BEACON_FIRST": str(target.beacon[0]), "BEACON_POSTS": str(target.beacon[1])}
    environ["PATHS"] = " ".join(target.paths)
    command = [program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"--timeout={SPARE_SECONDS}s", "--latency"]
    done = subprocess.run(
        [*command, "-s", str(SCRIPT), target.url],
        env=environ,
        capture_output=True,
        text=True,
        timeout=seconds + 2 * SPARE_SECONDS,
        check=True,
    )
    result = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if not result:
        raise Wrong(f"{target.name}: wrk told nothing\n{done.stdout}{done.stderr}")
    found = dict(json.loads(result[1]))
    return found if found["requests"] else {}


# -- Processes ------------------------------------------------------------------------------------------------------


def family(pid: int) -> list[int]:
    """The process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu_seconds(services: list[Service]) -> float:
    """Return the processor time that the processes of these services have used."""
    ticks = 0
    for pid in (pid for service in services if service.process for pid in family(service.process.pid)):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def memory_bytes(service: Service) -> list[int]:
    """Proportional set size of each worker (what it shares is divided among those who share it); of a service without
    workers, its own."""
    assert service.process
    first, *workers = family(service.process.pid)
    sizes = []
    for pid in workers or [first]:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert found
        sizes.append(int(found[1]) * 1024)
    return sizes


def fill(server: Service, root: str, paths: Sequence[str], cache_bytes: int) -> None:
    """Read the pages as browsers do, compressed, in both languages, until every worker's page cache is full.

    Raises Wrong when that can't be had. Which worker answers is chance, so it takes a few rounds.
    """
    with ThreadPoolExecutor(8) as readers:
        for _ in range(FILLING_ROUNDS):
            for language in LANGUAGES:
                reading = partial(fetch, Accept_Encoding="gzip", Cookie=f"language={language}")
                for answer in readers.map(reading, [f"{root}{path}" for path in paths]):
                    if answer.status != 200 or not answer.body.startswith(GZIPPED):
                        raise Wrong(f"{answer.status} and {answer.body[:20]!r} while filling the page cache")
            sizes = _kept_bytes(server, root, readers)
            if min(sizes) >= cache_bytes * FULL:
                return
    raise Wrong(f"the workers' page caches hold {sizes} bytes of {cache_bytes}: not full")


def _kept_bytes(server: Service, root: str, readers: ThreadPoolExecutor) -> list[int]:
    """Return the size of each worker's page cache."""
    assert server.process
    workers = family(server.process.pid)[1:]
    found: dict[int, int] = {}
    end = time.monotonic() + SPARE_SECONDS
    while not found.keys() >= set(workers):
        if time.monotonic() > end:
            raise Wrong(f"of the workers {workers} only {[*found]} told what their page cache holds")
        for answer in readers.map(fetch, [f"{root}{PAGE_CACHE}"] * 8):
            told = json.loads(answer.body)
            found[told["worker"]] = told["size_bytes"]
    return [found[pid] for pid in workers]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
