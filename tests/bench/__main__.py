"""How fast the blog is, on this machine, now: `make bench`, or `python -m tests.bench [--posts 100000] [--seconds 10]`.

Starts MariaDB, Redis, gunicorn, a live server and nginx (deploy/) on free ports, loads 1,000 posts and measures home,
post, category and feed with wrk (one thread, 16 connections): rendered cold (page cache off), from the page cache, and
from nginx; cold posts one after the other, of which nothing is remembered; the beacon of 200 browsers, every fourth with
a referrer; and beside them, in turn, what they are to be compared with: a static file of the same length
from the same nginx, and the smallest Django view in the same worker. Before and after each measurement the answer must
be the right page, those in between as long as that one and no errors. Each is measured in twelve turns of two seconds, turn about with
those it is compared with: a machine that others share changes its speed within a quarter of a minute. All over loopback,
uncompressed, without TLS, with nginx's `tcp_nopush` off (see tests/proxy.py).

--posts 100000 adds a second database of that size to the run and tells what the same pages cost there. Everything stops
by itself; so it does on Ctrl-C.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests import services
from tests.bench import ONE_LINE, measure, report
from tests.bench.fleet import Blog, Fleet
from tests.bench.measure import Run, Target

SMALL, QUICK = 1000, 40
PAGES = ("home", "post", "category", "feed")
BEACON = "/stats/view"
BEACON_POSTS = 100
POSTS_IN_TURN = 600  # each with a tag of its own
REST_SECONDS = 1


def peer(given: str) -> tuple[str, str]:
    """Name and address of what --peer says; without a name it is host and port."""
    name, _, url = given.partition("=") if not given.startswith("http://") else ("", "", given)
    host = urlsplit(url).netloc
    if not url.startswith("http://") or not host:
        raise argparse.ArgumentTypeError(f"wants http://host:port/path or name=http://host:port/path, not {given}")
    return name or host, url


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=SMALL, help="more than 1000: a second, large database as well")
    parser.add_argument("--seconds", type=int, default=2, help="of each turn")
    parser.add_argument("--rounds", type=int, default=12, help="how many turns each takes; medians are told")
    parser.add_argument(
        "--peer", action="append", default=[], type=peer, metavar="[NAME=]URL", help="another blog's page"
    )
    parser.add_argument("--output", type=Path, help="var/bench.json; var/bench-small.json for --quick or fewer posts")
    parser.add_argument("--quick", action="store_true", help="few posts, a second each: whether the tool works")
    chosen = parser.parse_args(given)
    if len({name for name, _url in chosen.peer}) < len(chosen.peer):
        parser.error("--peer: two have the same name; say name=http://…")
    if chosen.output is None:
        # Ratios of fewer posts are others, and must not stand where the good ones are looked for.
        is_small = chosen.quick or chosen.posts < SMALL
        chosen.output = services.ROOT / "var" / ("bench-small.json" if is_small else "bench.json")
    return chosen


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


class Plan:
    """The measurements, group by group; all of a group in turn."""

    def __init__(self, fleet: Fleet, blog: Blog, chosen: argparse.Namespace) -> None:
        self.fleet, self.blog = fleet, blog
        self.pages = PAGES[:2] if chosen.quick else PAGES
        self.seconds, self.rounds = (1, 1) if chosen.quick else (chosen.seconds, chosen.rounds)
        self.peers = [measure.peer(name, url) for name, url in chosen.peer]
        self.runs: dict[str, list[Run]] = {}

    def run(self, targets: list[Target], **servers: list[services.Service]) -> None:
        say(f"{len(targets)} × {self.rounds} × {self.seconds} s: {', '.join(target.name for target in targets)}")
        self.runs |= measure.interleaved(targets, servers, self.seconds, self.rounds)

    def targets(self, group: str, root: str, blog: Blog, names: tuple[str, ...]) -> list[Target]:
        pages = blog.visits["pages"]
        return [Target(f"{group}: {name}", f"{root}{pages[name][0]}", pages[name][1]) for name in names]

    def one_line(self, group: str, root: str) -> Target:
        return Target(f"{group}: one-line view", f"{root}{ONE_LINE}", "One line")

    def cold(self) -> None:
        worker, fleet, visits = self.blog.cold, self.fleet, self.blog.visits
        posts, title = visits["posts"][:POSTS_IN_TURN], visits["pages"]["home"][1]
        targets = [
            self.one_line("cold", worker.url),
            *self.targets("cold", worker.url, self.blog, self.pages),
            measure.in_turn("cold: post, another each time", worker.url, posts, title),
        ]
        self.run(targets, worker=[worker], database=[fleet.mariadb], redis=[fleet.redis])

    def cached(self) -> None:
        worker, fleet = self.blog.cached, self.fleet
        assert worker
        first, posts = self.blog.visits["first_post"], min(BEACON_POSTS, self.blog.posts)
        targets = [
            self.one_line("page cache", worker.url),
            *self.targets("page cache", worker.url, self.blog, self.pages),
            measure.beacon("page cache: beacon", f"{worker.url}{BEACON}", first, posts),
        ]
        self.run(targets, worker=[worker], database=[fleet.mariadb], redis=[fleet.redis])

    def nginx(self) -> None:
        nginx, fleet = self.fleet.nginx, self.fleet
        assert self.blog.cached
        targets = self.targets("nginx", nginx.url, self.blog, self.pages)
        files = []
        for target in targets[:2]:
            page = target.name.partition(": ")[2]
            (fleet.var / "static" / f"{page}.html").write_bytes(measure.fetch(target.url).body)
            files.append(
                Target(f"nginx: static file as long as {page}", f"{nginx.url}/static/{page}.html", target.title)
            )
        self.run([*files, *targets, *self.peers], nginx=[nginx], worker=[self.blog.cached], database=[fleet.mariadb])

    def large(self, posts: int) -> None:
        say(f"loading {posts} posts")
        large = self.fleet.blog(posts)
        names = ("home", "category", "post")
        small_targets = self.targets("small", self.blog.cold.url, self.blog, names)
        large_targets = self.targets("large", large.cold.url, large, names)
        pairs = [target for pair in zip(small_targets, large_targets, strict=True) for target in pair]
        pairs += self.targets("large", large.cold.url, large, ("last page",))
        self.run(pairs, worker=[self.blog.cold, large.cold], database=[self.fleet.mariadb])

    def counts(self) -> dict[str, Any]:
        asked = {"pages": {name: self.blog.visits["pages"][name] for name in PAGES}}
        asked["first_post"] = self.blog.visits["first_post"]
        cached = self.blog.cached
        assert cached
        return dict(self.fleet.ask(cached, "tests.bench.counts", json.dumps(asked)))

    def memory(self) -> dict[str, list[int]]:
        cached = self.blog.cached
        assert cached
        size = int(cached.env["PAGE_CACHE_BYTES"])
        measure.fill(cached, cached.url, self.blog.visits["posts"], size)
        time.sleep(REST_SECONDS)
        megabytes = size // 2**20
        return {
            f"each worker, page cache of {megabytes} MB full": measure.memory_bytes(cached),
            "each worker without": measure.memory_bytes(self.blog.cold),
            "live server": measure.memory_bytes(self.fleet.live),
        }


def main() -> int:
    chosen = arguments()
    for group in ("mariadb", "redis", "nginx", "gunicorn", "wrk"):
        if reason := services.missing(group):
            print(f"{reason}; `make services` helps", file=sys.stderr)
            return 1
    # However it is ended, the servers are stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begun = time.monotonic()
    try:
        with Fleet() as fleet:
            small = QUICK if chosen.quick else min(SMALL, chosen.posts)
            say(f"loading {small} posts")
            blog = fleet.blog(small, cached=True)
            fleet.stand_in_front(blog)
            plan = Plan(fleet, blog, chosen)
            plan.cold()
            plan.cached()
            plan.nginx()
            if chosen.posts > SMALL:
                plan.large(chosen.posts)
            say("counting queries, filling the page cache")
            told = {
                "measured_at": report.now(),
                "machine": report.machine(),
                "posts": [small, *([chosen.posts] if chosen.posts > SMALL else [])],
                "seconds": plan.seconds,
                "rounds": plan.rounds,
                "figures": report.figures(plan.runs),
                "counts": plan.counts(),
                "memory_bytes": plan.memory(),
                "ratios": report.ratios(plan.runs, chosen.posts),
                "cpu_ratios": report.cpu_ratios(plan.runs),
            }
    except measure.Wrong as error:
        print(f"Nothing was reported, because an answer was wrong: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    report.write(chosen.output, told)
    print(report.table(told))
    print(f"\n{chosen.output} holds this as JSON. {time.monotonic() - begun:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
