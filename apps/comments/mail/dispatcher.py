"""Sees to it that mail goes out soon, and that nobody who sends a comment waits for it.

In a fleet that is a task, and what a lost one would have sent the schedule's next one sends within a minute. A blog of
one process has no workers: a thread of its own does it, which ends when nothing is left that has a time to come.
"""

import atexit
import logging
import threading

from celery.exceptions import OperationalError
from django.conf import settings
from django.db import connections
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from apps.core.pages import store
from apps.core.resilience import Resettable

from .delivery import deliver, half_way, next_due_at
from .tasks import deliver_mail

AGAIN_SECONDS = 60  # after a failure that is no mail server's
RESET_SECONDS = 5

logger = logging.getLogger(__name__)


class _Own(Resettable):
    """This process's own thread, if it has one."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.wanted = threading.Event()
        self.thread: threading.Thread | None = None
        self.is_ending = False

    def reset(self) -> None:
        if thread := self.thread:
            self.is_ending = True
            self.wanted.set()
            thread.join(RESET_SECONDS)
            self.is_ending = False


_own = _Own()


def call() -> None:
    """Have what is due delivered, elsewhere: returns at once, within a second when Celery's broker is away."""
    if settings.CELERY_TASK_ALWAYS_EAGER:
        _start()
        return
    try:
        deliver_mail.delay()
    except (OperationalError, BrokerAway, OSError):
        logger.warning("No worker could be told of mail; the next one that the schedule starts sends it.")


def wait(seconds: float) -> bool:
    """Wait until this process's own thread has delivered what there is; False when that takes longer."""
    with _own.lock:
        thread = _own.thread
    if thread:
        thread.join(seconds)
    return not (thread and thread.is_alive())


def _start() -> None:
    with _own.lock:
        _own.wanted.set()
        if _own.thread is None:
            # A daemon, so that no exit waits for the next letter's time to come; but it does for one half on its way.
            _own.thread = threading.Thread(target=_work, name="mail", daemon=True)
            atexit.register(half_way.acquire, timeout=settings.EMAIL_TIMEOUT)
            _own.thread.start()


def _work() -> None:
    while not _own.is_ending:
        _own.wanted.clear()
        seconds = _round()
        if seconds is None:
            with _own.lock:
                if _own.wanted.is_set():
                    continue
                _own.thread = None
                return
        _own.wanted.wait(seconds)
    _own.thread = None


def _round() -> float | None:
    """Deliver; return in how many seconds there is more to do, None when nobody knows of any."""
    try:
        deliver(store.current_site())
        due_at = next_due_at()
    except Exception:
        logger.exception("Mail could not be delivered; trying again in a minute.")
        return AGAIN_SECONDS
    finally:
        connections.close_all()
    return None if due_at is None else max(1.0, (due_at - timezone.now()).total_seconds())
