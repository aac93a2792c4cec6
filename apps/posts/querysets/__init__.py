"""Each question to the database, asked once and by name."""

from .drafts import DraftQuerySet
from .lists import ListKey, ListRow
from .posts import PostQuerySet
from .revisions import RevisionQuerySet
from .taxonomy import CategoryQuerySet, OldAddressQuerySet, OldTagSlugQuerySet, TagQuerySet

__all__ = [
    "CategoryQuerySet",
    "DraftQuerySet",
    "ListKey",
    "ListRow",
    "OldAddressQuerySet",
    "OldTagSlugQuerySet",
    "PostQuerySet",
    "RevisionQuerySet",
    "TagQuerySet",
]
