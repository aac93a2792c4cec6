"""Posts and their shelves."""

from .draft import Draft
from .post import OldAddress, Post
from .revision import Revision
from .search import SearchBlock, SearchEntry, SearchWord
from .shelves import Category, OldTagSlug, Source, Tag, default_category_id

__all__ = [
    "Category",
    "Draft",
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
