"""Kinds of readers, by what their accounts may do."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import make_administrator


def make_user(*permissions: str, **fields: Any) -> Any:
    users = get_user_model()._default_manager
    user = users.create_user(username=f"user{users.count()}", password="pw", **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def signed_in(user: Any) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


# The account, and whether it may see everything.
USERS: dict[str, tuple[Callable[[], Any], bool]] = {
    "anonymous": (lambda: None, False),
    "a reader with an account": (lambda: make_user(), False),
    "a reader with the permission, not staff": (lambda: make_user("posts.view_post", "posts.change_post"), False),
    "staff without a permission": (lambda: make_user(is_staff=True), False),
    "a moderator": (lambda: make_user("comments.change_comment", "comments.view_comment", is_staff=True), False),
    "a writer who only adds": (lambda: make_user("posts.add_post", is_staff=True), False),
    "staff who may view posts": (lambda: make_user("posts.view_post", is_staff=True), True),
    "staff who may change posts": (lambda: make_user("posts.change_post", is_staff=True), True),
    "a superuser": (lambda: make_administrator(), True),
}
