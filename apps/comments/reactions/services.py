"""Reactions of readers who are not signed in: who they are, how often they may, and what stands there now."""

import logging
import secrets

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction

from apps.core.http import rates
from apps.posts.models import Post

from ..models import Comment
from .models import VISITOR_LENGTH, Reaction, ReactionCount

MOST_FLOORS = 500  # asked about at once
LOGGED_MOST = 100  # of numbers that were put right; the rest is only counted

logger = logging.getLogger(__name__)
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

    So many an hour and address: each of them can react once more.
    """
    _count("visitors", address, settings.REACTION_VISITORS_PER_HOUR, 3600)
    return _signer.sign(secrets.token_hex(VISITOR_LENGTH // 2))


def react(post: Post, *, floor: int, kind: str, visitor: str, on: bool, address: str) -> None:
    """Give or take back a visitor's sign; safe to do twice, and at the same time (2 to 5 statements).

    Raises TooMany, and Comment.DoesNotExist when no comment that everybody sees stands on that floor.
    """
    _count("presses", address, settings.REACTIONS_PER_MINUTE, 60)
    if not on:
        with transaction.atomic():
            if Reaction.objects.filter(post=post, floor=floor, kind=kind, visitor=visitor).delete()[0]:
                ReactionCount.objects.move(post, floor, kind, -1)
        return
    comment = Comment.objects.visible().only("pk").get(post=post, floor=floor) if floor else None
    if not _give(post, floor, kind, visitor, comment):
        count = ReactionCount(post=post, floor=floor, kind=kind, comment=comment)
        # Apart from the row: two who both begin the count must not wait for each other.
        ReactionCount.objects.bulk_create([count], ignore_conflicts=True)
        _give(post, floor, kind, visitor, comment)


def _give(post: Post, floor: int, kind: str, visitor: str, comment: Comment | None) -> bool:
    """Write the row and count it; False, and nothing written, when there is no count yet."""
    try:
        with transaction.atomic():
            Reaction(post=post, floor=floor, kind=kind, visitor=visitor, comment=comment).save(force_insert=True)
            if not ReactionCount.objects.move(post, floor, kind, 1):
                raise ReactionCount.DoesNotExist
    except IntegrityError:
        pass  # it stands already, or its comment went away in between
    except ReactionCount.DoesNotExist:
        return False
    return True


def standing(post: Post, first_floor: int, last_floor: int, visitor: str) -> dict[str, object]:
    """Return the reactions to the post and those floors, by floor: how many, and which are this visitor's (2 queries).

    However many there are, no more is read than is shown.
    """
    counts: dict[int, dict[str, int]] = {}
    last_floor = min(last_floor, first_floor + MOST_FLOORS - 1)
    for floor, kind, number in ReactionCount.objects.of_page(post, first_floor, last_floor):
        counts.setdefault(floor, {})[kind] = number
    mine: dict[int, list[str]] = {}
    for floor, kind in Reaction.objects.by(visitor, post, first_floor, last_floor) if visitor else []:
        mine.setdefault(floor, []).append(kind)
    return {"counts": counts, "mine": mine}


def reconcile_reactions() -> int:
    """Compare every number of reactions with their rows; return how many were put right.

    Costs 2 queries over all of them, and 3 statements for each that is off: its row is locked before the reactions are
    counted, and whoever reacts moves it last.
    """
    given = {tuple(key): number for *key, number in Reaction.objects.counted()}
    stored = ReactionCount.objects.values_list("post", "floor", "kind", "number", "pk")
    suspects = [pk for *key, number, pk in stored if number != given.get(tuple(key), 0)]
    corrected = 0
    for pk in suspects:
        with transaction.atomic():
            row = ReactionCount.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue  # its post or comment went away meanwhile
            counted = Reaction.objects.filter(post=row.post_id, floor=row.floor, kind=row.kind).count()
            if counted == row.number:
                continue
            ReactionCount.objects.filter(pk=pk).update(number=counted)
        corrected += 1
        if corrected <= LOGGED_MOST:
            logger.warning(
                "Reactions %s of post %d, floor %d: stored %d, counted %d; put right.",
                *(row.kind, row.post_id, row.floor, row.number, counted),
            )
    if corrected > LOGGED_MOST:
        logger.warning("%d more numbers of reactions were put right.", corrected - LOGGED_MOST)
    return corrected


def _count(what: str, address: str, most: int, seconds: int) -> None:
    """Raises TooMany when that is one too many from there; 2 round trips to the cache at most."""
    if rates.is_one_too_many(f"reactions:{what}:{rates.neighbourhood(address)}", most, seconds):
        raise TooMany
