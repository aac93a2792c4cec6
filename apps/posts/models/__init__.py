"""What is written, and where it stands."""

from .post import OldAddress, Post
from .shelves import Category, Source, Tag, default_category_id

__all__ = ["Category", "OldAddress", "Post", "Source", "Tag", "default_category_id"]
