"""Two hosts with networks of their own, and one of them cut off: from Redis, from MariaDB, from nginx.

Skipped where the machine gives nobody a network of its own. CUT_SECONDS makes the cuts longer.
"""

import os
import time

import pytest

from tests.fleet.networks import HOSTS, MARIADB, REDIS, lost, space_of
from tests.fleet.test_faults import Line, account
from tests.fleet.whole import Load, WholeFleet, ask, seconds_until

pytestmark = [pytest.mark.mariadb, pytest.mark.redis, pytest.mark.nginx, pytest.mark.gunicorn]

CUT_SECONDS = float(os.environ.get("CUT_SECONDS", "4"))
PATIENCE_SECONDS = 60


def test_a_host_that_is_cut_off_harms_no_reader_and_heals_by_itself(whole_fleet: WholeFleet) -> None:
    if whole_fleet.part("redis").address != REDIS:
        pytest.skip("network namespaces are not to be had here")
    cut_off = HOSTS["host2"]
    cuts = {
        "Redis": lambda: lost(REDIS, cut_off),
        "MariaDB": lambda: lost(MARIADB, cut_off),
        "nginx": lambda: lost(cut_off, f"{cut_off[:-1]}1", space_of("host2")),
    }
    lines = {name: Line(name) for name in cuts}
    with Load(whole_fleet) as load:
        time.sleep(2)
        for name, cut in cuts.items():
            begun, asked = time.monotonic(), dict(load.asked)
            with cut():
                time.sleep(CUT_SECONDS)
                assert ask(whole_fleet.port, whole_fleet.discussed)[0] == 200
            healed = time.monotonic()
            seconds_until(whole_fleet.is_well, PATIENCE_SECONDS, f"cut off from {name}: not well again")
            lines[name].slowest = time.monotonic() - healed
            time.sleep(1)
            account(load, lines[name], begun, asked)
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
