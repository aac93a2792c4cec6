"""Reactions of readers who are not signed in: who they are, how often they may, and what stands there now."""

import hashlib
import ipaddress
import secrets
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction

from apps.posts.models import Post

from .models import Comment
from .models_reactions import VISITOR_LENGTH, Reaction

MOST_FLOORS = 500  # asked about at once
_signer = Signer(salt="comments.reactions")


class TooMany(Exception):
    """This address has reacted too often for now."""


def visitor_of(token: str) -> str:
    """Return the visitor whose signed id this is, blank for what we have not signed."""
    try:
        return _signer.unsign(token)
    except BadSignature:
        return ""


def new_visitor(address: str) -> str:
    """Return a signed random id, to be kept by the browser. Raises TooMany.

    So many an hour and address: each of them can react once more. While the cache is away there are none.
    """
    if not _within("visitors", address, settings.REACTION_VISITORS_PER_HOUR, 3600, unknown=False):
        raise TooMany
    return _signer.sign(secrets.token_hex(VISITOR_LENGTH // 2))


def react(post: Post, *, floor: int, kind: str, visitor: str, on: bool, address: str) -> None:
    """Give or take back a visitor's sign; safe to do twice (1 to 3 statements).

    Raises TooMany, and Comment.DoesNotExist when no comment that everybody sees stands on that floor.
    """
    if not _within("presses", address, settings.REACTIONS_PER_MINUTE, 60, unknown=True):
        raise TooMany
    if not on:
        Reaction.objects.take_back(post, floor, kind, visitor)
        return
    try:
        with transaction.atomic():
            comment = Comment.objects.visible().only("pk").get(post=post, floor=floor) if floor else None
            row = Reaction(post=post, floor=floor, comment=comment, kind=kind, visitor=visitor)
            Reaction.objects.bulk_create([row], ignore_conflicts=True)
    except IntegrityError:  # the comment went away in between
        raise Comment.DoesNotExist from None


def standing(post: Post, first_floor: int, last_floor: int, visitor: str) -> dict[str, Any]:
    """Return the reactions to the post and those floors, by floor: how many, and which are this visitor's (2 queries).

    The counts are those of the rows, so they are exact however many react at once.
    """
    reactions = Reaction.objects.of_page(post, first_floor, min(last_floor, first_floor + MOST_FLOORS - 1))
    counts: dict[int, dict[str, int]] = {}
    for floor, kind, number in reactions.counted():
        counts.setdefault(floor, {})[kind] = number
    mine: dict[int, list[str]] = {}
    for floor, kind in reactions.by(visitor) if visitor else []:
        mine.setdefault(floor, []).append(kind)
    return {"counts": counts, "mine": mine}


def _within(what: str, address: str, most: int, seconds: int, *, unknown: bool) -> bool:
    """Whether this is among the first so many from there (2 round trips to the cache); `unknown` while it is away."""
    key = f"reactions-{what}-{_neighbourhood(address)}"
    try:
        cache.add(key, 0, seconds)
        count = cache.incr(key)
    except ValueError:  # it ran out just now, or the cache is away
        return unknown
    return count <= most if count else unknown


def _neighbourhood(address: str) -> str:
    """A digest of the address; of its first half with IPv6, of which a household has as many as it likes."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        found = None
    if found and found.version == 6:
        address = str(ipaddress.ip_network(f"{found}/64", strict=False))
    return hashlib.sha256(f"{settings.SECRET_KEY}\n{address}".encode()).hexdigest()[:32]
