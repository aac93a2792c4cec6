"""Beats that stand in for each other, and jobs of which one run is under way at a time.

Each kill comes a few seconds before a full minute; BEAT_KILLS=5 is the long run, with the program's own times.
"""

import datetime
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise

import pytest
from celery import Celery
from redbeat.schedulers import RedBeatScheduler, get_redis

from apps.stats.tasks import flush_views
from blog_xtg.jobs import LOCK_SECONDS, alone
from tests.services import CeleryProcess, Redis, site_settings, wait_until

KILLS = int(os.environ.get("BEAT_KILLS", "1"))
TAKEN_OVER_WITHIN_SECONDS = 15
COPIED_AFTER_SECONDS = LOCK_SECONDS + 1 if KILLS == 1 else 30


def celery(kind: str, redis: Redis, **environ: str) -> CeleryProcess:
    if KILLS == 1:
        environ["COPIED_AFTER_SECONDS"] = str(COPIED_AFTER_SECONDS)
    return CeleryProcess(kind, "tests.fleet.beating", REDIS_URL=redis.url, **environ)


@pytest.mark.gunicorn
def test_another_beat_and_another_worker_take_over(own_redis: Redis) -> None:
    def ran(name: str) -> list[float]:
        with own_redis.client() as client:
            return [float(at) for at in client.lrange(f"ran:{name}", 0, -1)]

    def ran_since(name: str, moment: float) -> Callable[[], bool]:
        return lambda: any(at > moment for at in ran(name))

    def sent(name: str) -> list[float]:
        text = "\n".join(beat.log for beat in beats)
        found = re.findall(rf'^{{"time": "([^"]+)".* "Scheduler: Sending due task {name} ', text, re.MULTILINE)
        return sorted(datetime.datetime.fromisoformat(at).timestamp() for at in found)

    def active() -> list[CeleryProcess]:
        return [beat for beat in beats if beat.process and "Acquired lock" in beat.log_since_start]

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
        for _ in range(KILLS):
            time.sleep((55 - time.time()) % 60)
            (dead,) = active()
            killed_at = time.time()
            dead.kill()
            wait_until(lambda: bool(active()), 30)
            acquired_at = time.time()
            wait_until(ran_since("second", acquired_at), 30, lambda: active()[0].log)
            taken_over.append(next(at for at in ran("second") if at > acquired_at) - killed_at)
            dead.start()
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


def app_of(redis: Redis):  # type: ignore[no-untyped-def]
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
    monkeypatch.setattr("blog_xtg.jobs.LOCK_SECONDS", 1)
    monkeypatch.setattr("blog_xtg.jobs.RENEWED_SECONDS", 0.1)
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
