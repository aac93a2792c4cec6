"""The two ways in which processes hear of changes keep one contract; and what only a shared Redis can show."""

import json
import threading
import time
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.components.models import SiteIdentity
from apps.components.snapshot import build
from apps.core.pages import coherence, listener, store
from apps.core.pages.coherence import Backend, Change, LocalBackend, RedisBackend
from apps.core.pages.site import Snapshot
from apps.posts.models import Post
from tests.factories import make_category, make_post
from tests.services import Redis, wait_until

BACKENDS = [pytest.param("alone"), pytest.param("together", marks=pytest.mark.redis)]


@pytest.fixture
def together(member: Redis) -> RedisBackend:
    backend = coherence.backend()
    assert isinstance(backend, RedisBackend)
    return backend


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.getfixturevalue("together") if request.param == "together" else LocalBackend()


def both(function):
    return pytest.mark.parametrize("backend", BACKENDS, indirect=True)(function)


@both
def test_a_change_of_posts_leaves_the_lists_as_they_are(backend: Backend) -> None:
    before = backend.stamps()
    backend.publish(Change("edited", frozenset([1])))
    assert backend.stamps() == (("edited", before.lists) if before else None)


@both
def test_any_other_change_renews_both_stamps(backend: Backend) -> None:
    backend.publish(Change("all", None))
    assert backend.stamps() == ("all", "all")


@both
def test_the_stamps_stand_while_nothing_changes(backend: Backend) -> None:
    assert backend.is_current()
    assert backend.stamps() == backend.stamps() != None  # noqa: E711


@both
def test_nothing_is_found_under_an_unknown_stamp(backend: Backend) -> None:
    backend.save("one", "a snapshot")
    assert backend.load("another") is None


def test_messages_are_read_as_they_were_written() -> None:
    for posts in (None, frozenset([3, 1])):
        assert Change.decoded(Change("s", posts).encoded()) == Change("s", posts)


@pytest.mark.django_db
def test_a_snapshot_survives_its_way_through_json() -> None:
    make_post(category=make_category("书架"), tags=("a",))
    snapshot = build("lists")
    assert Snapshot.from_json(json.loads(json.dumps(snapshot.to_json()))) == snapshot
    for broken in ({}, [], {"title": 1}, snapshot.to_json() | {"pages": 3}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            Snapshot.from_json(broken)


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_that_another_process_has_read_costs_no_query(together: RedisBackend) -> None:
    first = store.current_site()
    coherence.invalidate(None)  # as a process that has just started
    with CaptureQueriesContext(connection) as captured:
        assert store.current_site() == first
    assert len(captured) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("spoiled", ["no json", "{}", '{"title": "of another version"}'])
def test_a_shared_snapshot_that_nobody_understands_is_read_anew(together: RedisBackend, spoiled: str) -> None:
    stamps = together.stamps()
    assert stamps
    together.save(stamps.site, spoiled)
    coherence.invalidate(None)
    assert store.current_site().title == "blog_xtg"


@pytest.mark.django_db(transaction=True)
def test_a_slow_reader_puts_nothing_old_back(together: RedisBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads, another process changes and commits, and only then the slow one shares what it read."""
    coherence.invalidate(None)

    def slowly(lists_stamp: str) -> Snapshot:
        snapshot = build(lists_stamp)
        SiteIdentity(title="Changed meanwhile").save()
        return snapshot

    monkeypatch.setattr("apps.components.snapshot.build", slowly)
    store.current_site()
    monkeypatch.undo()
    coherence.invalidate(None)
    assert store.current_site().title == "Changed meanwhile"


@pytest.mark.django_db(transaction=True)
def test_a_change_is_told_after_its_commit_alone(together: RedisBackend) -> None:
    before = together.stamps()
    with transaction.atomic():
        SiteIdentity(title="Not yet").save()
        assert together.stamps() == before
    assert together.stamps() != before


@pytest.mark.django_db(transaction=True)
def test_a_thread_that_gets_no_turn_is_not_waited_for(together: RedisBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    store.current_site()
    turn = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(together.listener, "_listen", lambda pubsub: turn.wait(10))
        time.sleep(0.2)  # the thread hears nothing from here on
        another = RedisBackend(together._redis)
        SiteIdentity.objects.update_or_create(pk=1, defaults={"title": "Changed elsewhere"})
        another.publish(Change(coherence.new_stamp(), None))
        assert together.is_current()
        assert store.current_site().title == "Changed elsewhere"
    turn.set()


@pytest.mark.django_db(transaction=True)
def test_a_lost_word_is_noticed_by_the_next_one(
    together: RedisBackend, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both within one beat: the stamp that is compared at its end is the second's, which has been heard."""
    post, on_no_page_here = make_post(body="As it was."), 10**9
    monkeypatch.setattr(listener, "BEAT_SECONDS", 5)
    time.sleep(0.2)  # the long beat has begun
    client.get(post.get_absolute_url())
    Post.objects.filter(pk=post.pk).update(html="<p>Changed elsewhere.</p>")
    with monkeypatch.context() as patched:
        patched.setattr(coherence, "CHANNEL", "nobody listens here")
        together.publish(Change("lost", frozenset([post.pk])))
    generation = coherence.generation()
    together.publish(Change("the next", frozenset([on_no_page_here])))
    wait_until(lambda: coherence.generation() > generation, 4)
    assert "Changed elsewhere." in client.get(post.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_comes_late_says_what_was_when_it_was_asked_for(
    together: RedisBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    SiteIdentity.objects.update_or_create(pk=1, defaults={"title": "As it was"})
    assert store.current_site().title == "As it was"
    asked, changed, read = threading.Event(), threading.Event(), together.read_stamps

    def late(redis):
        stamps = read(redis)
        if threading.current_thread().name == "coherence" and not asked.is_set():
            asked.set()
            changed.wait(5)
        return stamps

    monkeypatch.setattr(together, "read_stamps", late)
    assert asked.wait(5)
    monkeypatch.setattr(listener, "BEAT_SECONDS", 5)
    with monkeypatch.context() as patched:
        patched.setattr(coherence, "CHANNEL", "nobody listens here")
        SiteIdentity.objects.filter(pk=1).update(title="Changed elsewhere")
        RedisBackend(together._redis).publish(Change("lost", None))
    time.sleep(2 * listener.LATE_SECONDS)
    changed.set()
    time.sleep(0.02)  # the thread has its answer, and begins a long beat
    assert store.current_site().title == "Changed elsewhere"


@pytest.mark.django_db(transaction=True)
def test_who_only_writes_pays_the_word_it_owes(together: RedisBackend, own_redis: Redis) -> None:
    writer = RedisBackend(together._redis)
    own_redis.stop()
    writer.publish(Change(coherence.new_stamp(), frozenset([1])))
    assert writer.has_unpublished_change
    own_redis.start()
    wait_until(lambda: not writer.has_unpublished_change, 5)
    writer.listener.stop()
    with own_redis.client() as redis:
        assert redis.get(coherence.STAMP)  # set by nobody else: the server began with nothing


def test_word_goes_out_at_once_though_redis_was_away_a_moment_ago(together: RedisBackend, own_redis: Redis) -> None:
    """Others may be connected again by now, and believe what they hear."""
    writer = RedisBackend(together._redis)
    own_redis.stop()
    writer.publish(Change(coherence.new_stamp(), frozenset([1])))
    own_redis.start()
    with own_redis.client() as redis, redis.pubsub() as other:
        other.subscribe(coherence.CHANNEL)
        other.get_message(timeout=5)  # that it is
        writer.publish(Change("told", frozenset([2])))
        assert not writer.has_unpublished_change
        heard = set()
        while message := other.get_message(timeout=0.5):
            heard.add(coherence.parse_message(message["data"].encode())[1])
        assert heard & {Change("told", None), Change("told", frozenset([2]))}  # the listener may have paid before
    writer.listener.stop()


def test_who_owes_word_pays_it_before_others_could_believe_that_there_was_none(
    together: RedisBackend, own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LONGEST_PAUSE_SECONDS", 600)
    writer = RedisBackend(together._redis)
    own_redis.stop()
    writer.publish(Change(coherence.new_stamp(), frozenset([1])))
    time.sleep(4)  # without word to tell it would have tried at 3.1 s, and would at 6.3
    own_redis.start()
    wait_until(lambda: not writer.has_unpublished_change, 0.5)
    writer.listener.stop()


@pytest.mark.django_db(transaction=True)
def test_with_redis_away_the_database_answers(together: RedisBackend, own_redis: Redis) -> None:
    store.current_site()
    own_redis.stop()
    wait_until(lambda: not together.is_current(), 5)
    began = time.monotonic()
    SiteIdentity(title="Written without Redis").save()
    assert store.current_site().title == "Written without Redis"
    assert time.monotonic() - began < 5  # nobody waits for what is away
    assert together.has_unpublished_change
    own_redis.start()
    wait_until(together.is_current, 5)
    assert not together.has_unpublished_change
    assert store.current_site().title == "Written without Redis"


@pytest.mark.django_db(transaction=True)
def test_what_was_shared_before_an_outage_is_not_believed_after_it(together: RedisBackend, own_redis: Redis) -> None:
    """Redis comes back with its memory, and somebody changed something while it hung."""
    store.current_site()
    own_redis.pause()
    wait_until(lambda: not together.is_current(), 10)
    SiteIdentity(title="Written while it hung").save()
    own_redis.resume()
    wait_until(together.is_current, 10)
    coherence.invalidate(None)
    assert store.current_site().title == "Written while it hung"


@pytest.mark.django_db(transaction=True)
def test_a_hundred_changes_wait_once_for_a_redis_that_hangs(together: RedisBackend, own_redis: Redis) -> None:
    store.current_site()
    own_redis.pause()
    began = time.monotonic()
    for number in range(100):
        SiteIdentity(title=f"Number {number}").save()
        assert store.current_site().title == f"Number {number}"
    assert time.monotonic() - began < 20, "each waited for Redis"
    own_redis.resume()
    wait_until(together.is_current, 10)
    assert not together.has_unpublished_change
    another = RedisBackend(together._redis)
    assert another.stamps() == together.stamps()


# -- A snapshot that takes long ---------------------------------------------------------------------------------------


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each reading of the database began, which now takes 0.3 s."""
    begun: list[float] = []
    snapshot = build("")

    def slowly(lists: str) -> Snapshot:
        begun.append(time.monotonic())
        time.sleep(0.3)
        return replace(snapshot, made_at=time.time(), lists_stamp=lists)

    monkeypatch.setattr("apps.components.snapshot.build", slowly)
    return begun


def waits_of_many(seconds: float) -> list[float]:
    """How long each of the readings took that four threads made, one after the other."""
    waits: list[float] = []
    over = time.monotonic() + seconds

    def read() -> None:
        try:
            while (began := time.monotonic()) < over:
                store.current_site()
                waits.append(time.monotonic() - began)
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(30)
    return waits


@pytest.mark.django_db(transaction=True)
def test_with_redis_away_readers_share_a_snapshot_that_takes_long(
    together: RedisBackend, own_redis: Redis, builds: list[float]
) -> None:
    own_redis.stop()
    wait_until(lambda: not together.is_current(), 5)
    waits = waits_of_many(3)
    assert 3 <= len(builds) <= 8, builds  # one after the other, each followed by a rest
    assert len(waits) > 20 * len(builds)


@pytest.mark.alone
@pytest.mark.django_db(transaction=True)
def test_with_redis_away_one_long_answer_makes_nothing_older(
    together: RedisBackend, own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_redis.stop()
    wait_until(lambda: not together.is_current(), 5)
    snapshot, begun, takes = store.current_site(), [], [0.0, 0.0, 0.4, 0.0, 0.0]

    def build_in_turn(lists: str) -> Snapshot:
        begun.append(time.monotonic())
        time.sleep(takes[len(begun) - 1])
        return replace(snapshot, made_at=time.time(), lists_stamp=lists)

    store.drop()  # however long the first one took
    monkeypatch.setattr("apps.components.snapshot.build", build_in_turn)
    for number in range(len(takes)):
        time.sleep(store.AWAY_SECONDS + 0.01)
        store.current_site()
        assert len(begun) == number + 1


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_snapshot_that_is_only_old(builds: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coherence.backend(), "snapshot_seconds", 0.5, raising=False)
    store.current_site()
    waits = waits_of_many(3)
    assert len(builds) >= 3
    # One reader each time reads it anew; were the other three to wait for that one, there would be four times as many.
    assert sum(wait > 0.25 for wait in waits) < 2 * len(builds)
