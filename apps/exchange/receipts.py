"""What became of each item."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # edited here since, so the file did not replace it
    SKIPPED = "skipped"  # no post
    FAILED = "failed"


@dataclass
class Receipt:
    """`reason` says why for all but created, updated and unchanged; warnings name the file's lines."""

    origin: str
    outcome: Outcome
    reason: str = ""
    title: str = ""
    post_id: int | None = None
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.origin}" + (f" ({self.reason})" if self.reason else "")


def totals(receipts: Iterable[Receipt]) -> dict[Outcome, int]:
    """How many of each outcome, in the enumeration's order, those that happened."""
    counted = Counter(receipt.outcome for receipt in receipts)
    return {outcome: counted[outcome] for outcome in Outcome if counted[outcome]}
