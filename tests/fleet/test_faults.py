"""The fleet of `make fleet` while its parts are killed, one after the other, under readers and writers.

FAULT_ROUNDS=10 kills each so often; docs/reliability.md has such a run.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fleet.whole import Load, WholeFleet, ask, seconds_until
from tests.services import BROWSER, wait_until

pytestmark = [pytest.mark.alone, pytest.mark.mariadb, pytest.mark.redis, pytest.mark.nginx, pytest.mark.gunicorn]

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
DEAD_SECONDS = float(os.environ.get("FAULT_DEAD_SECONDS", "2"))  # how long a host stays away
PATIENCE_SECONDS = 60  # before a run is given up
BEAT_SECONDS = 15  # the lock runs out after 10
# On a machine whose cores many want; a quiet one takes a quarter of it.
STARTED_SECONDS = 25

KINDS = ("read", "passing", "sockets", "sent")
BROKEN_OFF = "broken off"
HEAD = "reads failed | reads past nginx's cache failed | websockets failed | requests of writers failed | answers broken off"
NOTHING = dict.fromkeys([*KINDS, BROKEN_OFF], 0)
# Requests under way at the part that is hit: one request of each of three writers, and a second's websockets.
USUAL = NOTHING | {"sockets": 4, "sent": 3}
# A worker dies between head and body, and nginx has passed on the head.
OF_PAGES = USUAL | {BROKEN_OFF: 1}
# Nobody has what nginx hasn't, and requests that fail fast are many: there is no bound for these.
OF_THE_DATABASE = {"read": 0, BROKEN_OFF: 0}


@dataclass
class Line:
    """The effect of one kind of fault, all rounds together; `beyond` tells where one of them cost more than it may.

    That is so many failures of each kind that `allowed` names, and so many seconds until all was well.
    """

    name: str
    allowed: dict[str, int]
    seconds: float
    failed: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    slowest: float = 0
    beyond: list[str] = field(default_factory=list)

    def account(self, load: Load, since: float, before: Counter[str], took: float) -> None:
        """Add a fault of that moment, when so much had been asked, after which it took so many seconds."""
        self.asked += load.asked - before
        for kind in NOTHING:
            failures = load.failures(kind, since)
            self.failed[kind] += len(failures)
            if kind in self.allowed and len(failures) > self.allowed[kind]:
                self.beyond.append(
                    f"{self.name}: {kind} {len(failures)} times, {self.allowed[kind]} allowed: {failures}"
                )
        self.slowest = max(self.slowest, took)
        if took > self.seconds:
            self.beyond.append(f"{self.name}: {took:.1f} s, {self.seconds:g} allowed")

    def __str__(self) -> str:
        figures = " | ".join(f"{self.failed[kind]} of {self.asked[kind]}" for kind in KINDS)
        return f"| {self.name} | {figures} | {self.failed[BROKEN_OFF]} | {self.slowest:.1f} |"


@dataclass(frozen=True)
class Fault:
    """Something to kill, and what that may cost."""

    go: Callable[[], None]
    allowed: dict[str, int]
    seconds: float


def faults(whole: WholeFleet) -> dict[str, Fault]:
    """Each kills something and returns when its work is done again; that all is well is waited for outside."""

    def kill(*names: str) -> Callable[[], None]:
        def go() -> None:
            before = {name: whole.started(name) for name in names}
            whole.kill(*names)
            seconds_until(lambda: all(whole.started(name) > before[name] for name in names), PATIENCE_SECONDS)

        return go

    def active_beat() -> None:
        locks = whole.locks_taken()
        whole.kill(locks[-1])
        seconds_until(lambda: len(whole.locks_taken()) > len(locks), PATIENCE_SECONDS, "no beat has taken over")

    def host() -> None:
        with whole.held_down(*whole.of_host("host2")):
            time.sleep(DEAD_SECONDS)

    host2_is_away = f"a whole host, away for {DEAD_SECONDS:g} s"
    return {
        "gunicorn of pages": Fault(kill("host1 web"), OF_PAGES, STARTED_SECONDS),
        "gunicorn of websockets": Fault(kill("host1 live"), USUAL, STARTED_SECONDS),
        "worker": Fault(kill("host1 worker"), USUAL, STARTED_SECONDS),
        "daphne": Fault(kill("host2 live"), USUAL, STARTED_SECONDS),  # not while nginx still leaves the other one alone
        "the active beat": Fault(active_beat, USUAL, BEAT_SECONDS),
        host2_is_away: Fault(host, OF_PAGES, DEAD_SECONDS + STARTED_SECONDS),
        "Redis": Fault(kill("redis"), USUAL, STARTED_SECONDS + 5),  # all beats end, too
        "MariaDB": Fault(kill("mariadb"), OF_THE_DATABASE, 15),
    }


def test_whatever_is_killed_readers_read_on_and_no_comment_is_lost(whole_fleet: WholeFleet) -> None:
    whole = whole_fleet
    nothing = Line("nothing", NOTHING, 0)
    lines = {name: Line(name, fault.allowed, fault.seconds) for name, fault in faults(whole).items()}
    assert b"daphne" in Path(f"/proc/{whole.fleet.pid(whole.part('host2 live'))}/cmdline").read_bytes()
    with Load(whole) as load:
        time.sleep(2)
        nothing.account(load, 0, Counter(), 0)
        for _round in range(ROUNDS):
            for name, fault in faults(whole).items():
                begun, asked = time.monotonic(), load.asked.copy()
                fault.go()
                seconds_until(whole.is_well, PATIENCE_SECONDS, f"{name}: not well again")
                took = time.monotonic() - begun
                time.sleep(1)  # what is still under way
                lines[name].account(load, begun, asked, took)
    lost, doubled = load.lost_and_doubled()
    print(f"\n| killed -9 | {HEAD} | s |\n|---|---|---|---|---|---|---|", nothing, *lines.values(), sep="\n")
    print(f"{len(load.acknowledged)} comments acknowledged: {lost} missing, {doubled} doubled")
    assert load.asked["read"] > 100 and len(load.acknowledged) > 20
    assert (lost, doubled) == (0, 0)
    (floors,) = whole.rows("SELECT COUNT(*), MAX(floor), COUNT(DISTINCT floor) FROM comments_comment")
    assert len(set(floors)) == 1
    assert load.failures("read") == []
    beyond = [what for line in (nothing, *lines.values()) for what in line.beyond]
    assert not beyond, "\n".join(beyond)


def test_views_are_counted_while_mariadb_is_away(whole_fleet: WholeFleet) -> None:
    whole = whole_fleet

    def view() -> tuple[int, str]:
        status, _headers, text = ask(whole.port, "/stats/view", {"User-Agent": BROWSER}, method="POST", body=b"{}")
        return status, text

    with Load(whole) as load:
        before = view()
        assert before[0] == 200, before
        with whole.held_down("mariadb"):
            # nginx has found by now that no host has a page to give.
            wait_until(lambda: len(load.failures("passing")) > 10, PATIENCE_SECONDS)
            views = []
            for _view in range(30):
                views.append(view())
                time.sleep(0.05)
            health = ask(whole.port, "/healthz")
        seconds_until(whole.is_well, PATIENCE_SECONDS)
    assert [(status, text[:80]) for status, text in views if status != 200] == []
    counted = [json.loads(text)["pv_today"] for _status, text in [before, *views]]
    assert counted == list(range(counted[0], counted[0] + 31))
    assert health[0] == 200, health
