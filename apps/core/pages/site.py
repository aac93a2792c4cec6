"""The site around a page: its title, navbar, sidebar, categories and counts, as one frozen value without a query.

The app `components` builds it (apps/components/snapshot.py); store.py keeps it.
"""

import datetime
from dataclasses import dataclass, field
from typing import Self

from django.urls import reverse

from ..static.stylesheet import stylesheet
from . import values

LINKS_BOX = "links"  # the kind of a sidebar box with the owner's links to other sites


@dataclass(frozen=True, slots=True)
class Link:
    """A name, its address, and the number of posts behind it."""

    name: str
    url: str
    count: int | None = None
    language: str = ""  # blank for the site's


@dataclass(frozen=True, slots=True)
class NavbarEntry:
    """A link of the navbar, or a dropdown when it has `links`."""

    name: str
    url: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class SidebarBox:
    title: str
    kind: str
    html: str = ""
    links: tuple[Link, ...] = ()
    months: tuple[tuple[datetime.date, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category, source or tag, with the number of its public posts."""

    pk: int
    name: str
    url: str
    posts: int
    introduction: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    pv_today: int
    uv_today: int
    posts: int
    comments: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Values that are the same for all readers: what base.html shows, and what lists need besides their posts."""

    title: str
    signature: str
    navbar: str
    footer: str
    language: str
    comments_open: bool
    comment_holding: str
    accent: str
    pages: tuple[Link, ...]
    entries: tuple[NavbarEntry, ...]
    boxes: tuple[SidebarBox, ...]
    statistics: Statistics
    # All categories and sources by id, hidden and empty ones too; tags by slug, the most used first. A tag that only
    # unlisted posts have is left out: its name may tell of a draft.
    categories: dict[int, Shelf]
    sources: dict[int, Shelf]
    tags: dict[str, Shelf]
    # First days of the months with public posts, newest first, each with its address and their number.
    months: tuple[tuple[datetime.date, str, int], ...]
    has_translations: bool
    # In seconds since 1970: when the snapshot was read, and when the next scheduled post is published.
    made_at: float
    next_due_at: float
    # Changes whenever a list may hold other posts than before.
    lists_stamp: str
    # A digest of what the frame shows, without the numbers of views and comments, which the beacon updates.
    frame: str = ""
    # Parts rendered from it in this process, by template and language. They end with the snapshot.
    rendered: dict[object, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    def to_json(self) -> object:
        return values.encoded(self)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what to_json() returned. Raises ValueError, KeyError or TypeError for anything else."""
        return values.decoded(cls, data)

    @property
    def stylesheet_url(self) -> str:
        """Made from the files of this process, because another version of the program may have built the snapshot."""
        return reverse("components:stylesheet", args=[stylesheet(self.accent).digest])

    @property
    def has_links(self) -> bool:
        return bool(self.link_boxes)

    @property
    def link_boxes(self) -> tuple[SidebarBox, ...]:
        return tuple(box for box in self.boxes if box.kind == LINKS_BOX)
