"""The mark that nginx keeps pages under is renewed when readers lose something, and only then."""

import datetime
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.comments.models import Comment
from apps.comments.moderation.services import Decision, decide, undo
from apps.comments.services import edit_comment, withdraw_comment
from apps.comments.verdict import Verdict
from apps.components.models import Plugin
from apps.core.pages import cache_epoch, coherence
from apps.posts.models import Category, Post, Tag
from blog_xtg import preparing
from tests.factories import make_administrator, make_category, make_comment, make_post
from tests.services import ROOT

database_test = pytest.mark.django_db(transaction=True)
LATER = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def mark(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    settings.MEDIA_ROOT = str(tmp_path)
    yield tmp_path / ".epoch"
    come_to_rest()


def come_to_rest() -> list[threading.Thread]:
    """Wait until nothing is renewed any more; return what was to renew it once more."""
    followers = [thread for thread in threading.enumerate() if thread.name == "cache-epoch"]
    for thread in followers:
        thread.join(5)
    return followers


def renewed(mark: Path, change: Callable[[], object]) -> bool:
    come_to_rest()
    before = mark.stat().st_mtime if mark.exists() else 0
    change()
    return (mark.stat().st_mtime if mark.exists() else 0) != before


def saved(post: Post, **fields: object) -> Callable[[], None]:
    """The post as the admin loads and stores it."""

    def change() -> None:
        loaded = Post.objects.get(pk=post.pk)
        for name, value in fields.items():
            setattr(loaded, name, value)
        loaded.save()

    return change


@database_test
@pytest.mark.parametrize(
    ("fields", "is_withdrawn"),
    [
        ({"status": "draft"}, True),
        ({"status": "private"}, True),
        ({"status": "unlisted"}, True),
        ({"password": "word"}, True),
        ({"published_at": LATER}, True),
        ({"title": "Another", "body": "Another."}, False),
        ({"slug": "another", "pinned": True}, False),
        ({"published_at": -LATER}, False),
        ({"comments_open": False}, False),
        ({}, False),
    ],
)
def test_a_post_that_readers_lose_renews_it_and_an_edit_does_not(
    mark: Path, fields: dict[str, object], is_withdrawn: bool
) -> None:
    at = fields.get("published_at")
    if isinstance(at, datetime.timedelta):
        fields = {**fields, "published_at": timezone.now() + at}
    assert renewed(mark, saved(make_post(), **fields)) is is_withdrawn


@database_test
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"status": "draft"}, {"status": "private"}),
        ({"status": "draft"}, {"password": "word"}),
        ({"status": "private"}, {"status": "draft"}),
        ({"status": "draft"}, {"status": "published"}),
        ({"password": "word"}, {"password": ""}),
    ],
)
def test_what_nobody_could_read_is_not_withdrawn(mark: Path, before: dict, after: dict) -> None:
    assert not renewed(mark, saved(make_post(**before), **after))


@database_test
def test_a_post_to_come_is_not_withdrawn(mark: Path) -> None:
    post = make_post(published_at=timezone.now() + LATER)
    assert not renewed(mark, saved(post, status="draft"))


@database_test
def test_posts_are_withdrawn_by_every_way(mark: Path) -> None:
    assert renewed(mark, make_post().unpublish)
    assert renewed(mark, make_post().delete)
    make_post(), make_post()
    assert renewed(mark, lambda: Post.objects.all().delete())
    one = Post.objects.only("status").get(pk=make_post().pk)
    assert renewed(mark, one.unpublish)
    deferred = Post.objects.defer("status", "password").get(pk=make_post().pk)
    deferred.password = "word"
    assert renewed(mark, lambda: deferred.save(update_fields=["password"]))


@database_test
def test_what_stands_around_the_posts_is_withdrawn_when_it_is_deleted(mark: Path) -> None:
    shelf = make_category()
    make_post(category=shelf, tags=("tag",))
    assert not renewed(mark, shelf.save)
    assert renewed(mark, Category.objects.get(pk=shelf.pk).delete)
    assert renewed(mark, Tag.objects.get(name="tag").delete)


@database_test
@pytest.mark.parametrize("decision", [Decision.HIDE, Decision.SPAM, Decision.DELETE])
def test_a_moderator_takes_a_comment_back(mark: Path, decision: str) -> None:
    moderator, post = make_administrator(), make_post()
    shown = [make_comment(post).pk for _comment in range(3)]
    done = decide(shown[:1], decision, moderator)
    assert mark.exists()
    assert not renewed(mark, lambda: undo(done.undo_token, moderator))
    assert renewed(mark, lambda: decide(shown, decision, moderator))


@database_test
def test_what_was_never_shown_may_go_without_a_word(mark: Path) -> None:
    moderator, post = make_administrator(), make_post()
    held = [make_comment(post, verdict=Verdict(state=state)).pk for state in ("pending", "spam", "pending")]
    assert not renewed(mark, lambda: decide(held[:1], Decision.SPAM, moderator))
    assert not renewed(mark, lambda: decide(held[:2], Decision.DELETE, moderator))
    assert not renewed(mark, lambda: decide(held[2:], Decision.APPROVE, moderator))
    assert renewed(mark, lambda: decide(held[2:], Decision.SPAM, moderator))


@database_test
def test_a_comment_is_taken_back_by_its_writer_and_by_its_own_methods(mark: Path) -> None:
    post = make_post()
    assert not renewed(mark, lambda: make_comment(post))
    assert renewed(mark, lambda: withdraw_comment(make_comment(post)))
    comment = make_comment(post)
    assert renewed(mark, lambda: edit_comment(comment, "A text that is held.", Verdict(state="pending")))
    assert not renewed(mark, lambda: edit_comment(comment, "Another text that is held.", Verdict(state="pending")))
    loaded = Comment.objects.get(pk=make_comment(post).pk)
    assert not renewed(mark, loaded.save)
    loaded.state = Comment.State.HIDDEN
    assert renewed(mark, loaded.save)
    assert renewed(mark, loaded.delete)  # its floor and name were still to be seen


@database_test
def test_words_that_readers_saw_are_withdrawn_when_they_are_rewritten(mark: Path) -> None:
    comment = make_comment(make_post(), "My number is 555-0100.")
    assert not renewed(mark, lambda: edit_comment(comment, "My number is 555-0100."))
    assert renewed(mark, lambda: edit_comment(comment, "My number is mine."))
    client = Client()
    client.force_login(make_administrator())
    form = {name: getattr(comment, name) for name in ("author_name", "author_email", "author_site", "body", "state")}
    form["body"] = "My number is mine."

    def moderated(**changed: str) -> Callable[[], object]:
        return lambda: client.post(f"/admin/comments/comment/{comment.pk}/change/", form | changed)

    assert not renewed(mark, moderated(author_email="another@example.com"))
    assert renewed(mark, moderated(body="(A number stood here.)"))
    assert renewed(mark, moderated(body="(A number stood here.)", author_name="Somebody"))
    comment.refresh_from_db()
    assert (comment.body, comment.author_name) == ("(A number stood here.)", "Somebody")


@database_test
def test_a_box_of_the_sidebar_is_withdrawn_when_it_is_disabled(mark: Path) -> None:
    plugin = Plugin.objects.create(title="Friends", content="<p>Their numbers.</p>")
    plugin.note = "Ask them first."
    assert not renewed(mark, plugin.save)
    plugin.disabled = True
    assert renewed(mark, plugin.save)
    plugin.disabled = False
    assert not renewed(mark, plugin.save)


@database_test
def test_an_import_that_makes_a_draft_of_a_post_withdraws_it(mark: Path, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    folder.mkdir()
    file = folder / "a.md"

    def imported(status: str) -> Callable[[], None]:
        file.write_text(f"---\ntitle: A\ndate: 2020-01-01\ndraft: {status}\n---\nThought over.\n")
        return lambda: call_command("import_markdown", str(folder), "--overwrite", stdout=StringIO())

    assert not renewed(mark, imported("false"))
    assert Post.objects.get().is_public
    assert renewed(mark, imported("true"))
    assert Post.objects.get().status == Post.Status.DRAFT
    assert not renewed(mark, imported("false"))


@database_test
def test_nothing_is_renewed_before_the_commit(mark: Path) -> None:
    from django.db import transaction

    post = make_post()
    with transaction.atomic():
        assert not renewed(mark, post.unpublish)
    assert mark.exists()


@database_test
def test_a_fleet_begins_with_a_mark_and_keeps_the_one_it_has(mark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "collect", lambda: None)
    preparing.prepare()
    assert mark.stat().st_mode & 0o777 == 0o644
    assert not renewed(mark, preparing.prepare)


def test_it_is_renewed_once_more_when_all_processes_have_heard(mark: Path) -> None:
    cache_epoch.renew()
    first = mark.stat().st_mtime
    cache_epoch.renew()
    second = mark.stat().st_mtime
    assert len(come_to_rest()) == 1
    assert len({first, second, mark.stat().st_mtime}) == 3
    assert mark.stat().st_mode & 0o777 == 0o644 and mark.stat().st_size == 0


def test_a_folder_that_cannot_be_written_is_said_once(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "none")
    cache_epoch.begin()
    for _time in range(3):
        cache_epoch.renew()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "none/.epoch" in caplog.text


@database_test
def test_a_blog_of_one_shows_no_longer_what_a_command_beside_it_has_withdrawn(client: Client, mark: Path) -> None:
    post = make_post(title="Withdrawn beside")
    for path in ("/", post.get_absolute_url()):
        assert "Withdrawn beside" in client.get(path).content.decode()
    coherence.backend().is_current()
    # As another process does it: the row is changed, and nothing but the mark is left.
    Post.objects.filter(pk=post.pk).update(status="draft")
    script = "import os, sys; os.close(os.open(sys.argv[1], os.O_CREAT)); os.utime(sys.argv[1], (77, 77))"
    subprocess.run([sys.executable, "-c", script, mark], cwd=ROOT, check=True, timeout=20)
    time.sleep(coherence.LOOKED_SECONDS * 1.2)
    assert "Withdrawn beside" not in client.get("/").content.decode()
    assert client.get(post.get_absolute_url()).status_code == 404
