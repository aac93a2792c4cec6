"""Posts and their shelves."""

from .post import OldAddress, Post
from .search import SearchBlock, SearchEntry, SearchWord
from .shelves import Category, OldTagSlug, Source, Tag, default_category_id

__all__ = [
    "Category",
    "OldAddress",
    "OldTagSlug",
    "Post",
    "SearchBlock",
    "SearchEntry",
    "SearchWord",
    "Source",
    "Tag",
    "default_category_id",
]
