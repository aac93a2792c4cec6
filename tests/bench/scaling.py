"""What a second core is worth: `python -m tests.bench.scaling [--posts 1000] [--seconds 3] [--rounds 6]`.

The same pages, rendered cold (page cache off), under the same load, turn about:

- one gunicorn worker on one core, and two on a core each; MariaDB, Redis and wrk share both cores with them;
- everything on one core, and everything on two: a machine of half the size.

The first says less on a machine of two cores, for one worker has a helper there that two don't have; by the second it ends
with an error when two cores are not 1.8 times as fast as one. Beside them stands the processor time that a request costs,
which others on the machine change little: as long as it stays what it was, twice the cores are twice the requests. Let
nothing else run meanwhile.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.bench import measure
from tests.bench.fleet import APPLICATION, Fleet
from tests.bench.measure import Run, Target, family, interleaved
from tests.services import GunicornServer, Service

PAGES = ("home", "post")
MACHINE = "machine"
ARRANGEMENTS = {"workers": "worker and its core", MACHINE: "all cores, for everything"}
AT_LEAST = 1.8


def pin(pids: Iterable[int], cores: set[int]) -> None:
    """Bind every thread of these processes to the cores; those that they start later come along."""
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)


def workers(server: GunicornServer) -> list[int]:
    assert server.process
    return family(server.process.pid)[1:]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=3, help="of each turn")
    parser.add_argument("--rounds", type=int, default=6)
    chosen = parser.parse_args()
    first, second, *_more = sorted(os.sched_getaffinity(0)) * 2
    if first == second:
        sys.exit("This machine has one core.")
    with Fleet() as fleet:
        blog = fleet.blog(chosen.posts)
        two = blog.cold
        with GunicornServer(1, APPLICATION, PAGE_CACHE_BYTES="0", **blog.environ) as one:
            data: list[Service] = [fleet.mariadb, fleet.redis]
            every = [os.getpid(), *(pid for service in [*data, one, two] if service.process for pid in _pids(service))]
            found: dict[tuple[str, str, int], list[Run]] = {}
            for _round in range(chosen.rounds):
                for arrangement in ARRANGEMENTS:
                    for server, cores in ((one, {first}), (two, {first, second})):
                        pin(every, cores if arrangement == MACHINE else {first, second})
                        for worker, core in zip(workers(server), sorted(cores), strict=True):
                            pin([worker], {core})
                        for page in PAGES:
                            path, title = blog.visits["pages"][page]
                            target = Target(page, f"{server.url}{path}", title)
                            runs = interleaved([target], {"worker": [server], "data": data}, chosen.seconds, 1)
                            figures = found.setdefault((arrangement, page, len(cores)), [])
                            figures += runs[page]
    lines, times = table(found)
    print("\n".join(lines))
    if complaint := verdict(times):
        sys.exit(complaint)


def table(found: dict[tuple[str, str, int], list[Run]]) -> tuple[list[str], dict[tuple[str, str], float]]:
    """Lines of Markdown, and how many times as fast two cores are, of what was found by arrangement, page and cores."""
    times: dict[tuple[str, str], float] = {}
    lines = [
        "| what is doubled | page | one core, requests/s | two cores | times | processor time, one core, ms | two cores |",
        "|---|---|---|---|---|---|---|",
    ]
    for arrangement, name in ARRANGEMENTS.items():
        for page in PAGES:
            pair = [found[arrangement, page, cores] for cores in (1, 2)]
            single, double = (measure.median([run.requests_per_second for run in runs]) for runs in pair)
            cost = " | ".join(f"{measure.median([run.cost for run in runs]) / 1000:.2f}" for runs in pair)
            times[arrangement, page] = double / single
            lines.append(f"| {name} | {page} | {single:.0f} | {double:.0f} | {double / single:.2f} | {cost} |")
    return lines, times


def verdict(times: dict[tuple[str, str], float]) -> str:
    """A complaint when twice the cores, for everything, are not worth enough; else empty."""
    short = [f"{page} {times[MACHINE, page]:.2f}" for page in PAGES if times[MACHINE, page] < AT_LEAST]
    return f"Twice the cores for everything are to give at least {AT_LEAST} times: {', '.join(short)}." if short else ""


def _pids(service: Service) -> list[int]:
    assert service.process
    return family(service.process.pid)


if __name__ == "__main__":
    main()
