"""Each question to the database, asked once and by name."""

from .lists import LIST_FIELDS, ListKey
from .posts import PostQuerySet
from .taxonomy import CategoryQuerySet, OldAddressQuerySet, OldTagSlugQuerySet, TagQuerySet

__all__ = [
    "LIST_FIELDS",
    "CategoryQuerySet",
    "ListKey",
    "OldAddressQuerySet",
    "OldTagSlugQuerySet",
    "PostQuerySet",
    "TagQuerySet",
]
