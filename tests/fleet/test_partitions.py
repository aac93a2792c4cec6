"""Two hosts with networks of their own, and one of them cut off: from Redis, from MariaDB, from nginx.

CUT_SECONDS makes the cuts longer; networks.py says what stands in where the machine has no networks to give.
"""

import os
import time

import pytest

from tests.fleet.test_faults import HEAD, USUAL, Line
from tests.fleet.whole import Load, WholeFleet, ask, seconds_until

pytestmark = [pytest.mark.alone, pytest.mark.mariadb, pytest.mark.redis, pytest.mark.nginx, pytest.mark.gunicorn]

CUT_SECONDS = float(os.environ.get("CUT_SECONDS", "4"))
PATIENCE_SECONDS = 60  # before a run is given up
HEALED_SECONDS = 10
# nginx asks the other host for what this one can't answer; a websocket that was taken it can't move.
ALLOWED = {"Redis": USUAL, "MariaDB": {kind: USUAL[kind] for kind in USUAL if kind != "sockets"}, "nginx": USUAL}


def test_a_host_that_is_cut_off_harms_no_reader_and_heals_by_itself(whole_fleet: WholeFleet) -> None:
    lines = {name: Line(name, allowed, HEALED_SECONDS) for name, allowed in ALLOWED.items()}
    with Load(whole_fleet) as load:
        time.sleep(2)
        for name, line in lines.items():
            begun, asked = time.monotonic(), load.asked.copy()
            with whole_fleet.network.cut(whole_fleet, name):
                time.sleep(CUT_SECONDS)
                assert ask(whole_fleet.port, whole_fleet.discussed)[0] == 200
            healed = time.monotonic()
            seconds_until(whole_fleet.is_well, PATIENCE_SECONDS, f"cut off from {name}: not well again")
            took = time.monotonic() - healed
            time.sleep(1)
            line.account(load, begun, asked, took)
    missing, doubled = load.lost_and_doubled()
    print(f"\n| a host cut off for {CUT_SECONDS:g} s from | {HEAD} | well again after, s |")
    print("|---|---|---|---|---|---|---|", *lines.values(), sep="\n")
    print(f"{len(load.acknowledged)} comments acknowledged: {missing} missing, {doubled} doubled")
    assert (missing, doubled) == (0, 0)
    assert load.failures("read") == []
    assert load.failures("passing") == []
    beyond = [what for line in lines.values() for what in line.beyond]
    assert not beyond, "\n".join(beyond)
    assert load.asked["read"] > 100 and len(load.acknowledged) > 20
