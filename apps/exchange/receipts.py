"""The outcome of each item."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from .items import PostItem

STANDINGS = ("draft", "scheduled", "unlisted", "private", "password")


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # edited here since, so the file did not replace it
    SKIPPED = "skipped"  # no post
    FAILED = "failed"


@dataclass
class Receipt:
    """`reason` says why for all but created, updated and unchanged; warnings name the file's lines.

    `standing` is empty for a post that everybody may read, else one of STANDINGS; `causes` are the words for
    why, `because` is the sentence.
    """

    origin: str
    outcome: Outcome
    reason: str = ""
    title: str = ""
    post_id: int | None = None
    standing: str = ""
    causes: tuple[str, ...] = ()
    because: str = ""
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.origin}" + (f" ({self.reason})" if self.reason else "")


def totals(receipts: Iterable[Receipt]) -> dict[Outcome, int]:
    """How many of each outcome, in the enumeration's order, those that happened."""
    counted = Counter(receipt.outcome for receipt in receipts)
    return {outcome: counted[outcome] for outcome in Outcome if counted[outcome]}


def held_back(receipts: Iterable[Receipt]) -> dict[str, Counter[str]]:
    """Of the posts that were stored, how many are not simply public, by standing and cause."""
    found: dict[str, Counter[str]] = {standing: Counter() for standing in STANDINGS}
    for receipt in receipts:
        if receipt.standing and receipt.outcome in {Outcome.CREATED, Outcome.UPDATED}:
            found[receipt.standing][next(iter(receipt.causes), receipt.standing)] += 1
    return {standing: causes for standing, causes in found.items() if causes}


def tell_standing(receipt: Receipt, item: PostItem, status: str) -> None:
    """Note in the receipt how the post stands, `status` being what it got in the end, and why."""
    scheduled = next((reason for reason in item.reasons if reason.name == "scheduled"), None)
    receipt.standing = status if status != "published" else "scheduled" if scheduled else ""
    if receipt.standing == "" and item.password:
        receipt.standing = "password"
    reasons = [scheduled] if scheduled else [reason for reason in item.reasons if reason.status == status]
    receipt.causes = tuple(reason.name for reason in reasons if reason)
    receipt.because = "; ".join(reason.sentence for reason in reasons[:3] if reason)
