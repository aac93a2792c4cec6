"""The mark that nginx puts into the key of every page it keeps: once it is renewed, no older copy is found again.

nginx shows an old copy of a page while the app is in trouble. A copy of something that has been withdrawn must not
come back that way, in any language or encoding, on any nginx host, and no app may be needed to prevent it. So the mark
lies in the folder that nginx and all processes share, as the modification time of an empty file, which
deploy/nginx/blog.conf reads.
"""

import logging
import os
import secrets
import threading
import time
from pathlib import Path

from django.conf import settings

NAME = ".epoch"  # in MEDIA_ROOT
# By then every process has heard of the change (coherence.py). An answer that one gave from memory before may have been
# kept by nginx under the new mark; hence another mark.
ONCE_MORE_SECONDS = 0.8

logger = logging.getLogger(__name__)

_changing = threading.Lock()
_once_more_at = 0.0
_is_waiting = False
_has_complained = False
_known: int | None = None


def begin() -> None:
    """Leave a mark where there is none (1 stat): to find it missing costs nginx ten microseconds more a page.

    Never raises, as `renew()`.
    """
    if not _read():
        _write()


def renew() -> None:
    """Make nginx forget its copies: at once, and once more when all processes have heard of the withdrawal.

    Costs one write to a shared folder. Never raises: where the folder can't be written, that is logged once.
    """
    global _once_more_at, _is_waiting
    _write()
    with _changing:
        _once_more_at = time.monotonic() + ONCE_MORE_SECONDS
        if _is_waiting:
            return
        _is_waiting = True
    # Not a daemon: a command that ends at once must not take the second mark with it.
    threading.Thread(target=_renew_once_more, name="cache-epoch").start()


def was_renewed_elsewhere() -> bool:
    """Whether another process has renewed the mark since the last call (1 stat); for one that hears of nothing else."""
    global _known
    mark = _read()
    with _changing:
        before, _known = _known, mark
    return before is not None and mark != before


def _renew_once_more() -> None:
    global _is_waiting
    while True:
        with _changing:
            left = _once_more_at - time.monotonic()
            if left <= 0:
                _is_waiting = False
                break
        time.sleep(left)
    _write()


def _write() -> None:
    global _has_complained, _known
    path = _path()
    mark = 1 + secrets.randbelow(2**30)  # before 2004: no program wonders about a time to come
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
        path.chmod(0o644)  # nginx is another user, whatever this one's umask
        os.utime(path, (mark, mark))
    except OSError as error:
        if not _has_complained:
            _has_complained = True
            logger.warning(
                "%s can't be written (%s): nginx may show what was withdrawn while the blog does not answer.",
                *(path, error.strerror),
            )
        return
    with _changing:
        _known = mark


def _read() -> int:
    try:
        return int(_path().stat().st_mtime)
    except OSError:
        return 0


def _path() -> Path:
    return Path(settings.MEDIA_ROOT) / NAME
