"""Posts and their shelves."""

from .post import OldAddress, Post
from .revision import Revision
from .search import SearchBlock, SearchEntry, SearchWord
from .shelves import Category, OldTagSlug, Source, Tag, default_category_id

__all__ = [
    "Category",
    "OldAddress",
    "OldTagSlug",
    "Post",
    "Revision",
    "SearchBlock",
    "SearchEntry",
    "SearchWord",
    "Source",
    "Tag",
    "default_category_id",
]
