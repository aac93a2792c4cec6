"""Each question of the spam filter, by name."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F

from apps.core.chunks import chunked

if TYPE_CHECKING:
    from .models import BlocklistEntry, LearnedToken, Moderation  # noqa: F401  # mypy reads the quoted names

IDS_AT_ONCE = 1000  # in one statement


class BlocklistQuerySet(models.QuerySet["BlocklistEntry"]):
    def rules(self) -> list[tuple[str, str, str]]:
        """Kind, value and outcome of every entry (1 query)."""
        return list(self.values_list("kind", "value", "outcome"))


class LearnedQuerySet(models.QuerySet["LearnedToken"]):
    def counts(self, buckets: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Of those buckets that were met before: comments of spam, comments of ham (1 query for each 1000)."""
        asked, found = sorted(buckets), {}
        for some in chunked(asked, IDS_AT_ONCE):
            rows = self.filter(pk__in=some).values_list("pk", "spam", "ham")
            found.update({bucket: (spam, ham) for bucket, spam, ham in rows})
        return found

    def add(self, changes: dict[int, tuple[int, int]]) -> int:
        """Add to the counts of each bucket; return how many buckets are new. Call it with LearnedTotals locked.

        A statement for each different change, not for each bucket: few, because most words stand in one comment.
        """
        new = changes.keys() - self.counts(changes).keys()
        self.bulk_create([self.model(bucket=bucket) for bucket in sorted(new)], batch_size=IDS_AT_ONCE)
        alike: dict[tuple[int, int], list[int]] = {}
        for bucket in sorted(changes):
            alike.setdefault(changes[bucket], []).append(bucket)
        for (spam, ham), buckets in alike.items():
            for some in chunked(buckets, IDS_AT_ONCE):
                self.filter(pk__in=some).update(spam=F("spam") + spam, ham=F("ham") + ham)
        return len(new)


class ModerationQuerySet(models.QuerySet["Moderation"]):
    def older_than(self, moment: datetime.datetime) -> ModerationQuerySet:
        return self.filter(made_at__lt=moment)

    def of(self, user_id: int | None, pk: int) -> ModerationQuerySet:
        """That action, if it was this user's."""
        return self.filter(user=user_id, pk=pk)
