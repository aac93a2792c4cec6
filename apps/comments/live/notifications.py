"""Notify open pages of a post of its new and changed comments: numbers of floors, never a word of them.

A post may be behind a password; the pages fetch what they are told of, and are asked for it again there.
"""

import asyncio
import logging
import secrets
from collections.abc import Iterable
from typing import TypedDict, Unpack

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from apps.core.redis.clients import RedisError

SEND_SECONDS = 1
CHANGED_MOST = 100  # floors of a post told of at once, the newest; whoever changes more is no open page's business

logger = logging.getLogger(__name__)


class News(TypedDict, total=False):
    """News for the open pages of a post; `readers` is how many have it open, None when nobody has counted them."""

    floor: int
    changed: list[int]  # floors
    edition: str
    readers: int | None


class Message(News):
    type: str
    post: int


def group_name(post_id: int) -> str:
    """The group of the channel layer that the processes with open pages of the post are in."""
    return f"post-{post_id}"


def message(post_id: int, **news: Unpack[News]) -> Message:
    """Return what goes through the channel layer to Hub: the post, and `floor`, `changed` or `readers` of it."""
    return {"type": "live", "post": post_id, **news}


def notify_added(post_id: int, floor: int) -> None:
    """Once the transaction is through, tell the open pages that the post has got this floor."""
    transaction.on_commit(lambda: _send([message(post_id, floor=floor)]), robust=True)


def notify_changed(floors: Iterable[tuple[int, int]]) -> None:
    """Once the transaction is through, tell the open pages that these (post's id, floor) are not what they were.

    Edited, hidden, let through or gone: the page looks. `edition` makes an address that nobody has asked for before.
    """
    by_post: dict[int, set[int]] = {}
    for post_id, floor in floors:
        by_post.setdefault(post_id, set()).add(floor)
    edition = secrets.token_hex(4)
    messages = [
        message(post_id, changed=sorted(changed)[-CHANGED_MOST:], edition=edition)
        for post_id, changed in by_post.items()
    ]
    transaction.on_commit(lambda: _send(messages), robust=True)


def _send(messages: list[Message]) -> None:
    """Send them within a second, or not at all: what is stored is seen when the page is opened next."""
    layer = get_channel_layer()
    if layer is None or not messages:
        return

    async def send_all() -> None:
        async with asyncio.timeout(SEND_SECONDS):
            for told in messages:
                await layer.group_send(group_name(told["post"]), told)

    try:
        async_to_sync(send_all)()
    except (RedisError, OSError, TimeoutError):
        logger.warning("Open pages were not told of what changed under %d posts.", len(messages), exc_info=True)
