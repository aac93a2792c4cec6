"""Where the time of a page goes: `python -m tests.bench.profile [--posts 1000] [--pages home post]`.

Renders each page cold (page cache off, components warm) 50 times under cProfile, in one process on MariaDB and Redis with
the benchmark's posts, and prints the time by part of the program and the dearest functions. The profiler itself makes small
functions look dearer than they are: go by shares, and by the times without it, which stand in the first line.
"""

import argparse
import cProfile
import json
import pstats
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

RUNS = 50
SHOWN = 25
# The first that a file's path holds names its part.
PARTS = [
    ("/jinja2/", "templates"),
    ("/markupsafe/", "templates"),
    ("/templates/", "templates"),
    ("/django/template/", "templates"),
    ("/django/db/", "Django's ORM"),
    ("/MySQLdb/", "MariaDB and its driver"),
    ("/redis/", "Redis and its driver"),
    ("/django_redis/", "Redis and its driver"),
    ("/django/urls/", "addresses"),
    ("/django/utils/translation/", "translation"),
    ("gettext.py", "translation"),
    ("/django/utils/", "Django's utilities"),
    ("/django/test/", "test client"),
    ("/django/", "the rest of Django"),
    ("/apps/", "the blog"),
    ("/blog_xtg/", "the blog"),
]


def part_of(file: str, function: str) -> str:
    if file == "~":
        return "MariaDB and its driver" if "Connection.query" in function else "built in"
    return next((part for piece, part in PARTS if piece in file), "standard library and others")


def profiled(ask: Callable[[], Any]) -> str:
    for _ in range(5):
        ask()
    times = []
    used = time.process_time()
    for _ in range(RUNS):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    used = (time.process_time() - used) / RUNS * 1000
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(RUNS):
        ask()
    profiler.disable()
    stats: Any = pstats.Stats(profiler)
    rows = [
        (own / RUNS * 1000, whole / RUNS * 1000, calls / RUNS, file, line, function)
        for (file, line, function), (_, calls, own, whole, _callers) in stats.stats.items()
    ]
    total = sum(row[0] for row in rows)
    by_part: dict[str, float] = defaultdict(float)
    for own, _whole, _calls, file, _line, function in rows:
        by_part[part_of(file, function)] += own
    lines = [
        f"{statistics.median(times):.2f} ms a page, {used:.2f} ms of processor time without MariaDB's; "
        f"{total:.2f} ms under the profiler, of which:"
    ]
    lines += [
        f"  {own / total:6.1%} {own:7.2f} ms  {part}"
        for part, own in sorted(by_part.items(), key=lambda item: item[1], reverse=True)
    ]

    def listed(title: str, chosen: list[Any]) -> None:
        lines.append(f"  {title}\n  {'own ms':>8}{'with its calls':>16}{'calls':>8}")
        for own, whole, calls, file, line, function in chosen[:SHOWN]:
            place = function if file == "~" else f"{'/'.join(file.split('/')[-3:])}:{line} {function}"
            lines.append(f"  {own:8.2f}{whole:16.2f}{calls:8.0f}  {place}")

    listed("dearest by themselves", sorted(rows, reverse=True))
    ours = [row for row in rows if "/apps/" in row[3] or "/blog_xtg/" in row[3]]
    listed("of the blog's own, with all they call", sorted(ours, key=lambda row: row[1], reverse=True))
    nodes = [row for row in rows if "/django/" in row[3] and row[5] not in {"__call__", "inner", "<genexpr>"}]
    listed("of Django's, with all they call", sorted(nodes, key=lambda row: row[1], reverse=True))
    return "\n".join(lines)


def inside(pages: dict[str, str]) -> dict[str, str]:
    import django

    django.setup()
    from django.test import Client

    client = Client(headers={"host": "127.0.0.1"})
    found = {}
    for name, path in pages.items():
        assert client.get(path).status_code == 200, path
        found[name] = profiled(lambda path=path: client.get(path))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--pages", nargs="+", default=["home", "post"])
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        print(json.dumps(inside(json.loads(chosen.inside))))
        return
    from tests.bench.fleet import Fleet

    with Fleet() as fleet:
        blog = fleet.blog(chosen.posts)
        pages = {name: blog.visits["pages"][name][0] for name in chosen.pages}
        found = fleet.ask(blog.cold, "tests.bench.profile", "--inside", json.dumps(pages))
    for name, told in found.items():
        print(f"{name}: {told}\n")


if __name__ == "__main__":
    sys.exit(main())
