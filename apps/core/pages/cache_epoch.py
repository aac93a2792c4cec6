"""The mark that nginx puts into the key of every page it caches. After it is renewed, nginx finds no older copy.

nginx serves stale pages while the app is down. A page of a post that was withdrawn must not come back that way, in any
language or encoding, on any nginx host, and preventing it must not need the app. So the mark is the modification time
of an empty file in the folder that nginx and all processes share; deploy/nginx/blog.conf reads it.
"""

import logging
import os
import secrets
import threading
import time
from pathlib import Path

from django.conf import settings

from ..resilience import Once, Resettable

NAME = ".epoch"  # in MEDIA_ROOT
# By then every process has received the change (coherence.py). Before that, nginx may have cached an answer from the
# memory of a slower process under the new mark; hence a second mark.
ONCE_MORE_SECONDS = 0.8

logger = logging.getLogger(__name__)


class _Mark(Resettable):
    """What this process knows of the mark."""

    def __init__(self) -> None:
        super().__init__()
        self._changing = threading.Lock()
        self._once_more_at = 0.0
        self._is_waiting = False
        self._known: int | None = None
        self._is_first_failure = Once()

    def renew(self) -> None:
        self.write()
        with self._changing:
            self._once_more_at = time.monotonic() + ONCE_MORE_SECONDS
            if self._is_waiting:
                return
            self._is_waiting = True
        # Not a daemon: a command that ends at once must still set the second mark.
        threading.Thread(target=self._renew_once_more, name="cache-epoch").start()

    def was_renewed_elsewhere(self) -> bool:
        mark = self.read()
        with self._changing:
            before, self._known = self._known, mark
        return before is not None and mark != before

    def _renew_once_more(self) -> None:
        while True:
            with self._changing:
                left = self._once_more_at - time.monotonic()
                if left <= 0:
                    self._is_waiting = False
                    break
            time.sleep(left)
        self.write()

    def write(self) -> None:
        path = _path()
        mark = 1 + secrets.randbelow(2**30)  # before 2004: some programs refuse a time in the future
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
            path.chmod(0o644)  # nginx runs as another user, whatever this one's umask
            os.utime(path, (mark, mark))
        except OSError as error:
            if self._is_first_failure():
                logger.warning(
                    "%s can't be written (%s): nginx may show what was withdrawn while the blog does not answer.",
                    *(path, error.strerror),
                )
            return
        with self._changing:
            self._known = mark

    def read(self) -> int:
        try:
            return int(_path().stat().st_mtime)
        except OSError:
            return 0

    def reset(self) -> None:
        with self._changing:
            self._known = None


_mark = _Mark()


def begin() -> None:
    """Set a mark if there is none (1 stat): nginx takes 10 µs more for each page without one. Never raises."""
    if not _mark.read():
        _mark.write()


def renew() -> None:
    """Make nginx forget its copies: now, and again when all processes have received the change.

    Costs one write to a shared folder. Never raises: if the folder can't be written, that is logged once.
    """
    _mark.renew()


def was_renewed_elsewhere() -> bool:
    """Whether another process has renewed the mark since the last call (1 stat). For a process without Redis."""
    return _mark.was_renewed_elsewhere()


def _path() -> Path:
    return Path(settings.MEDIA_ROOT) / NAME
