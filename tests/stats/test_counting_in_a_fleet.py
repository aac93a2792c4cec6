"""Four web processes count across midnight while one of them and the flusher are killed: afterwards the tables are exact.

FLEET_BEACONS=20000 makes it the full run; the default is what a quick run can wait for.
"""

import datetime
import http.client
import json
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import MySQLdb
import pytest

from tests.services import BROWSER, ROOT, GunicornServer, MariaDB, Redis, wait_until

pytestmark = [pytest.mark.gunicorn, pytest.mark.mariadb, pytest.mark.redis]
BEACONS = int(os.environ.get("FLEET_BEACONS", "4000"))
PROCESSES, CLIENTS_EACH, POSTS, VISITORS, KILLS = 4, 3, 20, 200, 2
ROBOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "curl/8.5.0",
)
MAKE_POSTS = f"""
from apps.posts.models import Post
for number in range({POSTS}):
    print(Post.objects.create(title=f"Post {{number}}", body="Text.", status="published").pk)
"""
FLUSHER = """
import time, django
django.setup()
from apps.stats.services import flush_views
while True:
    flush_views()
    time.sleep(0.05)
"""


@dataclass(frozen=True)
class Beacon:
    post: int | None
    visitor: int | None  # None: a robot

    def headers(self) -> dict[str, str]:
        number = random.randrange(len(ROBOTS)) if self.visitor is None else self.visitor
        agent = ROBOTS[number] if self.visitor is None else f"{BROWSER} Reader/{number % 40}"
        return {"User-Agent": agent, "X-Forwarded-For": f"spoofed, 10.0.{number // 40}.{number % 40}"}

    def body(self) -> str:
        return json.dumps({"post": self.post} if self.post else {})


@dataclass
class Sent:
    """The clients' record: answered views, by day; and unanswered ones, which may be counted or not."""

    answered: Counter[tuple[datetime.date, Beacon]] = field(default_factory=Counter)
    unanswered: list[Beacon] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Midnight:
    """A time zone in which the next day begins in so many seconds; put in place of TIME_ZONE's own by PYTHONTZPATH."""

    name = "Asia/Shanghai"

    def __init__(self, folder: Path, seconds: float) -> None:
        self.moment = round(time.time() + seconds)
        offset = (-self.moment) % 86400
        self.zone = datetime.timezone(datetime.timedelta(seconds=offset - 86400 if offset > 43200 else offset))
        file = folder / self.name
        file.parent.mkdir(parents=True)
        # A TZif file of one kind of time and no change.
        header = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
        seconds_east = int(self.zone.utcoffset(None).total_seconds())
        file.write_bytes(header + struct.pack(">lBB", seconds_east, 0, 0) + b"LMT\0")
        self.environ = {"TIME_ZONE": self.name, "PYTHONTZPATH": f"{folder}{os.pathsep}/usr/share/zoneinfo"}
        self.today = self.day(time.time())
        self.tomorrow = self.today + datetime.timedelta(days=1)

    def day(self, moment: float) -> datetime.date:
        return datetime.datetime.fromtimestamp(moment, self.zone).date()


class Flusher:
    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = {**environ, "DJANGO_SETTINGS_MODULE": "blog_xtg.settings"}
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", FLUSHER], cwd=ROOT, env=self.environ)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


def worker_of(server: GunicornServer) -> int:
    assert server.process
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[-1]) if children else 0


def client(server: GunicornServer, beacons: Iterator[Beacon], midnight: Midnight, sent: Sent) -> None:
    """Send beacons one after the other over a connection that is kept; note what each answer says."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    seen: Counter[object] = Counter()
    for beacon in beacons:
        began = time.time()
        try:
            connection.request("POST", "/stats/view", beacon.body(), beacon.headers())
            answer = connection.getresponse()
            numbers = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            with sent.lock:
                sent.unanswered.append(beacon)
            continue
        days = {midnight.day(began), midnight.day(time.time())}
        if len(days) > 1:  # the clock struck meanwhile: the day with few views is the new one
            days = {midnight.tomorrow if numbers["pv_today"] < BEACONS / 8 else midnight.today}
        (day,) = days
        with sent.lock:
            sent.answered[day, beacon] += 1
            if answer.status != 200:
                sent.wrong.append(f"{answer.status}: {numbers}")
            for what, number in ((day, numbers.get("pv_today")), (beacon.post, numbers.get("views"))):
                if what is not None and number is not None:
                    if number < seen[what] + (beacon.visitor is not None):
                        sent.wrong.append(f"{what}: {number} shown after {seen[what]}")
                    seen[what] = number
    connection.close()


def make_beacons(posts: list[int], midnight: Midnight, progress: list[int]) -> Iterator[Beacon]:
    """Half of them today, the rest from a moment before midnight on; every visitor comes on both days."""
    dice = random.Random(20261123)
    for number in range(BEACONS):
        progress[0] = number
        while number >= BEACONS / 2 and time.time() < midnight.moment - 0.3:
            time.sleep(0.01)
        robot = dice.random() < 0.05
        yield Beacon(dice.choice([None, *posts]), None if robot else number % VISITORS)


class Shared:
    """An iterator that several threads may draw from."""

    def __init__(self, beacons: Iterator[Beacon]) -> None:
        self.beacons, self.lock = beacons, threading.Lock()

    def __iter__(self) -> Iterator[Beacon]:
        return self

    def __next__(self) -> Beacon:
        with self.lock:
            return next(self.beacons)


def rows(database: MariaDB, query: str) -> list[tuple]:
    connection = MySQLdb.connect(host="127.0.0.1", port=database.port, user="blog", password="blog", database="fleet")
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())
    finally:
        connection.close()


def test_every_answered_view_is_counted_once(mariadb_server: MariaDB, redis_server: Redis, tmp_path: Path) -> None:
    with MySQLdb.connect(host="127.0.0.1", port=mariadb_server.port, user="blog", password="blog") as connection:
        connection.cursor().execute("CREATE OR REPLACE DATABASE fleet CHARACTER SET utf8mb4")
    common = {
        "DATABASE_URL": mariadb_server.url.removesuffix("/blog") + "/fleet",
        "REDIS_URL": redis_server.url,
        "TRUSTED_PROXIES": "1",
    }
    # Not started: it is the one that runs the commands.
    blog = GunicornServer(**common)
    blog.manage("migrate")
    began = time.monotonic()
    posts = [int(line) for line in blog.manage("shell", "--no-imports", "-c", MAKE_POSTS).split() if line.isdigit()]
    start_seconds = time.monotonic() - began  # a process takes here, more or less

    with ExitStack() as stack:
        midnight = Midnight(tmp_path / "zoneinfo", 5 + (PROCESSES + 2) * start_seconds + BEACONS / 800)
        servers = [stack.enter_context(GunicornServer(**common, **midnight.environ)) for _ in range(PROCESSES)]
        flusher = Flusher({**blog.env, **midnight.environ})
        stack.callback(flusher.kill)
        assert time.time() < midnight.moment - 2, "The servers took so long to start that midnight is over."

        sent, progress = Sent(), [0]
        beacons = Shared(make_beacons(posts, midnight, progress))
        threads = [
            threading.Thread(target=client, args=(server, beacons, midnight, sent))
            for server in servers
            for _ in range(CLIENTS_EACH)
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for share in (0.3, 0.7):  # once before midnight, once after
            wait_until(lambda share=share: progress[0] >= share * BEACONS, 120)
            worker = worker_of(servers[0])
            os.kill(worker, signal.SIGKILL)
            flusher.kill()
            wait_until(lambda worker=worker: worker_of(servers[0]) not in {0, worker}, 20)
            time.sleep(0.2)
            flusher.start()
        for thread in threads:
            thread.join(300)
        took = time.monotonic() - began
        for server in servers:
            server.stop()  # in order: what it may have kept for Redis it sends now
        flusher.kill()
        blog.manage("shell", "-c", "from apps.stats.services import flush_views; flush_views()")

    assert not sent.wrong, sent.wrong[:5]
    assert len(sent.unanswered) <= KILLS * CLIENTS_EACH
    check(mariadb_server, midnight, sent)
    with redis_server.client() as redis:
        assert not redis.exists("blog:{views}:pending", "blog:{views}:batch")
    answered = sum(sent.answered.values())
    print(f"\n{answered} of {BEACONS} beacons answered in {took:.1f} s, {len(sent.unanswered)} cut off by a kill;")
    print(rows(mariadb_server, "SELECT day, pv, uv, robots FROM stats_dailyviews ORDER BY day"))


def check(database: MariaDB, midnight: Midnight, sent: Sent) -> None:
    """Check that each answered view is counted once; of those cut off each may be counted or not."""
    pv: Counter[object] = Counter()
    robots: Counter[object] = Counter()
    of_posts: Counter[object] = Counter()
    for (day, beacon), number in sent.answered.items():
        if beacon.visitor is None:
            robots[day] += number
            continue
        pv[day] += number
        if beacon.post:
            of_posts[day, beacon.post] += number
    open_pv = sum(beacon.visitor is not None for beacon in sent.unanswered)
    open_robots = len(sent.unanswered) - open_pv
    open_of_post = Counter(beacon.post for beacon in sent.unanswered if beacon.visitor is not None)

    days = {row[0]: row[1:] for row in rows(database, "SELECT day, pv, uv, robots FROM stats_dailyviews")}
    assert set(days) == {midnight.today, midnight.tomorrow}
    for day, (counted, visitors, by_robots) in days.items():
        assert pv[day] <= counted <= pv[day] + open_pv, (day, pv[day], counted)
        assert robots[day] <= by_robots <= robots[day] + open_robots, (day, robots[day], by_robots)
        assert abs(visitors - VISITORS) <= 0.02 * VISITORS, (day, visitors)
    total = sum(counted for counted, *_ in days.values())
    assert sum(pv.values()) <= total <= sum(pv.values()) + open_pv

    stored = {
        (day, post): views
        for day, post, views in rows(database, "SELECT day, post_id, views FROM stats_postdailyviews")
    }
    for (day, post), views in stored.items():
        assert of_posts[day, post] <= views <= of_posts[day, post] + open_of_post[post], (day, post)
    assert of_posts.keys() <= stored.keys()
    sums = Counter[int]()
    for (_day, post), views in stored.items():
        sums[post] += views
    assert dict(rows(database, "SELECT id, view_count FROM posts_post")) == dict(sums)
