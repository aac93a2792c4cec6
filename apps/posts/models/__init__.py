"""Posts and their shelves."""

from .draft import Draft
from .post import OldAddress, Post
from .search import SearchBlock, SearchEntry, SearchWord
from .shelves import Category, OldTagSlug, Source, Tag, default_category_id

__all__ = [
    "Category",
    "Draft",
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
