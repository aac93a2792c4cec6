"""gunicorn's own log in the format of all others, and a record for each request it has answered."""

import atexit
import datetime
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted
from typing import Protocol
from wsgiref.types import WSGIEnvironment

from gunicorn.glogging import Logger

from ..environment import Env, load, one_sentence
from .logs import HIDDEN, JsonLine, timestamp

PATH_CHARACTERS = 1000
UNLOGGED = {"/healthz", "/readyz", "/metrics"}  # asked for every few seconds by those who watch


WRITTEN_EVERY_SECONDS = 0.2
WRITTEN_AT_ONCE_BYTES = 4096  # what a pipe takes in one piece, so that workers don't write into each other's lines
WAITING_LINES = 10_000  # when whoever reads the log hangs, the oldest give way and no reader waits


class Lines:
    """Writes lines to standard output soon: each by itself would hand the processor to another thread every time."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=WAITING_LINES)
        self._lock = threading.Lock()
        self._pid = 0

    def add(self, line: bytes) -> None:
        self._waiting.append(line)
        if self._pid != os.getpid():  # a new worker
            self._start()

    def flush(self) -> None:
        with self._lock:
            while self._waiting:
                some = self._waiting.popleft()
                while self._waiting and len(some) + len(self._waiting[0]) <= WRITTEN_AT_ONCE_BYTES:
                    some += self._waiting.popleft()
                os.write(1, some)

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            threading.Thread(target=self._run, name="access log", daemon=True).start()
            atexit.register(self.flush)

    def _run(self) -> None:
        while True:
            time.sleep(WRITTEN_EVERY_SECONDS)
            self.flush()


class Response(Protocol):
    """The response as gunicorn's workers for WSGI and for ASGI pass it."""

    status: str | int
    headers: Iterable[tuple[str | bytes, str | bytes]]


class AccessLogger(Logger):
    """Lines of JSON where LOG_FORMAT asks for them; else what gunicorn does by itself.

    It goes by the environment alone: the settings are not to be loaded before the application, which prepares it.
    """

    def setup(self, cfg: object) -> None:
        env = Env()
        with one_sentence():
            load()
        default = "json" if env.str("REDIS_URL", default="") else "line"
        self._json = env.str("LOG_FORMAT", default=default) == "json"
        self._host = env.str("BLOG_HOST", default=socket.gethostname())
        self._lines = Lines()
        super().setup(cfg)
        if self._json:
            for handler in self.error_log.handlers:
                handler.setFormatter(JsonLine(self._host))

    def _compute_access_log_enabled(self) -> bool:
        return self._json or super()._compute_access_log_enabled()

    def access(self, resp: Response, req: object, environ: WSGIEnvironment, request_time: datetime.timedelta) -> None:
        """Have a line written to standard output: time, method, path, status, duration_ms, what the app has noted.

        Without the query, which may hold what somebody searches for. Costs about 4 µs; a worker that is killed takes
        the lines of its last 0.2 s along.
        """
        if not self._json or self.cfg.accesslog:
            super().access(resp, req, environ, request_time)
            return
        plain_path = environ.get("PATH_INFO", "")
        if plain_path in UNLOGGED:
            return
        path = environ.get("RAW_URI", "").partition("?")[0][:PATH_CHARACTERS]
        if plain_path.startswith("/comments/mail/"):
            path = f"/comments/mail/{HIDDEN}"
        elapsed = request_time.seconds * 1000 + request_time.microseconds / 1000
        told = environ.get("blog.told", "")
        line = (
            f'{{"time":"{timestamp(time.time())}","level":"info","logger":"access","host":{quoted(self._host)},"process":{os.getpid()},'
            f'"request_id":{quoted(_request_id(resp, environ))},"method":{quoted(environ["REQUEST_METHOD"])},'
            f'"path":{quoted(path)},"status":{str(resp.status)[:3]},"duration_ms":{elapsed:.1f}{told}}}\n'
        )
        self._lines.add(line.encode())


def _request_id(resp: Response, environ: WSGIEnvironment) -> str:
    """The id that RequestMiddleware went by: in the environ that a WSGI server shares with it, else in the answer."""
    if "wsgi.version" in environ:
        return str(environ.get("HTTP_X_REQUEST_ID", ""))
    for name, value in resp.headers:
        if name.lower() in {b"x-request-id", "x-request-id"}:
            return value.decode() if isinstance(value, bytes) else str(value)
    return ""
