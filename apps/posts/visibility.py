"""The visibility of posts: lists, pages, caches, the search and live addresses all ask this module.

Four words, each as a predicate (`is_listed(post)`), as a condition (`listed_q()`) and on the queryset (`listed()`, with
`not_listed()` for all others):

listed      stands in lists, feeds, sidebars and counts, and beside other posts; behind a password without its text
public      is everybody's to read: in the sitemap, in shared caches, with a share image and a feed of its comments
reachable   opens for readers who have its whole address, who are asked for the password if there is one
searchable  opens by its number, too, and the search finds it; behind a password by its title and tags

=========  =======  ====  ========  ======  ======  =========  ==========
status     time     kind  password  listed  public  reachable  searchable
=========  =======  ====  ========  ======  ======  =========  ==========
published  past     post  no        yes     yes     yes        yes
published  past     post  yes       yes     -       yes        yes
published  past     page  no        -       yes     yes        yes
published  past     page  yes       -       -       yes        yes
published  future   any   any       -       -       -          -
unlisted   any      any   any       -       -       yes        -
private    any      any   any       -       -       -          -
draft      any      any   any       -       -       -          -
=========  =======  ====  ========  ======  ======  =========  ==========

Accounts with the right (`may_see_unpublished`) open every post, and are asked for no password; lists, feeds and the
search are the same for them as for all. passwords.py remembers which readers have shown a password.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, IntegerField, Q, When
from django.utils import timezone

from apps.core.db.joined_queries import Param

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

    from .models import Post

    Account = AbstractUser | AnonymousUser

# A point in time, or a place for one in a question that is asked with others (apps/core/db/joined_queries.py).
Moment = datetime.datetime | Param

KINDS = ("post", "page")
NEVER_LISTED = ("draft", "unlisted", "private")  # the statuses but `published`

# -- Of one post -------------------------------------------------------------------------------------------------------


def is_listed(post: Post) -> bool:
    return post.kind == "post" and is_searchable(post)


def is_public(post: Post) -> bool:
    return is_searchable(post) and not post.password


def is_reachable(post: Post) -> bool:
    return post.status == "unlisted" or is_searchable(post)


def is_searchable(post: Post) -> bool:
    return post.status == "published" and post.published_at is not None and post.published_at <= timezone.now()


def is_scheduled(post: Post) -> bool:
    """Whether the post will be searchable when its time has come."""
    return post.status == "published" and not is_searchable(post)


def is_visible_to(user: Account, post: Post, *, by_link: bool = False) -> bool:
    """Whether this user may know of the post; `by_link` of one who has shown to know its whole address."""
    return (is_reachable(post) if by_link else is_searchable(post)) or may_see_unpublished(user)


def is_withdrawn(was: Mapping[str, object], becomes: Mapping[str, object]) -> bool:
    """Whether a change of these columns takes the post, or its text, from readers who had it.

    Columns that are missing are unknown; a post of which nothing is known may have been everybody's.
    """
    now = timezone.now()
    status, began = was.get("status"), was.get("published_at", now)
    if status in {"draft", "private"} or (status == "published" and not _has_come(began, now)):
        return False
    return (
        becomes.get("status", status) not in {status, "published"}
        or not _has_come(becomes.get("published_at") or now, now)
        or becomes.get("password", "") not in {"", was.get("password")}
    )


def _has_come(moment: object, now: datetime.datetime) -> bool:
    return isinstance(moment, datetime.datetime) and moment <= now


# -- Of many, at that time or now -------------------------------------------------------------------------------------


def listed_q(prefix: str = "", at: Moment | None = None) -> Q:
    return Q(**{f"{prefix}kind": "post"}) & searchable_q(prefix, at)


def listed_when_due_q() -> Q:
    """Listed and scheduled posts together, for lists that leave out the latter by their index."""
    return Q(kind="post", status="published")


def public_q(at: Moment | None = None) -> Q:
    return searchable_q(at=at) & Q(password="")


def reachable_q(at: Moment | None = None) -> Q:
    return searchable_q(at=at) | Q(status="unlisted")


def searchable_q(prefix: str = "", at: Moment | None = None) -> Q:
    return Q(**{f"{prefix}status": "published", f"{prefix}published_at__lte": at or timezone.now()})


class VisibilityQuerySet(models.QuerySet["Post"]):
    """The words as questions; each word and its opposite divide all posts between them."""

    def listed(self, at: Moment | None = None) -> Self:
        return self.filter(listed_q(at=at))

    def not_listed(self, at: Moment | None = None) -> Self:
        """The posts and pages that no list shows, by ranges of an index."""
        post, published = Q(kind="post"), Q(kind="post", status="published")
        to_come, without_time = Q(published_at__gt=at or timezone.now()), Q(published_at=None)
        hidden = Q(kind="page") | post & Q(status__in=NEVER_LISTED)
        return self.filter(hidden | published & to_come | published & without_time)

    def public(self, at: Moment | None = None) -> Self:
        return self.filter(public_q(at))

    def not_public(self, at: Moment | None = None) -> Self:
        return self.exclude(public_q(at))

    def reachable(self, at: Moment | None = None) -> Self:
        return self.filter(reachable_q(at))

    def not_reachable(self, at: Moment | None = None) -> Self:
        return self.exclude(reachable_q(at))

    def searchable(self, at: Moment | None = None) -> Self:
        return self.filter(searchable_q(at=at), kind__in=KINDS)  # all are named, so that the index is of use

    def searchable_among(self, ids: Iterable[int]) -> Self:
        """The searchable ones of these posts.

        Asked as a CASE: with searchable() SQLite would rather go through all that is published than look up some ids.
        """
        shown = Case(When(searchable_q(), then=1), default=0, output_field=IntegerField())
        return self.filter(pk__in=list(ids)).alias(shown=shown).filter(shown=1)

    def not_searchable(self) -> list[Self]:
        """All others: a queryset for each reason, because SQLite takes no index for a choice of reasons."""
        every = self.filter(kind__in=KINDS)
        published = every.filter(status="published")
        to_come = published.filter(published_at__gt=timezone.now())
        return [every.filter(status__in=NEVER_LISTED), to_come, published.filter(published_at=None)]

    def scheduled(self, at: Moment) -> Self:
        """Posts and pages that come out after then, the next one first."""
        # Both kinds are named, so that an index is of use.
        return self.filter(status="published", published_at__gt=at, kind__in=KINDS).order_by("published_at")

    def without_password(self) -> Self:
        return self.filter(password="")

    def visible_to(self, user: Account) -> Self:
        """Posts and pages that this user may find by number."""
        return self.all() if may_see_unpublished(user) else self.filter(searchable_q())


# -- Rights of accounts: being staff opens the admin's door and nothing else -------------------------------------------


def may_see_unpublished(user: Account) -> bool:
    """Whether the user may read every post: drafts, private, scheduled and unlisted ones, and those with a password.

    A superuser may, and an active staff account that may view or change posts. The same permissions give nothing to an
    account that is not staff. Costs no query for anybody who is not staff and for superusers, 2 once per request for
    other staff.
    """
    return _may(user, "posts.view_post", "posts.change_post")


def may_write(user: Account) -> bool:
    """Whether the user is staff and may add or change posts (2 queries for the permissions, once per request)."""
    return _may(user, "posts.add_post", "posts.change_post")


def _may(user: Account, *permissions: str) -> bool:
    return user.is_active and user.is_staff and any(user.has_perm(name) for name in permissions)
