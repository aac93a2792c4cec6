"""Numbers written past the program are noticed, logged with figures, and put right."""

from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from apps.components import reconciling
from apps.components.tasks import reconcile_components
from apps.core.pages import coherence, store
from apps.posts.models import Post, Source
from tests.factories import make_category, make_comment, make_post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["alone", pytest.param("together", marks=pytest.mark.redis)], autouse=True)
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # The snapshot is not read again by itself, however slow the machine.
    monkeypatch.setattr(coherence.LocalBackend, "snapshot_seconds", 600.0)
    if request.param == "together":
        request.getfixturevalue("member")


def test_numbers_that_are_right_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    make_comment(make_post(category=make_category("Shelf"), tags=("a",)))
    kept = store.current_site()
    assert reconcile_components() == 0 and not caplog.records
    assert store.current_site() == kept  # made at the same moment


def test_rows_written_past_the_program_are_shown_and_logged(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "WORD_SECONDS", 0)
    shelf, source = make_category("Shelf"), Source.objects.first()
    assert source
    posts = [make_post(category=shelf, source=source, tags=("apple",)) for _ in range(3)]
    make_comment(posts[0])
    assert 'data-number="posts">3<' in client.get("/").content.decode()
    Post.objects.filter(pk__in=[posts[0].pk, posts[1].pk]).update(status=Post.Status.DRAFT)
    Post.objects.filter(pk=posts[2].pk).update(comment_count=7)
    month = f"{timezone.localtime(posts[0].published_at):%Y-%m}"
    assert reconcile_components() == 6
    assert {record.getMessage() for record in caplog.records} == {
        "Posts: shown 3, counted 1; put right.",
        "Comments: shown 1, counted 7; put right.",
        f"Posts of category {shelf.pk}: shown 3, counted 1; put right.",
        f"Posts of source {source.pk}: shown 3, counted 1; put right.",
        f"Posts of tag {store.current_site().tags['apple'].pk}: shown 3, counted 1; put right.",
        f"Posts of {month}: shown 3, counted 1; put right.",
    }
    assert 'data-number="posts">1<' in client.get("/").content.decode()
    assert store.current_site().categories[shelf.pk].posts == 1
    assert reconcile_components() == 0


def test_a_change_that_is_heard_of_meanwhile_is_no_fault(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post()
    store.current_site()
    Post.objects.filter(pk=post.pk).update(status=Post.Status.DRAFT)
    # As if it took a while to be told.
    monkeypatch.setattr(reconciling, "time", SimpleNamespace(sleep=lambda _seconds: make_post()))
    assert reconcile_components() == 0 and not caplog.records
    assert store.current_site().statistics.posts == 1


def test_a_thousand_faults_are_told_in_a_few_lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "WORD_SECONDS", 0)
    for number in range(reconciling.LOGGED_MOST + 5):
        make_post(category=make_category(f"Shelf {number}"))
    store.current_site()
    Post.objects.update(status=Post.Status.DRAFT)
    off = reconcile_components()
    assert off > reconciling.LOGGED_MOST and len(caplog.records) == reconciling.LOGGED_MOST + 1
    assert store.current_site().statistics.posts == 0
