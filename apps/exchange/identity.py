"""Whether a file is one that was imported before, though the folder has moved or the file has changed.

A file is known by its path within its blog (`_posts/hello-world.md`, whether the blog, its `source` or `_posts` itself
was named; a draft that moves from `_drafts` to `_posts` stays the same), and the path alone is not enough: two blogs
may each have a hello-world.md. A file of a path imported before is the same post when

1. nothing about it has changed, or
2. it states the same date as then, or
3. it has the same title as then (or states no date and did not then, whatever its title) and lies in the same place
   on disk, or
4. most of the folder's files that have a known path are the same by 1 or 2, and it lies in the same place, or it has
   the same title (or no date, as before) and does not state another date.

Otherwise it becomes a post of its own. A post is claimed by one file of a run at most.
"""

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from apps.core.chunks import chunked

from .items import PostItem
from .models import ImportedPost

TITLE_MAX_LENGTH = 200
_BATCH_SIZE = 500


def sha256(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def path_key(origin: str) -> str:
    """Of a path within its blog; `_drafts` counts as `_posts`, case doesn't count."""
    parts = unicodedata.normalize("NFC", origin).casefold().split("/")
    return sha256("/".join("_posts" if part == "_drafts" else part for part in parts))


def place_key(content: Path) -> str:
    return sha256(str(content.resolve()))


def new_key(item: PostItem) -> str:
    """The unique key of a record to be made: two runs at once can't both import the same file."""
    return sha256(item.place_key, item.origin, item.digest)


class KnownPosts:
    """The imported posts that a folder's items may be (one query per 500 items)."""

    def __init__(self, items: Iterable[PostItem]) -> None:
        items = list(items)
        keys = list({item.path_key for item in items})
        self._records: dict[str, list[ImportedPost]] = defaultdict(list)
        for batch in chunked(keys, _BATCH_SIZE):
            for record in ImportedPost.objects.filter(path_key__in=batch).order_by("pk"):
                self._records[record.path_key].append(record)
        self._claimed: set[int] = set()
        known = [item for item in items if self._records.get(item.path_key)]
        certain = sum(any(_is_certain(item, record) for record in self._records[item.path_key]) for item in known)
        self._same_blog = bool(known) and certain * 2 > len(known)

    def claim(self, item: PostItem) -> ImportedPost | None:
        """The record of the post that this item is, which no other item gets then; None for a new one."""
        candidates = [record for record in self._records[item.path_key] if record.pk not in self._claimed]
        ranked = [(rank, record) for record in candidates if (rank := self._rank(item, record))]
        if not ranked:
            return None
        _rank, found = max(ranked, key=lambda pair: (pair[0], pair[1].origin == item.origin, -pair[1].pk))
        self._claimed.add(found.pk)
        return found

    def _rank(self, item: PostItem, record: ImportedPost) -> int:
        here = record.place_key == item.place_key
        if record.digest and record.digest == item.digest:
            return 5 if here else 4
        dated = item.published_at if item.dated else None
        if dated and record.dated == dated:
            return 3
        if here and self._same_blog:
            return 2
        same_text = record.title == item.title[:TITLE_MAX_LENGTH] or not (dated or record.dated)
        if not same_text or not (here or self._same_blog):
            return 0
        return 2 if here else 0 if dated and record.dated else 1


def _is_certain(item: PostItem, record: ImportedPost) -> bool:
    return bool(record.digest and record.digest == item.digest) or bool(
        item.dated and record.dated == item.published_at
    )
