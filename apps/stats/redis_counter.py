"""Count views in Redis, one round trip for each, and flush them to the tables every minute.

| key                                       | content                                       | kept until        |
|-------------------------------------------|-----------------------------------------------|-------------------|
| `blog:{views}:pending`, `:batch`          | hashes, see redis_scripts.py                  | they are flushed  |
| `blog:{views}:totals`                     | a hash, see redis_scripts.py                  | 1 day after use   |
| `blog:{views}:visitors:DAY`               | a HyperLogLog of at most 12 kB                | 3 days            |
| `blog:{views}:referrers:DAY`              | a set of at most NAMES_A_DAY referrers        | 3 days            |
| `blog:{views}:source:ID`                  | the last number that this source has sent     | 1 day after use   |
| `blog:salt:DAY`                           | the salt for the hashes of visitors           | the day ends      |

The braces make a Redis Cluster store the keys of one script on the same node.

If Redis loses its memory, the views since the last flush are lost: those of a minute at most. So is the set of today's
visitors. The table still has their number at the last flush, which is shown until the new count exceeds it. With an
append-only file Redis loses only the last second. If a flush began and ended within that second, the flushed views are
pending again after the restart, and are counted twice.

Redis must not evict keys: there is no other copy of pending views.
"""

import datetime
import logging
import secrets
from collections import deque
from collections.abc import Collection

import redis
from django.db import DatabaseError
from django.utils import timezone

from apps.core.chunks import chunked
from apps.core.db.gate import Away, one_question
from apps.core.redis.clients import RedisError, run
from apps.posts.models import Post

from .backlog import Backlog, Parcel
from .batches import Batch, apply
from .counters import Numbers, View
from .models import DailyViews
from .redis_scripts import COUNT, FINISH, TAKE
from .referrers import NAMES_A_DAY, OTHER

BACKLOG_VIEWS = 10_000  # per process
REPLAYED_AT_ONCE = 500
DRAINED_AT_ONCE = 5  # batches; there is more than one only after a flusher was killed
KEYS = "blog:{views}:"
PENDING, BATCH, TOTALS = KEYS + "pending", KEYS + "batch", KEYS + "totals"

logger = logging.getLogger(__name__)


class RedisCounter:
    """The counter of a fleet. Raises no RedisError: without Redis, views wait in the backlog and numbers are None."""

    def __init__(self, client: redis.Redis, backlog_views: int = BACKLOG_VIEWS) -> None:
        self._redis = client
        self._count = client.register_script(COUNT)
        self._take = client.register_script(TAKE)
        self._finish = client.register_script(FINISH)
        self._backlog = Backlog(backlog_views)
        # The idle sources, each with the last number it has sent. A thread takes a source, sends a view, and returns
        # the source after Redis has answered. Without an answer the source stays with its view in the backlog: the view
        # is sent again with the same number, so that Redis counts it once.
        self._sources: deque[tuple[str, int]] = deque()
        self._salt: tuple[datetime.date, bytes] | None = None
        self._offer: tuple[datetime.date, bytes] | None = None

    def salt(self, day: datetime.date) -> bytes:
        """Return the salt of that day (1 round trip, at the process's first view of the day).

        If Redis is unavailable when a day begins, the process uses its own random salt. When Redis is back, the first
        process to offer its salt sets it for all. A visitor counted meanwhile under several salts counts several times.
        """
        known, offer = self._salt, self._offer  # local copies: at midnight another thread may replace them
        if known is not None and known[0] == day:
            return known[1]
        if offer is None or offer[0] != day:
            offer = self._offer = (day, secrets.token_bytes(32))
        key, offered = f"blog:salt:{day}", offer[1]
        try:
            with self._redis.pipeline() as pipe:
                pipe.set(key, offered, nx=True, ex=_seconds_left(day))
                pipe.get(key)
                agreed = pipe.execute()[1]
        except RedisError:
            return offered
        agreed = agreed or offered
        self._salt = (day, agreed)
        return agreed

    def hit(self, view: View) -> Numbers:
        """Count one view and return the numbers to show.

        Costs 1 round trip. If a total is not in Redis, 2 more and 1 or 2 queries: at most once an hour for each number.
        If the database is unavailable, such a number is None (see core/db/gate.py).
        """
        parcel = self._parcel(view)
        if len(self._backlog):
            self.replay(REPLAYED_AT_ONCE)
        try:
            answer = self._send(parcel)
        except RedisError:
            self._backlog.add(parcel)
            return Numbers()
        self._sources.append((parcel.source, parcel.number))
        return self._complete(answer, view.day, view.post_id)

    def numbers(self, day: datetime.date, post_id: int | None = None) -> Numbers:
        """Return the numbers to show without counting a view. Costs the same as `hit()`."""
        try:
            answer = self._send(Parcel("", 0, View(day, post_id=post_id)))
        except RedisError:
            return Numbers()
        return self._complete(answer, day, post_id)

    def newer_than_tables(self, day: datetime.date) -> Numbers:
        """Return the day's numbers including views that are not flushed yet. Costs the same as `hit()`."""
        return self.numbers(day)

    def drain(self) -> int:
        """Flush pending views to the tables, after a batch that a killed flusher has left. Return the page views.

        There is one batch at a time. Two flushers may hold the same batch: the unique ids in FlushedBatch let only one
        of them write it, and the batch is deleted only after that. Raises DatabaseError; the batch then stays in Redis.
        """
        self.replay(BACKLOG_VIEWS)
        flushed, own = 0, secrets.token_hex(16)
        try:
            for _ in range(DRAINED_AT_ONCE):
                batch = self._taken(own)
                if batch is None:
                    break
                if apply(batch, self._visitors(batch.days)):
                    flushed += sum(batch.pv.values())
                self._finish(keys=[BATCH, TOTALS], args=[batch.id, *_totals(batch)])
                if batch.id == own:
                    break
        except RedisError:
            logger.warning("Redis is away; views are flushed when it is back.", exc_info=True)
        return flushed

    def forget_totals(self) -> None:
        try:
            self._redis.delete(TOTALS)
        except RedisError:
            logger.warning("Redis is away; the totals shown are made anew in an hour.")

    def replay(self, most: int = BACKLOG_VIEWS) -> None:
        """Count up to `most` views of the backlog, the oldest first (1 round trip for each 500)."""
        counted = 0
        while counted < most and (parcels := self._backlog.take(REPLAYED_AT_ONCE)):
            try:
                with self._redis.pipeline(transaction=False) as pipe:
                    for parcel in parcels:
                        self._count(*_arguments(parcel), client=pipe)
                    pipe.execute()
            except RedisError:
                self._backlog.put_back(parcels)
                break
            counted += len(parcels)
        if counted:
            self._backlog.report(counted)

    def _parcel(self, view: View) -> Parcel:
        try:
            source, last = self._sources.pop()
        except IndexError:
            source, last = secrets.token_hex(8), 0
        return Parcel(source, last + 1, view)

    def _send(self, parcel: Parcel) -> list[int | None]:
        answer: list[int | None] = run(self._redis, self._count, *_arguments(parcel))
        return answer

    def _complete(self, answer: list[int | None], day: datetime.date, post_id: int | None) -> Numbers:
        """Return the numbers of an answer of COUNT. Look up missing totals in the tables and store them in Redis.

        Numbers stay None while the database or Redis is unavailable.
        """
        lacks_day, lacks_post = None in answer[:2], post_id is not None and answer[2] is None
        if lacks_day or lacks_post:
            try:
                with one_question:
                    totals = _of_day(day) if lacks_day else {}
                    if post_id is not None and lacks_post:
                        totals |= _of_posts([post_id]) or {f"t:{post_id}": 0}
                with self._redis.pipeline() as pipe:
                    for field, number in totals.items():
                        # Never overwrite a total that a flusher has set: it fits the batch that was just flushed.
                        pipe.hsetnx(TOTALS, field, number)
                    pipe.expire(TOTALS, 86400)
                    pipe.execute()
                answer = self._send(Parcel("", 0, View(day, post_id=post_id)))
            except Away:
                pass
            except DatabaseError as error:
                logger.warning("The tables tell no totals to show: %s", error)
            except RedisError:
                pass  # the view is counted; its numbers are returned with the next view
        return Numbers(*answer)

    def _taken(self, own: str) -> Batch | None:
        fields = self._take(keys=[PENDING, BATCH], args=[own])
        return Batch.of(dict(zip(fields[::2], fields[1::2], strict=True))) if fields else None

    def _visitors(self, days: set[datetime.date]) -> dict[datetime.date, int]:
        return {day: self._redis.pfcount(f"{KEYS}visitors:{day}") for day in days}


def _arguments(parcel: Parcel) -> tuple[list[str], list[str | int]]:
    """Return the keys and arguments of the script COUNT."""
    view, day = parcel.view, parcel.view.day.isoformat()
    keys = [
        *(PENDING, BATCH, TOTALS),
        *(f"{KEYS}visitors:{day}", f"{KEYS}referrers:{day}", f"{KEYS}source:{parcel.source}"),
    ]
    return keys, [parcel.number, day, view.visitor, view.post_id or "", view.referrer, NAMES_A_DAY, OTHER]


def _of_day(day: datetime.date) -> dict[str, int]:
    """Return a day's page views and visitors in the tables, by their fields in the hash of totals (1 query)."""
    pv, uv = DailyViews.objects.numbers(day)
    return {f"d:{day}": pv, f"u:{day}": uv}


def _of_posts(posts: Collection[int]) -> dict[str, int]:
    """Return the total views of the posts that exist, by their fields in the hash of totals (1 query)."""
    views = Post.objects.filter(pk__in=posts).values_list("pk", "view_count")
    return {f"t:{pk}": number for pk, number in views}


def _totals(batch: Batch) -> list[str | int]:
    """Return fields and values for the hash of totals after a flush (1 query for each 500 posts and for each day)."""
    totals: dict[str, int] = {}
    for ids in chunked(list(batch.totals)):
        totals |= _of_posts(ids)
    for day in batch.pv:
        totals |= _of_day(day)
    return [part for pair in totals.items() for part in pair]


def _seconds_left(day: datetime.date) -> int:
    """Return the seconds until that day ends in the site's time zone, plus a minute for views still being sent."""
    end = datetime.datetime.combine(
        day + datetime.timedelta(days=1), datetime.time(), tzinfo=timezone.get_default_timezone()
    )
    return max(0, int((end - timezone.now()).total_seconds())) + 60
