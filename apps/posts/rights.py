"""The rights of an account over posts. Being staff opens the admin's door and nothing else."""

from typing import Any


def may_write(user: Any) -> bool:
    """Whether the user is staff and may add or change posts (2 queries for the permissions, once per request)."""
    return _may(user, "posts.add_post", "posts.change_post")


def may_see_unpublished(user: Any) -> bool:
    """Whether the user may read every post: drafts, private, scheduled and unlisted ones, and those with a password.

    A superuser may, and an active staff account that may view or change posts. The same permissions give nothing to an
    account that is not staff. Costs no query for anybody who is not staff and for superusers, 2 once per request for
    other staff.
    """
    return _may(user, "posts.view_post", "posts.change_post")


def _may(user: Any, *permissions: str) -> bool:
    return bool(user.is_active and user.is_staff and any(user.has_perm(name) for name in permissions))
