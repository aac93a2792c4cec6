"""Throwaway servers for the tests: real programs, own folders, free ports, stopped by their pid.

A service that isn't installed belongs to a group (its marker); `missing()` says why, `make services` is what helps.
Start them from the main thread: they die with the thread that started them, so that a killed test run leaves none.
"""

import importlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType, TracebackType
from typing import ClassVar, Self

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = ROOT / "tests/tools/node_modules"
# Debian's daemons live where an ordinary user's PATH doesn't look; what pip installed lies beside Python.
SEARCH_PATH = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"]
)
# Headless Chromium names itself, and robots are not counted.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Group -> programs of which one must be there (each tuple), and modules that must import.
NEEDS: dict[str, tuple[list[tuple[str, ...]], list[str]]] = {
    "mariadb": ([("mariadbd",), ("mariadb-install-db",)], ["MySQLdb"]),
    "redis": ([("redis-server",)], ["redis"]),
    "nginx": ([("nginx",)], []),
    "chromium": ([("chromium", "chromium-browser")], ["playwright.sync_api"]),
    "gunicorn": ([], ["gunicorn"]),
    "wrk": ([("wrk",)], []),
    "promtool": ([("promtool",)], []),
    "amtool": ([("amtool",)], []),
    "brotli": ([("brotli",), ("nginx",)], []),
    "gettext": ([("xgettext",), ("msgfmt",), ("msgattrib",)], []),
    "axe": ([("chromium", "chromium-browser")], ["playwright.sync_api"]),
    "vnu": ([("java",), ("chromium", "chromium-browser")], ["playwright.sync_api"]),
    "lighthouse": ([("node",), ("chromium", "chromium-browser")], []),
    "sitemap_schema": ([], []),
    "json_feed_schema": ([], []),
    "systemd": ([("systemd-analyze",)], []),
    "compose_schema": ([("check-jsonschema",)], []),
    "hadolint": ([("hadolint",)], []),
}
# Group -> npm package that must be in tests/tools, too.
NPM_PACKAGES = {
    "axe": "axe-core",
    "vnu": "vnu-jar",
    "lighthouse": "lighthouse",
    "sitemap_schema": "sitemap",
    "json_feed_schema": "jsonfeed-schema",
}


def program(*names: str) -> str:
    for name in names:
        if path := shutil.which(name, path=SEARCH_PATH):
            return path
    raise FileNotFoundError(f"{names[0]} is not installed")


@cache
def missing(group: str) -> str:
    """Why the group's services can't be used here, or an empty string."""
    programs, modules = NEEDS[group]
    for names in programs:
        try:
            program(*names)
        except FileNotFoundError as error:
            return str(error)
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            return f"the Python module {module} is not installed"
    package = NPM_PACKAGES.get(group)
    if package and not (NODE_MODULES / package / "package.json").exists():
        return f"the npm package {package} is not installed"
    return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def site_settings(**variables: str) -> ModuleType:
    """The site's settings module as the given environment alone would make it; nothing global changes.

    The environment is otherwise that of tests.settings: SQLite, a SECRET_KEY, no `.env`. An empty string unsets.
    """
    before = dict(os.environ)
    try:
        for name, value in variables.items():
            if value:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
        spec = importlib.util.find_spec("blog_xtg.settings")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        os.environ.clear()
        os.environ.update(before)


class Service:
    """A program in its own folder; use as a context manager. `stop()` and `start()` again play an outage."""

    group: ClassVar[str]
    patience_seconds: ClassVar[float] = 60

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix=f"blog-{self.group}-")
        self.folder = Path(self._folder.name)
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self) -> None:
        command = self.command()
        if setpriv := shutil.which("setpriv", path=SEARCH_PATH):
            command = [setpriv, "--pdeathsig", "KILL", *command]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the tests, and they stop this in order.
                start_new_session=True,
            )
        wait_until(self._ready, self.patience_seconds, lambda: f"{self.group} does not answer:\n{self.log[-4000:]}")

    def _ready(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.group} ended with {self.process.returncode}:\n{self.log[-4000:]}")
        return self.answers()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stops it by its pid; with SIGKILL as a power cut would. Does nothing when it isn't running."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)

    def pause(self) -> None:
        """Hangs: connections are accepted and nothing answers, until `resume()`.

        Returns when it has stopped: on a busy machine its threads would go on answering for a while.
        """
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.process.pid}/task")

        def has_stopped() -> bool:
            states = [file.read_text().rpartition(")")[2].split()[0] for file in threads.glob("*/stat")]
            return bool(states) and set(states) <= {"T", "t", "Z"}

        wait_until(has_stopped, 20)

    def resume(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
        self.stop()
        self._folder.cleanup()


def wait_until(happened: Callable[[], bool], seconds: float, complaint: Callable[[], str] | str = "") -> None:
    """Polls until `happened()`; raises TimeoutError with the complaint after three times the given seconds.

    They are what it may take on a machine with nothing else to do. What holds the program to a time measures that
    itself.
    """
    end = time.monotonic() + 3 * seconds
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(complaint() if callable(complaint) else complaint or f"Not within {3 * seconds} s.")
        time.sleep(0.02)


class MariaDB(Service):
    """A server with one user, `blog`, who may do everything; `url` is what DATABASE_URL wants."""

    group = "mariadb"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options

    @property
    def url(self) -> str:
        return f"mysql://blog:blog@127.0.0.1:{self.port}/blog"

    def start(self) -> None:
        if not (self.folder / "data").exists():
            subprocess.run(
                [
                    program("mariadb-install-db"),
                    "--no-defaults",
                    f"--datadir={self.folder / 'data'}",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    "--skip-name-resolve",
                    *self._user(),
                ],
                check=True,
                capture_output=True,
                timeout=120,
            )
            # One statement to a line: the server reads it so.
            (self.folder / "init.sql").write_text(
                "CREATE DATABASE blog CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci;\n"
                "GRANT ALL ON *.* TO 'blog'@'127.0.0.1' IDENTIFIED BY 'blog' WITH GRANT OPTION;\n"
            )
        super().start()
        (self.folder / "init.sql").write_text("")

    def command(self) -> list[str]:
        return [
            program("mariadbd"),
            "--no-defaults",
            *self._user(),
            f"--datadir={self.folder / 'data'}",
            f"--tmpdir={self.folder}",
            f"--init-file={self.folder / 'init.sql'}",
            "--socket=socket",
            f"--pid-file={self.folder / 'pid'}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_uca1400_as_ci",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=16M",
            "--performance-schema=off",
            "--innodb-lock-wait-timeout=20",
            *self.options,
        ]

    def ask(self, statement: str) -> list[tuple]:
        """Return the server's answer to one statement, outside of any transaction."""
        import MySQLdb

        client = MySQLdb.connect(host="127.0.0.1", port=self.port, user="blog", password="blog", autocommit=True)
        try:
            with client.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            client.close()

    def _user(self) -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []

    def answers(self) -> bool:
        import MySQLdb

        try:
            MySQLdb.connect(
                host="127.0.0.1", port=self.port, user="blog", password="blog", database="blog", connect_timeout=2
            ).close()
        except MySQLdb.Error:
            return False
        return True


class Redis(Service):
    group = "redis"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return [
            program("redis-server"),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.folder),
            *self.options,
        ]

    def client(self):
        import redis

        return redis.Redis(port=self.port, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)

    def answers(self) -> bool:
        import redis

        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Sentinel(Redis):
    """One that decides alone, a second after it last heard of that master; `url` is what REDIS_URL wants."""

    def __init__(self, master: Redis) -> None:
        super().__init__()
        (self.folder / "sentinel.conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor mymaster 127.0.0.1 {master.port} 1\n"
            "sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n"
        )

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.port}/mymaster/0"

    def command(self) -> list[str]:
        return [program("redis-server"), str(self.folder / "sentinel.conf"), "--sentinel"]

    def master_port(self) -> int:
        with self.client() as client:
            return int(client.sentinel_get_master_addr_by_name("mymaster")[1])


class Nginx(Service):
    """nginx with the given contents of its http block, in which PORT stands for the port it listens on.

    `listen 127.0.0.1:PORT;` must be in there; FOLDER stands for a folder it may write to. `main` stands around it all.
    """

    group = "nginx"

    def __init__(self, http: str, workers: int = 1, main: str = "") -> None:
        super().__init__()
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "\n".join(
            f"{name}_temp_path FOLDER/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = (
            f"{main} daemon off; pid FOLDER/pid; error_log stderr; pcre_jit on; worker_processes {workers}; {user}\n"
            f"events {{ worker_connections 512; }}\nhttp {{\n{temporary}\n{http}\n}}\n"
        )
        (self.folder / "nginx.conf").write_text(
            re.sub(r"\bPORT\b", str(self.port), re.sub(r"\bFOLDER\b", str(self.folder), config))
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [program("nginx"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]


class BlogServer(Service):
    """The blog as `make run` starts it, a process of its own: ASGI, websockets, static files, its own data.

    `environ` goes on top of an environment that holds nothing of a developer's. DATABASE_URL and REDIS_URL among it make
    it one of a fleet.
    """

    group = "blog"

    def __init__(self, **environ: str) -> None:
        super().__init__()
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TZ", "TMPDIR"}}
        self.env = {
            **kept,
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "only-for-browser-tests-0123456789-0123456789-0123456789",
            "DATABASE_URL": f"sqlite:///{self.folder / 'blog.sqlite3'}",
            "MEDIA_ROOT": str(self.folder / "media"),
            "SITE_URL": self.url,
            "PYTHONUNBUFFERED": "1",
            # All readers of a test come from one address, and in a hurry.
            "COMMENTS_PER_ADDRESS_PER_MINUTE": "0",
            "COMMENTS_PER_ADDRESS_PER_DAY": "0",
            "COMMENTS_PER_POST_PER_MINUTE": "0",
            "COMMENT_FORM_MIN_SECONDS": "0",
            **environ,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        return self.env

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "start", "--port", str(self.port)]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Runs a management command against this blog and returns what it printed; raises when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,  # as wait_until(), three times what it may take
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


class GunicornServer(BlogServer):
    """The blog's pages and beacon as a fleet serves them: gunicorn gthread with deploy/gunicorn.conf.py.

    Give DATABASE_URL and REDIS_URL; the database must have been migrated (`manage("migrate")`).
    """

    group = "gunicorn"

    def __init__(self, workers: int = 1, application: str = "blog_xtg.wsgi", **environ: str) -> None:
        super().__init__(**environ)
        self.workers = workers
        self.application = application

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"),
            *("--bind", f"127.0.0.1:{self.port}", "--workers", str(self.workers), self.application),
        ]


class LiveServer(BlogServer):
    """The fleet's websockets, by gunicorn's own asgi worker or by daphne; give DATABASE_URL and REDIS_URL."""

    group = "gunicorn"

    def __init__(
        self, program: str = "gunicorn", application: str = "blog_xtg.asgi:application", **environ: str
    ) -> None:
        super().__init__(**environ)
        self.program = program
        self.application = application

    def command(self) -> list[str]:
        if self.program == "daphne":
            return [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), self.application]
        return [
            *(sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--worker-class", "asgi"),
            *("--bind", f"127.0.0.1:{self.port}", "--workers", "1", self.application),
        ]


class CeleryProcess(BlogServer):
    """A Celery worker or beat as a fleet runs it, of the application named; give REDIS_URL."""

    group = "celery"
    patience_seconds = 30

    def __init__(self, kind: str, application: str = "blog_xtg", **environ: str) -> None:
        super().__init__(**environ)
        self.kind, self.application = kind, application

    def command(self) -> list[str]:
        only = ["--concurrency", "1"] if self.kind == "worker" else []
        return [sys.executable, "-m", "celery", "-A", self.application, self.kind, "-l", "INFO", *only]

    def answers(self) -> bool:
        return True  # what it does shows whether it is there

    def kill(self) -> None:
        """With everything it has started, as a host that loses its power."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        self.process = None

    @property
    def log_since_start(self) -> str:
        return self.log.rpartition("is starting." if self.kind == "beat" else "[config]")[2]
