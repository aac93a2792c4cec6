"""Questions about what is being written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from ..models import Draft  # noqa: F401 -- ruff does not read strings

KEPT = timedelta(days=90)


class DraftQuerySet(models.QuerySet["Draft"]):
    def of(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        return self.filter(user_id=user.pk)

    def in_slot(self, slot: UUID) -> Self:
        return self.filter(slot=slot)

    def for_list(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The user's drafts without their texts, the latest first."""
        return self.of(user).defer("content").order_by("-saved_at", "slot")

    def up_to(self, sequence: int) -> Self:
        """Those that hold nothing newer than that."""
        return self.filter(sequence__lte=sequence)

    def forgotten(self) -> Self:
        """Those that nobody has touched for 90 days."""
        return self.filter(saved_at__lt=timezone.now() - KEPT)
