"""The numbers that pages show, held against the rows they come from."""

import logging
import time

from apps.core.pages import coherence, store

from .snapshot import Snapshot, build

LOGGED_MOST = 20
WORD_SECONDS = 1  # in which word of a change arrives, or is noticed to be missing

logger = logging.getLogger(__name__)


def reconcile_components() -> int:
    """Put right, and log, which totals and counts of the site components are not what the rows say; return how many.

    They are off only when something wrote to the database past the program, publishing nothing, and then for a minute
    at most. Today's views are older than the rows by design and not compared. Costs what snapshot.build does, and a
    second when something is off, because a change made just now may still be on its way.
    """
    kept = store.current_site()
    fresh = _numbers(build(kept.lists_stamp))
    shown = _numbers(kept)
    off = [name for name in sorted(shown.keys() | fresh.keys()) if shown.get(name, 0) != fresh.get(name, 0)]
    if off:
        time.sleep(WORD_SECONDS)
        if store.current_site().made_at != kept.made_at:
            return 0
        for name in off[:LOGGED_MOST]:
            logger.warning("%s: shown %d, counted %d; put right.", name, shown.get(name, 0), fresh.get(name, 0))
        if len(off) > LOGGED_MOST:
            logger.warning("%d more numbers of the site components were put right.", len(off) - LOGGED_MOST)
        coherence.publish_change()
    return len(off)


def _numbers(snapshot: Snapshot) -> dict[str, int]:
    statistics = snapshot.statistics
    return {
        "Posts": statistics.posts,
        "Comments": statistics.comments,
        **{f"Posts of category {shelf.pk}": shelf.posts for shelf in snapshot.categories.values()},
        **{f"Posts of source {shelf.pk}": shelf.posts for shelf in snapshot.sources.values()},
        **{f"Posts of tag {shelf.pk}": shelf.posts for shelf in snapshot.tags.values()},
        **{f"Posts of {month:%Y-%m}": posts for month, _address, posts in snapshot.months},
    }
