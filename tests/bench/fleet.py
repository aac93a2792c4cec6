"""The processes that the benchmark measures: MariaDB, Redis, gunicorn, a live server and nginx, each its own process on a free port."""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.proxy import BlogNginx
from tests.services import ROOT, GunicornServer, LiveServer, MariaDB, Redis

WORKERS = 2
PAGE_CACHE_BYTES = 32 * 1024 * 1024
FILLED_BYTES_A_POST = 40_000  # a post's page in two languages, each plain and compressed, is more
FILLING_SECONDS = 1800
APPLICATION = "tests.bench.application:application"


class RoomyMariaDB(MariaDB):
    """With memory for what is read often, as a server of its own has; and room for the large run's bulk inserts."""

    def command(self) -> list[str]:
        return [*super().command(), "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=256M"]


@dataclass
class Blog:
    """One database with posts, and the workers that answer from it: with page cache, and without (`cold`)."""

    posts: int
    environ: dict[str, str]
    visits: dict[str, Any]
    cold: GunicornServer
    cached: GunicornServer | None = None


class Fleet:
    """A context manager; `blog(posts)` adds a filled database and its workers, `stand_in_front()` nginx and live."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.var = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="blog-bench-")))
            self.mariadb = stack.enter_context(RoomyMariaDB())
            self.redis = stack.enter_context(Redis())
            self.databases = 0
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def blog(self, posts: int, *, cached: bool = False) -> Blog:
        """Make a database of so many posts, and start workers on it."""
        environ = self._environ()
        cold = GunicornServer(WORKERS, APPLICATION, PAGE_CACHE_BYTES="0", **environ)
        self._stack.callback(cold.close)
        if not (self.var / "static").exists():
            self._run(cold.env, "manage.py", "collectstatic", "--noinput", "--verbosity=0")
        visits = json.loads(self._run(cold.env, "-m", "tests.bench.dataset", "--posts", str(posts)).splitlines()[-1])
        cold.start()
        blog = Blog(posts, environ, visits, cold)
        if cached:
            # Of few posts a smaller one is full, too.
            size = str(min(PAGE_CACHE_BYTES, posts * FILLED_BYTES_A_POST))
            blog.cached = self._stack.enter_context(
                GunicornServer(WORKERS, APPLICATION, PAGE_CACHE_BYTES=size, **environ)
            )
        return blog

    def stand_in_front(self, blog: Blog) -> None:
        """Start the live server, and nginx with its two workers in front of all."""
        assert blog.cached
        self.live = self._stack.enter_context(LiveServer(**blog.environ))
        self.nginx = self._stack.enter_context(BlogNginx([blog.cached.port], self.live.port, self.var, WORKERS))

    def ask(self, server: GunicornServer, module: str, *arguments: str) -> Any:
        """Run a module of the benchmark with that server's settings; return the JSON it prints in its last line."""
        return json.loads(self._run(server.env, "-m", module, *arguments).splitlines()[-1])

    def _environ(self) -> dict[str, str]:
        import MySQLdb

        name = f"bench_{self.databases}"
        server = MySQLdb.connect(host="127.0.0.1", port=self.mariadb.port, user="blog", password="blog")
        with closing(server), closing(server.cursor()) as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci")
        redis_number = self.databases * 4  # each blog has four in a row
        self.databases += 1
        return {
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "BENCH_VAR": str(self.var),
            "DATABASE_URL": f"mysql://blog:blog@127.0.0.1:{self.mariadb.port}/{name}",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/{redis_number}",
            "TRUSTED_PROXIES": "1",
            "ALLOWED_HOSTS": "*",  # nginx hands on its own name with its port
        }

    def _run(self, environ: dict[str, str], *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FILLING_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout
