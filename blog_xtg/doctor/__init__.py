"""Find faults of this blog's configuration and its running parts, and say in plain words how to fix them."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connections

from apps.core.observability import health

from .configuration import configuration, mail
from .database import database
from .files import backups, files
from .findings import ERROR, Finding
from .fleet import beat, clocks, jobs
from .redis import redis

BOUND_SECONDS = 15  # for each examination
EXAMINATIONS = [configuration, database, redis, clocks, beat, jobs, files, backups, mail]


def examine() -> Iterator[Finding]:
    """Yield what each examination has found, at least one finding each; none takes longer than 15 seconds."""
    parts = health.state()
    for examination in EXAMINATIONS:
        yield from _bounded(examination, parts)


def _bounded(examination: Callable[[dict[str, str]], Iterator[Finding]], parts: dict[str, str]) -> list[Finding]:
    found: list[Finding] = []

    def run() -> None:
        try:
            found.extend(examination(parts))
        except Exception as error:
            found.append(Finding(ERROR, f"{_subject(examination)} can't be examined: {error!r}."))
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(BOUND_SECONDS)
    if thread.is_alive():
        return [Finding(ERROR, f"{_subject(examination)}: no answer within {BOUND_SECONDS} seconds.")]
    return found


def _subject(examination: Callable[..., Any]) -> str:
    return (examination.__doc__ or "").rstrip(".")
