"""The gain from a second core: `python -m tests.bench.scaling [--posts 1000] [--seconds 3] [--rounds 6]`.

The same pages, rendered cold (page cache off), under the same load, turn about:

- one gunicorn worker on one core, and two on a core each; MariaDB, Redis and wrk share both cores with them;
- the same with workers that get a share of their core each and no more, so that the rest is there for their helpers;
- everything on one core, and everything on two: a machine of half the size.

The first says less on a machine of two cores, for one worker has a helper there that two don't have; by the others it ends
with an error when two cores are not 1.8 times as fast as one. The second needs control groups, and root; where there are none
it is left out. Beside them stands the processor time that a request costs, which others on the machine change little: as
long as it stays what it was, twice the cores are twice the requests. Let nothing else run meanwhile.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.bench import measure
from tests.bench.fleet import APPLICATION, Fleet
from tests.bench.measure import Run, Target, family, interleaved
from tests.services import GunicornServer, Service

PAGES = ("home", "post")
SHARE = 0.5
PERIOD_US = 20_000  # short beside a turn, in which it begins and ends somewhere
SHARES, MACHINE = "shares", "machine"
ARRANGEMENTS = {
    "workers": "worker and its core",
    SHARES: f"worker and {SHARE * 100:.0f} % of its core",
    MACHINE: "all cores, for everything",
}
AT_LEAST = 1.8
JUDGED = (SHARES, MACHINE)

Found = dict[tuple[str, str, int], list[Run]]  # by arrangement, page and cores


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
    lines, times = table(measured(chosen.posts, chosen.seconds, chosen.rounds, [first, second]))
    print("\n".join(lines))
    if complaint := verdict(times):
        sys.exit(complaint)


def measured(posts: int, seconds: int, rounds: int, cores: list[int]) -> Found:
    """Both servers, one worker or two, in each arrangement that can be had here, round after round."""
    found: Found = {}
    with ExitStack() as stack:
        shares = None
        try:
            shares = stack.enter_context(Shares.made(len(cores)))
        except OSError as error:
            print(f"A worker can't be given a share of a core here ({error}): that arrangement is left out.")
        fleet = stack.enter_context(Fleet())
        blog = fleet.blog(posts)
        one = stack.enter_context(GunicornServer(1, APPLICATION, PAGE_CACHE_BYTES="0", **blog.environ))
        servers = (one, blog.cold)
        data: list[Service] = [fleet.mariadb, fleet.redis]
        every = [os.getpid(), *(pid for service in [*data, *servers] for pid in _pids(service))]
        arrangements = [each for each in ARRANGEMENTS if shares or each != SHARES]
        for _round, arrangement, server in product(range(rounds), arrangements, servers):
            at_work = workers(server)
            pin(every, set(cores[: len(at_work)] if arrangement == MACHINE else cores))
            for worker, core in zip(at_work, cores, strict=False):
                pin([worker], {core})
            with shares.of(at_work) if shares and arrangement == SHARES else nullcontext():
                for page in PAGES:
                    path, title = blog.visits["pages"][page]
                    target = Target(page, f"{server.url}{path}", title)
                    runs = interleaved([target], {"worker": [server], "data": data}, seconds, 1)
                    found.setdefault((arrangement, page, len(at_work)), []).extend(runs[page])
    return found


def table(found: Found) -> tuple[list[str], dict[tuple[str, str], float]]:
    """Lines of Markdown, and how many times as fast two cores are, by arrangement and page, of what was found."""
    times: dict[tuple[str, str], float] = {}
    lines = [
        "| what is doubled | page | one core, requests/s | two cores | times | processor time, one core, ms | two cores |",
        "|---|---|---|---|---|---|---|",
    ]
    for arrangement, page in [(each, page) for each in ARRANGEMENTS for page in PAGES if (each, page, 1) in found]:
        pair = [found[arrangement, page, cores] for cores in (1, 2)]
        single, double = (measure.median([run.requests_per_second for run in runs]) for runs in pair)
        cost = " | ".join(f"{measure.median([run.cost for run in runs]) / 1000:.2f}" for runs in pair)
        times[arrangement, page] = double / single
        name = ARRANGEMENTS[arrangement]
        lines.append(f"| {name} | {page} | {single:.0f} | {double:.0f} | {double / single:.2f} | {cost} |")
    return lines, times


def verdict(times: dict[tuple[str, str], float]) -> str:
    """A complaint for each judged arrangement in which twice the cores are not worth enough; else empty."""
    complaints = []
    for arrangement in JUDGED:
        measured = {page: times[arrangement, page] for page in PAGES if (arrangement, page) in times}
        if short := [f"{page} {worth:.2f}" for page, worth in measured.items() if worth < AT_LEAST]:
            what = f"Two cores ({ARRANGEMENTS[arrangement]}) are to give at least {AT_LEAST} times"
            complaints.append(f"{what}: {', '.join(short)}.")
    return "\n".join(complaints)


def _pids(service: Service) -> list[int]:
    assert service.process
    return family(service.process.pid)


# -- Shares of a core -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shares:
    """Control groups of the kernel's, each of which has SHARE of one core; and the one that this process is in."""

    groups: list[Path]
    home: Path

    @classmethod
    @contextmanager
    def made(cls, number: int) -> Iterator["Shares"]:
        """So many, removed when the block ends. Raises OSError where there are none to be had."""
        root, home = control_groups()
        quota_us = round(SHARE * PERIOD_US)
        with ExitStack() as stack:
            groups = [root / f"blog-bench-{os.getpid()}-{each}" for each in range(number)]
            for group in groups:
                group.mkdir()
                stack.callback(group.rmdir)
                if (group / "cpu.max").exists():
                    (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
                else:
                    (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                    (group / "cpu.cfs_quota_us").write_text(str(quota_us))
            yield cls(groups, home)

    @contextmanager
    def of(self, pids: list[int]) -> Iterator[None]:
        """Each of the processes has its share until the block ends, and no more."""
        try:
            for group, pid in zip(self.groups, pids, strict=False):
                (group / "cgroup.procs").write_text(str(pid))
            yield
        finally:
            for pid in pids:
                (self.home / "cgroup.procs").write_text(str(pid))


def control_groups() -> tuple[Path, Path]:
    """The topmost group that can be divided by processor time, and the one this process is in: version 2, or version 1.

    Raises OSError where there is neither.
    """
    homes = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    for line in Path("/proc/mounts").read_text().splitlines():
        _device, where, kind, options, *_ = line.split()
        root = Path(where)
        if kind == "cgroup2" and "cpu" in (root / "cgroup.subtree_control").read_text().split():
            return root, root / homes[""].lstrip("/")
        if kind == "cgroup" and "cpu" in options.split(","):
            (home,) = (path for controllers, path in homes.items() if "cpu" in controllers.split(","))
            return root, root / home.lstrip("/")
    raise FileNotFoundError("no control groups for processor time")


if __name__ == "__main__":
    main()
