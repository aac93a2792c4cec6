"""Return the current snapshot of the site from memory, from Redis, or from the database.

Callers need not know where it comes from, nor when it is dropped.
"""

import json
import logging
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string

from ..db import replicas
from ..observability import metrics
from ..resilience import Entry, StampedCache
from . import coherence
from .site import Snapshot

# While Redis is away no message arrives, and a snapshot is read again from the database after this long.
AWAY_SECONDS = 0.1
# If the database repeatedly takes longer than this, it gets a rest of the same length, and the snapshot shown may be
# twice as old.
SLOW_SECONDS = 0.25
# While the database is away the last snapshot is used for this long before the next try: readers must not queue for it.
DATABASE_AWAY_SECONDS = 1
# While one thread builds a snapshot the others wait this long at most.
BUILD_SECONDS = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    snapshot: Snapshot
    stamp: str | None
    took_seconds: float  # at most twice that of the snapshot before, so that one slow answer counts for little


_cache = StampedCache[_Kept]()  # under the generation; read_at is the moment before the database was asked
_building = threading.Lock()


def remembered() -> Snapshot | None:
    """Return what current_site() would return without a round trip, None if it would make one."""
    entry = _cache.last()
    if entry is None or not _is_current(entry):
        return None
    if time.monotonic() < entry.good_until:
        metrics.components_from_memory()
        return entry.value.snapshot
    return entry.value.snapshot if _building.locked() else None


def current_site() -> Snapshot:
    """Return the snapshot of the site, at most 100 ms old.

    Costs no round trip while the subscription is alive and nothing changes, and 1 per call while it is broken. After a
    change it costs 2 round trips to Redis, and what settings.SITE_BUILDER costs if no other process has built it. While
    the database is away the last snapshot is returned, however old; raises DatabaseError if there is none. While one
    thread refreshes an expired snapshot, the others keep using the old one.
    """
    if snapshot := remembered():
        return snapshot
    asked_at = time.monotonic()
    got = _building.acquire(timeout=BUILD_SECONDS)
    try:
        entry = _cache.last()  # another thread may have built it meanwhile
        if entry is not None and _is_current(entry) and time.monotonic() < entry.good_until:
            return entry.value.snapshot
        return _read(entry, asked_at)
    finally:
        if got:
            _building.release()


def drop() -> None:
    """Invalidate the snapshot. It is used again only while the database is away."""
    coherence.invalidate(None)


def _is_current(entry: Entry[_Kept]) -> bool:
    # Before the generation is compared: this call may receive a change.
    is_current = coherence.backend().is_current()
    return is_current and entry.stamp == coherence.generation()


def _read(older: Entry[_Kept] | None, asked_at: float) -> Snapshot:
    backend = coherence.backend()
    generation, read_at = coherence.generation(), time.monotonic()
    stamps = backend.stamps()
    if older is not None and older.stamp == generation and read_at < older.good_until:
        took_seconds = older.value.took_seconds
        most_seconds = 2 * took_seconds if took_seconds > SLOW_SECONDS else AWAY_SECONDS
        if stamps is None and asked_at - older.read_at < most_seconds:
            return older.value.snapshot
        if stamps is not None and stamps.site == older.value.stamp:
            return older.value.snapshot
    try:
        snapshot = _shared(backend, stamps) or _built(backend, stamps)
    except DatabaseError:
        if older is None:
            raise
        logger.exception("The database does not answer; pages show the last known state of the site.")
        _cache.put(older.value, generation, seconds=DATABASE_AWAY_SECONDS)
        return older.value.snapshot
    age_seconds = max(0.0, time.time() - snapshot.made_at)
    lasts_seconds = min(backend.snapshot_seconds - age_seconds, snapshot.next_due_at - time.time())
    took_seconds = time.monotonic() - read_at
    if older is not None:
        took_seconds = min(took_seconds, max(AWAY_SECONDS, 2 * older.value.took_seconds))
    # Kept even if a change has come meanwhile: then it serves only while the database is away.
    kept = _Kept(snapshot, stamps.site if stamps else None, took_seconds)
    _cache.put(kept, generation, read_at=read_at, seconds=lasts_seconds)
    return snapshot


def _shared(backend: coherence.Backend, stamps: coherence.Stamps | None) -> Snapshot | None:
    text = backend.load(stamps.site) if stamps else None
    if text is None:
        return None
    try:
        snapshot = Snapshot.from_json(json.loads(text))
    except (ValueError, TypeError, KeyError):  # from another version of the program
        return None
    if time.time() >= snapshot.next_due_at:
        return None
    metrics.components.labels("redis").inc()
    return snapshot


def _built(backend: coherence.Backend, stamps: coherence.Stamps | None) -> Snapshot:
    with replicas.reading():  # from the primary
        build = import_string(settings.SITE_BUILDER)
        snapshot: Snapshot = build(stamps.lists if stamps else coherence.new_stamp())
    metrics.components.labels("database").inc()
    if stamps:
        backend.save(stamps.site, json.dumps(snapshot.to_json(), separators=(",", ":")))
    return snapshot
