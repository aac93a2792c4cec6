"""The base of every task: in the whole fleet one run of a job at a time, and none that a dead worker holds up."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from celery import Task
from celery.exceptions import Ignore
from redis.lock import Lock

from .redis.clients import RedisError, client

# A worker that was killed holds its job's lock up for so long; one that lives renews it well before.
LOCK_SECONDS = 15
RENEWED_SECONDS = 5

logger = logging.getLogger(__name__)


class Job(Task):
    """A task that leaves its run out while another one of the same name is under way, on whatever host.

    That is what lets a message come back soon from a worker that was killed: a copy of one whose worker only takes long
    finds the lock held. `one_at_a_time=False` is for a job that shares its work out among its runs by itself; it should
    acknowledge early then, or a long run would be copied.

    A run that is left out is neither a success nor a failure (Celery's state IGNORED): reports.py counts nothing, and
    its message is acknowledged, since one that came back at once would find the lock held again.
    """

    one_at_a_time = True

    def __call__(self, *args: object, **kwargs: object) -> Any:
        if not self.one_at_a_time or self.request.called_directly:
            return self.run(*args, **kwargs)
        with alone(self.name) as is_alone:
            if is_alone:
                return self.run(*args, **kwargs)
        raise Ignore(f"{self.name} is under way elsewhere; this run is left out.")


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Hold the lock of that name, and tell whether it was free (2 round trips, and 1 every 5 s).

    Without Redis nobody can tell, and the answer is yes: jobs are safe to run twice, the lock only spares the work.
    """
    redis = client()
    if redis is None:
        yield True
        return
    lock = redis.lock(f"blog:job:{name}", timeout=LOCK_SECONDS, blocking=False, thread_local=False)
    try:
        if not lock.acquire():
            yield False
            return
    except RedisError as error:
        logger.warning("Whether %s runs elsewhere can't be told: %s", name, error)
        yield True
        return
    over = threading.Event()
    renewing = threading.Thread(target=_renew, args=(lock, over), name=f"lock of {name}", daemon=True)
    renewing.start()
    try:
        yield True
    finally:
        over.set()
        renewing.join()
        with suppress(RedisError):  # it ends by itself
            lock.release()


def _renew(lock: Lock, over: threading.Event) -> None:
    while not over.wait(RENEWED_SECONDS):
        with suppress(RedisError):
            lock.reacquire()
