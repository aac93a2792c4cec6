"""The fleet of `make fleet` while its parts are killed, one after the other, under readers and writers.

FAULT_ROUNDS=10 kills each so often; docs/reliability.md has such a run.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fleet.whole import Load, WholeFleet, ask, seconds_until
from tests.services import BROWSER, wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.redis, pytest.mark.nginx, pytest.mark.gunicorn]

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
DEAD_SECONDS = float(os.environ.get("FAULT_DEAD_SECONDS", "2"))  # how long a host stays away
PATIENCE_SECONDS = 60
BEAT_SECONDS = 15


@dataclass
class Line:
    """What one kind of fault did, all rounds together."""

    name: str
    failed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("read", "passing", "sockets", "sent"), 0))
    asked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("read", "passing", "sockets", "sent"), 0))
    slowest: float = 0

    def __str__(self) -> str:
        figures = " | ".join(f"{self.failed[kind]} of {self.asked[kind]}" for kind in self.failed)
        return f"| {self.name} | {figures} | {self.slowest:.1f} |"


def faults(whole: WholeFleet) -> dict[str, Callable[[], None]]:
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
        took = seconds_until(lambda: len(whole.locks_taken()) > len(locks), PATIENCE_SECONDS, "no beat has taken over")
        assert took < BEAT_SECONDS

    def host() -> None:
        with whole.held_down(*whole.of_host("host2")):
            time.sleep(DEAD_SECONDS)

    return {
        "gunicorn of pages": kill("host1 web"),
        "gunicorn of websockets": kill("host1 live"),
        "worker": kill("host1 worker"),
        "daphne": kill("host2 live"),  # not while nginx still leaves the other one alone
        "the active beat": active_beat,
        f"a whole host, away for {DEAD_SECONDS:g} s": host,
        "Redis": kill("redis"),
        "MariaDB": kill("mariadb"),
    }


def test_whatever_is_killed_readers_read_on_and_no_comment_is_lost(whole_fleet: WholeFleet) -> None:
    whole = whole_fleet
    lines = {name: Line(name) for name in ["nothing", *faults(whole)]}
    assert b"daphne" in Path(f"/proc/{whole.fleet.pid(whole.part('host2 live'))}/cmdline").read_bytes()
    with Load(whole) as load:
        time.sleep(2)
        account(load, lines["nothing"], 0)
        for _round in range(ROUNDS):
            for name, fault in faults(whole).items():
                begun, asked = time.monotonic(), dict(load.asked)
                fault()
                seconds_until(whole.is_well, PATIENCE_SECONDS, f"{name}: not well again")
                lines[name].slowest = max(lines[name].slowest, time.monotonic() - begun)
                time.sleep(1)  # what is still under way
                account(load, lines[name], begun, asked)
    lost, doubled = load.lost_and_doubled()
    print(
        "\n| killed -9 | reads failed | reads past nginx's cache failed | websockets failed | requests of writers failed | s |"
    )
    print("|---|---|---|---|---|---|", *lines.values(), sep="\n")
    broken_off = load.failures("broken off")
    print(f"{len(broken_off)} answers broken off in their midst")
    print(f"{len(load.acknowledged)} comments acknowledged: {lost} missing, {doubled} doubled")
    assert load.asked["read"] > 100 and len(load.acknowledged) > 20
    assert (lost, doubled) == (0, 0)
    (floors,) = whole.rows("SELECT COUNT(*), MAX(floor), COUNT(DISTINCT floor) FROM comments_comment")
    assert len(set(floors)) == 1
    assert load.failures("read") == []
    assert len(broken_off) <= 2 * ROUNDS, broken_off  # so often a gunicorn of pages is killed
    for name, line in lines.items():
        assert not line.failed["passing"] or name == "MariaDB", (name, load.failures("passing"))


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


def account(load: Load, line: Line, since: float, before: dict[str, int] | None = None) -> None:
    for kind in line.failed:
        line.failed[kind] += len(load.failures(kind, since))
        line.asked[kind] += load.asked[kind] - (before or {}).get(kind, 0)
