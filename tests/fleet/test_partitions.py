"""Two hosts with networks of their own, and one of them cut off: from Redis, from MariaDB, from nginx.

CUT_SECONDS makes the cuts longer; networks.py says what stands in where the machine has no networks to give.
"""

import os
import time

import pytest

from tests.fleet.test_faults import Line, account
from tests.fleet.whole import Load, WholeFleet, ask, seconds_until

pytestmark = [pytest.mark.mariadb, pytest.mark.redis, pytest.mark.nginx, pytest.mark.gunicorn]

CUT_SECONDS = float(os.environ.get("CUT_SECONDS", "4"))
PATIENCE_SECONDS = 60


def test_a_host_that_is_cut_off_harms_no_reader_and_heals_by_itself(whole_fleet: WholeFleet) -> None:
    lines = {name: Line(name) for name in ("Redis", "MariaDB", "nginx")}
    with Load(whole_fleet) as load:
        time.sleep(2)
        for name, line in lines.items():
            begun, asked = time.monotonic(), dict(load.asked)
            with whole_fleet.network.cut(whole_fleet, name):
                time.sleep(CUT_SECONDS)
                assert ask(whole_fleet.port, whole_fleet.discussed)[0] == 200
            healed = time.monotonic()
            seconds_until(whole_fleet.is_well, PATIENCE_SECONDS, f"cut off from {name}: not well again")
            line.slowest = time.monotonic() - healed
            time.sleep(1)
            account(load, line, begun, asked)
    missing, doubled = load.lost_and_doubled()
    print(
        f"\n| a host cut off for {CUT_SECONDS:g} s from | reads failed | reads past nginx's cache failed | websockets failed",
        end="",
    )
    print(" | requests of writers failed | well again after, s |\n|---|---|---|---|---|---|", *lines.values(), sep="\n")
    print(f"{len(load.acknowledged)} comments acknowledged: {missing} missing, {doubled} doubled")
    assert (missing, doubled) == (0, 0)
    assert load.failures("read") == []
    assert load.failures("passing") == []
    assert load.asked["read"] > 100 and len(load.acknowledged) > 20
