"""Beats that stand in for each other, and jobs of which one run is under way at a time.

All times are the program's own. Five kills are a minute, nearly all of it waiting for the lock to run out; BEAT_KILLS=20 makes
as many.
"""

import datetime
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from operator import itemgetter

import pytest
from celery import Celery
from redbeat.schedulers import RedBeatScheduler, get_redis

from apps.core.jobs import alone
from apps.stats.tasks import flush_views
from tests.services import CeleryProcess, Redis, site_settings, wait_until

KILLS = int(os.environ.get("BEAT_KILLS", "5"))
TAKEN_OVER_WITHIN_SECONDS = 15
COPIED_AFTER_SECONDS = 30
BEFORE_THE_MINUTE_SECONDS = 5


def celery(kind: str, redis: Redis, **environ: str) -> CeleryProcess:
    return CeleryProcess(kind, "tests.fleet.beating", REDIS_URL=redis.url, **environ)


@pytest.mark.alone
@pytest.mark.gunicorn
def test_another_beat_and_another_worker_take_over(own_redis: Redis) -> None:
    def ran(name: str) -> list[float]:
        with own_redis.client() as client:
            return [float(at) for at in client.lrange(f"ran:{name}", 0, -1)]

    def ran_since(name: str, moment: float) -> Callable[[], bool]:
        return lambda: any(at > moment for at in ran(name))

    def logged(beat: CeleryProcess, message: str) -> list[float]:
        found = re.findall(rf'^{{"time": "([^"]+)".* "{message}', beat.log, re.MULTILINE)
        return [datetime.datetime.fromisoformat(at).timestamp() for at in found]

    def sent(name: str) -> list[float]:
        return sorted(at for beat in beats for at in logged(beat, f"Scheduler: Sending due task {name} "))

    def locks_taken() -> list[tuple[float, CeleryProcess]]:
        """When, and by whom; the last one is at work."""
        return sorted(((at, beat) for beat in beats for at in logged(beat, "beat: Acquired lock")), key=itemgetter(0))

    def kill_the_active_one() -> float:
        """After how many seconds another one's job has run."""
        before = locks_taken()
        _at, active = before[-1]
        killed_at = time.time()
        active.kill()
        wait_until(lambda: len(locks_taken()) > len(before), 30)
        acquired_at, successor = locks_taken()[-1]
        wait_until(ran_since("second", acquired_at), 30, lambda: successor.log)
        active.start()
        return next(at for at in ran("second") if at > acquired_at) - killed_at

    with ExitStack() as running:
        beats = [running.enter_context(celery("beat", own_redis)) for _ in range(3)]
        worker, other = (celery("worker", own_redis) for _ in range(2))
        running.enter_context(worker)
        wait_until(ran_since("second", 0), 30, lambda: beats[0].log)
        app_of(own_redis).send_task("tests.long", [1])
        wait_until(ran_since("long", 0), 20, lambda: worker.log)
        killed_worker_at = time.time()
        worker.kill()
        running.enter_context(other)

        begun_at, taken_over = time.time(), []
        for number in range(KILLS):
            # No beat is to be there at a full minute, whose job the next one has to send: at none that comes soon, and at
            # one at least.
            left = -time.time() % 60
            none_yet = time.time() // 60 == begun_at // 60
            if left < TAKEN_OVER_WITHIN_SECONDS + 1 or (none_yet and number == KILLS - 1):
                time.sleep(max(0, left - BEFORE_THE_MINUTE_SECONDS))
            taken_over.append(kill_the_active_one())
        print("taken over after", [round(seconds, 1) for seconds in taken_over])
        assert max(taken_over) < TAKEN_OVER_WITHIN_SECONDS

        wait_until(lambda: len(ran("long-end")) == 1, COPIED_AFTER_SECONDS + 20, lambda: other.log)
        print(f"a killed worker's job came back after {ran('long')[1] - killed_worker_at:.1f} s")
        assert len(ran("long")) == 2

        # Nothing is sent twice; and of each minute that was due meanwhile, once, and one run came of it.
        assert min(late - early for early, late in pairwise(sent("second"))) > 0.5
        time.sleep(max(0, 60 * (begun_at // 60 + 1) + TAKEN_OVER_WITHIN_SECONDS - time.time()))
        due = range(int(begun_at // 60) + 1, int((time.time() - TAKEN_OVER_WITHIN_SECONDS) // 60) + 1)
        for moments in (sent("minute"), ran("minute")):
            minutes = Counter(int(at // 60) for at in moments)
            assert due and {minute: minutes[minute] for minute in due} == dict.fromkeys(due, 1)
        print(f"{len(due)} minutes' jobs, each sent and run once")

        # Redis comes back without its memory: all beats have ended, and whoever is started again carries on.
        own_redis.stop()
        wait_until(lambda: all(beat.process and beat.process.poll() is not None for beat in beats), 30)
        own_redis.start()
        started_at = time.time()
        beats[0].start()
        wait_until(ran_since("second", started_at), 20, lambda: beats[0].log + other.log)


@pytest.mark.gunicorn
def test_a_designated_host_has_the_schedule_alone(own_redis: Redis) -> None:
    with (
        celery("beat", own_redis, BLOG_HOST="one", BEAT_NODE="two") as idle,
        celery("beat", own_redis, BLOG_HOST="two", BEAT_NODE="two") as designated,
    ):
        wait_until(lambda: "Acquired lock" in designated.log, 20, lambda: designated.log)
        designated.kill()
        wait_until(lambda: "BEAT_NODE gives the schedule to two; on one it rests." in idle.log, 5, lambda: idle.log)
        with own_redis.client() as client:
            client.select(3)
            client.delete("redbeat::lock")
        time.sleep(2.5)
        assert "Acquired lock" not in idle.log
        assert idle.process
        idle.process.terminate()
        assert idle.process.wait(5) == 0


def app_of(redis: Redis):
    """The program's app as a process of that Redis's fleet has it."""
    site = vars(site_settings(REDIS_URL=redis.url))
    changes = {name[7:].lower(): site[name] for name in site if name.startswith("CELERY_")}
    return Celery("blog_xtg", changes=changes, set_as_current=False)


def test_what_the_code_no_longer_schedules_is_forgotten(own_redis: Redis) -> None:
    def stored(**schedule: float) -> set[str]:
        beat = app_of(own_redis)
        beat.conf.beat_schedule = {
            name: {"task": "tests.second", "schedule": seconds} for name, seconds in schedule.items()
        }
        RedBeatScheduler(beat)
        redis = get_redis(beat)
        for key in redis.zrange("redbeat::schedule", 0, -1):
            assert redis.exists(key)
        return {key.removeprefix("redbeat:") for key in redis.keys("redbeat:*") if "::" not in key}

    assert stored(stays=10, goes=5) == {"stays", "goes"}
    assert stored(stays=20) == {"stays"}


@pytest.mark.usefixtures("member")
def test_a_job_is_left_out_while_it_runs_elsewhere(monkeypatch: pytest.MonkeyPatch, own_redis: Redis) -> None:
    monkeypatch.setattr("apps.core.jobs.LOCK_SECONDS", 1)
    monkeypatch.setattr("apps.core.jobs.RENEWED_SECONDS", 0.1)
    with alone("job") as first, alone("job") as second, alone("another") as third:
        assert (first, second, third) == (True, False, True)
        time.sleep(1.5)
        with alone("job") as fourth:
            assert not fourth  # it is renewed
    with alone("job") as again:
        assert again
    # As a worker runs it; whoever calls the function has it done.
    with alone(flush_views.name):
        assert (flush_views.apply().get(), flush_views()) == (None, 0)
    assert flush_views.apply().get() == 0
    own_redis.stop()
    with alone("job") as unknown:
        assert unknown
