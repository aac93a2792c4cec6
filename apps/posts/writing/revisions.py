"""The versions of posts: recorded with each change, thinned out at night, put back when somebody wants one."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from ..models import Category, Post, Revision, Source, Tag
from ..models.revision import State, packable, state_of, version_of
from . import deltas

Author = AbstractBaseUser | AnonymousUser | None  # of the request; None for a program
WHOLE_EVERY = 50  # so many are kept as differences from one
ALL_FOR = timedelta(days=30)
DAILY_FOR = timedelta(days=365)
REPLACED_FOR = timedelta(days=7)  # how long a form that was opened before a draft's next save can be merged
READABLE = {Post.Status.PUBLISHED, Post.Status.UNLISTED}
# Restoring a version leaves these as they are: an older text must not be readable by more people than the present one.
NOT_RESTORED = ("status", "published_at", "password", "old_addresses")


@contextmanager
def recorded(post_id: int, author: Author) -> Iterator[None]:
    """Record what the block makes of a stored post, and what stood there before if that isn't recorded yet.

    One transaction; 8 queries beside the block's, and 2 for the first revision.
    """
    with transaction.atomic():
        record_stored(post_id)
        yield
        record(Post.objects.get(pk=post_id), author)


def record_stored(post_id: int) -> None:
    """Make sure that what is stored now can be found again, whatever has changed it (4 queries)."""
    stored = Post.objects.select_related("author").get(pk=post_id)
    record(stored, stored.author, at=stored.updated_at or stored.created_at)


def record(post: Post, author: Author, *, at: datetime | None = None) -> Revision | None:
    """Keep the post's state as its newest revision; None when the newest one holds it already.

    A draft that its author saves again within the same hour takes the place of that hour's revision in the history.
    4 queries, 2 more for a difference.
    """
    state = state_of(post)
    version, newest = version_of(state), Revision.objects.newest(post.pk)
    if newest and newest.version == version:
        return None
    revision = Revision(
        post=post,
        author_id=author.pk if author else None,
        created_at=at or timezone.now(),
        version=version,
        title=post.title,
        size=len(post.body),
        status=post.status,
    )
    _pack(revision, state, newest)
    revision.save()
    if newest and _is_of_the_same_hour(newest, revision):
        newest.replaced = True
        newest.save(update_fields=["replaced"])
    return revision


def restore(post: Post, state: State, author: Author) -> list[str]:
    """Store the state of a revision as the post's newest version; return the names of what could not be put back.

    Who may read the post doesn't change. A category that is gone, or a cover without its file, stays as it is now.
    """
    wanted = {name: value for name, value in state.items() if name not in NOT_RESTORED}
    tags = list(Tag.objects.filter(pk__in=wanted.pop("tags")))
    missing = [name for name, is_there in _there(wanted).items() if not is_there]
    missing += ["tags"] if len(tags) < len(state["tags"]) else []
    with recorded(post.pk, author):
        for name in wanted.keys() - set(missing):
            setattr(post, name, wanted[name])
        post.save()
        post.tags.set(tags)
    return sorted(missing)


def _there(state: State) -> dict[str, bool]:
    """Whether what the state names still exists."""
    original = state["translation_of_id"]
    return {
        "category_id": Category.objects.filter(pk=state["category_id"]).exists(),
        "source_id": Source.objects.filter(pk=state["source_id"]).exists(),
        "translation_of_id": original is None or Post.objects.filter(pk=original).exists(),
        "cover": not state["cover"] or default_storage.exists(state["cover"]),
    }


def _is_of_the_same_hour(older: Revision, newer: Revision) -> bool:
    hours = {revision.created_at.replace(minute=0, second=0, microsecond=0) for revision in (older, newer)}
    both = {older.status, newer.status}
    return both == {Post.Status.DRAFT} and older.author_id == newer.author_id and len(hours) == 1


def _pack(revision: Revision, state: State, newest: Revision | None) -> None:
    """Fill in the content: what differs from the last whole revision, or a whole one when that is hardly longer."""
    text = packable(state)
    base_id = newest and (newest.base_id or newest.pk)
    whole = deltas.packed(text)
    revision.content, revision.base = whole, None
    if base_id and Revision.objects.of(revision.post_id).built_on([base_id]).count() < WHOLE_EVERY - 1:
        base = Revision.objects.get(pk=base_id)
        difference = deltas.delta(base.text, text)
        if len(difference) < len(whole) / 2:
            revision.content, revision.base = difference, base


# -- Thinning out ------------------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """The facts about a revision that the rule of pruning goes by."""

    created_at: datetime
    status: str
    replaced: bool


def worth_keeping(revisions: Sequence[Kept], now: datetime) -> set[int]:
    """Return the places of the revisions, given oldest first, that stay.

    All for 30 days, then the last one of each day for a year, then the last one of each month; drafts that were
    replaced within their hour a week; the newest and the last published state for ever.
    """
    last: dict[Hashable, int] = {}
    for place, revision in enumerate(revisions):
        age, day = now - revision.created_at, timezone.localtime(revision.created_at).date()
        if age <= (REPLACED_FOR if revision.replaced else ALL_FOR):
            last[place] = place
        elif not revision.replaced:
            last["day" if age <= DAILY_FOR else "month", day if age <= DAILY_FOR else day.replace(day=1)] = place
        if revision.status in READABLE:
            last["published"] = place
        last["newest"] = place
    return set(last.values())


def prune(now: datetime | None = None) -> int:
    """Remove the revisions that worth_keeping() leaves out, a post at a time; return how many.

    Safe to run twice and to stop. 1 query, 2 for each post with more than one revision, and some where one goes.
    """
    return sum(_prune(post_id, now or timezone.now()) for post_id in Revision.objects.posts_with_many())


def _prune(post_id: int, now: datetime) -> int:
    with transaction.atomic():
        list(Post.objects.select_for_update().filter(pk=post_id).values_list("pk"))
        rows = list(Revision.objects.of(post_id).values_list("pk", "created_at", "status", "replaced").reverse())
        kept = worth_keeping([Kept(*row[1:]) for row in rows], now)
        going = [row[0] for place, row in enumerate(rows) if place not in kept]
        if going:
            _rebase(post_id, set(going))
            Revision.objects.filter(pk__in=going).delete()
    return len(going)


def _rebase(post_id: int, going: set[int]) -> None:
    """Pack anew what is kept as a difference from a revision that goes."""
    built_on_them = Revision.objects.of(post_id).built_on(going).exclude(pk__in=going).values_list("pk", flat=True)
    whole: dict[int | None, Revision] = {}  # for each base that goes, the revision that becomes one in its place
    for pk in list(built_on_them.reverse()):
        revision = Revision.objects.select_related("base").get(pk=pk)
        text, base = packable(revision.state), whole.setdefault(revision.base_id, revision)
        if base is revision:
            revision.content, revision.base = deltas.packed(text), None
        else:
            revision.content, revision.base = deltas.delta(base.text, text), base
        revision.save(update_fields=["content", "base"])
