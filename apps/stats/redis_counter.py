"""Views counted in Redis, in one round trip each, and flushed into the tables by the minute.

What is kept where, and how long: `blog:{views}:pending` and `:batch` until they are flushed, `:totals` for a day (see
redis_scripts; bounded by posts and referrers), `:visitors:DAY` (a HyperLogLog of 12 kB) and `:referrers:DAY` for three
days, `:source:ID` (the last number a thread sent) for a day, `blog:salt:DAY` until the day ends. The braces make a
cluster keep together what one script touches.

A Redis that loses its memory loses the views since the last flush, a minute's at most, and who has been here today: how
many that were by the last flush stands in the tables and goes on being shown, until more have come since then. With its
append-only file it loses the last second; when a flush fell into that second, the minute that was flushed may come back
and count twice. It must not evict keys: what is pending has no copy.
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
DRAINED_AT_ONCE = 5  # batches; more than one only when a flusher was killed
KEYS = "blog:{views}:"
PENDING, BATCH, TOTALS = KEYS + "pending", KEYS + "batch", KEYS + "totals"

logger = logging.getLogger(__name__)


class RedisCounter:
    """Raises no RedisError: without Redis a view waits in the process and its numbers are not known."""

    def __init__(self, client: redis.Redis, backlog_views: int = BACKLOG_VIEWS) -> None:
        self._redis = client
        self._count = client.register_script(COUNT)
        self._take = client.register_script(TAKE)
        self._finish = client.register_script(FINISH)
        self._backlog = Backlog(backlog_views)
        # Free sources with the last number each has sent. Whoever sends takes one out and brings it back when Redis has
        # answered; one without an answer stays with its view, which is sent again under the same number.
        self._sources: deque[tuple[str, int]] = deque()
        self._salt: tuple[datetime.date, bytes] | None = None
        self._offer: tuple[datetime.date, bytes] | None = None

    def salt(self, day: datetime.date) -> bytes:
        """Return that day's secret (a round trip at the process's first view of the day).

        With Redis away when a day begins, the process uses a salt of its own until Redis is back and then offers it to
        the others; a visitor whom several processes saw meanwhile counts once for each of their salts.
        """
        known, offer = self._salt, self._offer  # other threads may be in another day already
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
        """Count one view and return its numbers (1 round trip; once an hour and number 2 more and a query).

        With the database away, numbers whose totals are not in Redis are not known (see core/db/gate.py).
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
        """Return what is to be shown (as hit, with nothing counted)."""
        try:
            answer = self._send(Parcel("", 0, View(day, post_id=post_id)))
        except RedisError:
            return Numbers()
        return self._complete(answer, day, post_id)

    def newer_than_tables(self, day: datetime.date) -> Numbers:
        """Return the day's numbers, those of views that wait among them (1 round trip)."""
        return self.numbers(day)

    def drain(self) -> int:
        """Flush what was counted since the last time, and first what a killed flusher left; returns page views.

        At any moment one batch is on its way. Two flushers may hold the same one: the table of batch ids lets one of
        them write it, and only after that is it deleted. Raises DatabaseError, the batch staying where it is.
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
        """Count views that waited for Redis, the oldest first, in pipelines of 500."""
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
        """The numbers of an answer, its missing totals looked up; those that can't be had now stay None."""
        lacks_day, lacks_post = None in answer[:2], post_id is not None and answer[2] is None
        if lacks_day or lacks_post:
            try:
                with one_question:
                    totals = _of_day(day) if lacks_day else {}
                    if post_id is not None and lacks_post:
                        totals |= _of_posts([post_id]) or {f"t:{post_id}": 0}
                with self._redis.pipeline() as pipe:
                    for field, number in totals.items():
                        # Not over a flusher's: its number is the one that goes with the batch.
                        pipe.hsetnx(TOTALS, field, number)
                    pipe.expire(TOTALS, 86400)
                    pipe.execute()
                answer = self._send(Parcel("", 0, View(day, post_id=post_id)))
            except Away:
                pass
            except DatabaseError as error:
                logger.warning("The tables tell no totals to show: %s", error)
            except RedisError:
                pass  # counted it is; the numbers come with the next view
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
    """Return a day's page views and visitors from the tables, by the names of their fields (1 query)."""
    pv, uv = DailyViews.objects.numbers(day)
    return {f"d:{day}": pv, f"u:{day}": uv}


def _of_posts(posts: Collection[int]) -> dict[str, int]:
    """Return the views of those posts that exist from the tables (1 query)."""
    views = Post.objects.filter(pk__in=posts).values_list("pk", "view_count")
    return {f"t:{pk}": number for pk, number in views}


def _totals(batch: Batch) -> list[str | int]:
    """Fields and what the tables say of them, after the batch is in them (1 query for each 500 posts, 1 a day)."""
    totals: dict[str, int] = {}
    for ids in chunked(list(batch.totals)):
        totals |= _of_posts(ids)
    for day in batch.pv:
        totals |= _of_day(day)
    return [part for pair in totals.items() for part in pair]


def _seconds_left(day: datetime.date) -> int:
    """Seconds until that day of the site's time zone ends, and a minute for views that are on their way."""
    end = datetime.datetime.combine(
        day + datetime.timedelta(days=1), datetime.time(), tzinfo=timezone.get_default_timezone()
    )
    return max(0, int((end - timezone.now()).total_seconds())) + 60
