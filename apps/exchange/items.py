"""The values that every reader yields and the writer stores, without Django."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

# A reader leaves these in the body where the writer puts an address; no source text keeps such characters.
_PICTURE, _LINK, _END = "\ufde0", "\ufde1", "\ufde2"
PLACEHOLDER = re.compile(f"([{_PICTURE}{_LINK}])([0-9]+){_END}")


def picture_placeholder(number: int) -> str:
    return f"{_PICTURE}{number}{_END}"


def link_placeholder(number: int) -> str:
    return f"{_LINK}{number}{_END}"


def is_picture(sign: str) -> bool:
    return sign == _PICTURE


@dataclass(frozen=True)
class Picture:
    """A local image: the file, and the reference as it was written, which stays if the image is refused."""

    path: Path
    reference: str
    line: int = 0


@dataclass(frozen=True)
class Link:
    """A link to another item, known by its origin.

    `text` None stands for the other's title; with `bare` only the address is wanted. `fallback` is what is written
    when the other item could not be stored.
    """

    origin: str
    text: str | None = None
    bare: bool = False
    fragment: str = ""
    fallback: str = ""
    line: int = 0


@dataclass(frozen=True)
class Reason:
    """Why a post is not simply public: the status it calls for, what says so in a word, and in a sentence."""

    status: str
    name: str
    sentence: str


@dataclass(frozen=True)
class PostItem:
    """One text, as it was elsewhere. Times are aware; `categories` are paths, outermost name first."""

    origin: str
    title: str
    body: str
    digest: str
    published_at: datetime | None = None
    dated: bool = False  # the date is stated in the file, not a guess
    updated_at: datetime | None = None
    status: str = "published"
    is_page: bool = False  # about, links and the like: outside the lists
    language: str = ""
    slug: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    summary: str = ""
    permalinks: tuple[str, ...] = ()
    cover: Picture | None = None
    pictures: tuple[Picture, ...] = ()
    links: tuple[Link, ...] = ()
    pinned: bool = False
    password: str = ""
    comments_open: bool = True
    original_url: str = ""
    place_key: str = ""
    path_key: str = ""
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """An item that could not be read, or (`skipped`) was passed by on purpose."""

    origin: str
    reason: str
    line: int | None = None
    skipped: bool = False
    warnings: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


class Unreadable(Exception):
    """Raised inside a reader for one item; the others go on."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
