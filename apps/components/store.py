"""The snapshot's one getter. Callers know neither where it is kept nor how it is dropped."""

import logging
import math
import threading
import time

from django.db import DatabaseError, transaction

from .snapshot import Snapshot, build

# Another process (a management command, say) has no way yet to tell this one: after so long it looks by itself.
MAX_AGE_SECONDS = 10

logger = logging.getLogger(__name__)
_lock = threading.Lock()
_kept: tuple[float, Snapshot] | None = None
_stamp = object()


def get() -> Snapshot:
    """Return the site components: from memory, else from the database (see snapshot.build for the queries).

    With the database away the last snapshot stands, however old; raises DatabaseError when there never was one.
    """
    kept = _kept
    if kept is not None and time.monotonic() - kept[0] < MAX_AGE_SECONDS:
        return kept[1]
    return _refresh()


def invalidate() -> None:
    """Drop the snapshot once the running transaction has committed; at once when there is none."""
    transaction.on_commit(drop)


def drop() -> None:
    """Drop the snapshot now; one that is being built meanwhile will not be kept."""
    global _kept, _stamp
    with _lock:
        _stamp = object()
        if _kept is not None:
            _kept = (-math.inf, _kept[1])  # too old to be asked for, good enough while the database is away


def _refresh() -> Snapshot:
    global _kept
    stamp, began, older = _stamp, time.monotonic(), _kept
    try:
        snapshot = build()
    except DatabaseError:
        if older is None:
            raise
        logger.exception("The database gives no site components; the last ones stand.")
        return older[1]
    with _lock:
        # What was read while somebody changed it is good for this answer alone.
        if stamp is _stamp:
            _kept = (began, snapshot)
    return snapshot
