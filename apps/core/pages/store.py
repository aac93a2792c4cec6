"""The snapshot's one getter: memory, then Redis, then the database. Callers know neither, nor how it is dropped."""

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
from . import coherence
from .site import Snapshot

# With Redis away nobody tells of changes, and the database is asked again after so long.
AWAY_SECONDS = 0.1
# One that takes longer than this for its answers, time after time, is given a rest as long, and what is shown may be
# twice as old.
SLOW_SECONDS = 0.25
# With the database away the last snapshot stands for so long before it is asked again: readers must not queue for it.
DATABASE_AWAY_SECONDS = 1
# While one thread builds, the others wait; one that hangs holds them no longer than this.
BUILD_SECONDS = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    snapshot: Snapshot
    generation: int
    stamp: str | None
    read_at: float  # time.monotonic(), before the database answered
    took_seconds: float  # at most twice what the one before took, so that a single long one counts for little
    good_until: float


_kept: _Kept | None = None
_building = threading.Lock()


def remembered() -> Snapshot | None:
    """Return what current_site() would without asking anybody; None when it would ask."""
    kept = _kept
    if kept is None or not _is_true(kept):
        return None
    if time.monotonic() < kept.good_until:
        metrics.components_from_memory()
        return kept.snapshot
    return kept.snapshot if _building.locked() else None


def current_site() -> Snapshot:
    """Return the site components, as they are or as they were less than 100 ms ago.

    No round trip while word of changes arrives and none did; 1 while it doesn't arrive; 2 to Redis after a change, and
    when no process has read them since, what settings.SITE_BUILDER costs. With the database away the last snapshot
    stands, however old; raises DatabaseError when there never was one. While one thread reads what nobody knows to have
    changed, but has become old, the others go on with it.
    """
    if snapshot := remembered():
        return snapshot
    asked_at = time.monotonic()
    got = _building.acquire(timeout=BUILD_SECONDS)
    try:
        kept = _kept  # somebody may have been faster
        is_good = kept is not None and _is_true(kept) and time.monotonic() < kept.good_until
        return kept.snapshot if kept is not None and is_good else _read(kept, asked_at)
    finally:
        if got:
            _building.release()


def drop() -> None:
    """Forget the snapshot; it is only brought out again should the database be away."""
    coherence.invalidate(None)


def _is_true(kept: _Kept) -> bool:
    # Asked first: it may be now that this process hears of a change.
    is_current = coherence.backend().is_current()
    return is_current and kept.generation == coherence.generation()


def _read(older: _Kept | None, asked_at: float) -> Snapshot:
    global _kept
    backend = coherence.backend()
    generation, read_at = coherence.generation(), time.monotonic()
    stamps = backend.stamps()
    if older is not None and older.generation == generation and read_at < older.good_until:
        oldest_seconds = 2 * older.took_seconds if older.took_seconds > SLOW_SECONDS else AWAY_SECONDS
        if stamps is None and asked_at - older.read_at < oldest_seconds:
            return older.snapshot
        if stamps is not None and stamps.site == older.stamp:
            return older.snapshot
    try:
        snapshot = _shared(backend, stamps) or _built(backend, stamps)
    except DatabaseError:
        if older is None:
            raise
        logger.exception("The database gives no site components; the last ones stand.")
        now = time.monotonic()
        _kept = _Kept(older.snapshot, generation, older.stamp, now, older.took_seconds, now + DATABASE_AWAY_SECONDS)
        return older.snapshot
    age_seconds = max(0.0, time.time() - snapshot.made_at)
    lasts_seconds = min(backend.snapshot_seconds - age_seconds, snapshot.next_due_at - time.time())
    # Kept even when a change was heard of meanwhile: it is then no good but for the day the database is away.
    took_seconds = time.monotonic() - read_at
    if older is not None:
        took_seconds = min(took_seconds, max(AWAY_SECONDS, 2 * older.took_seconds))
    _kept = _Kept(snapshot, generation, stamps.site if stamps else None, read_at, took_seconds, read_at + lasts_seconds)
    return snapshot


def _shared(backend: coherence.Backend, stamps: coherence.Stamps | None) -> Snapshot | None:
    text = backend.load(stamps.site) if stamps else None
    if text is None:
        return None
    try:
        snapshot = Snapshot.from_json(json.loads(text))
    except (ValueError, TypeError, KeyError):  # of another version of the program
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
