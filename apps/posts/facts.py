"""What stands under a post's title, as the words and links that templates show."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import ngettext

from . import shown
from .addresses import post_address
from .models import Post

_COVERS = Post.cover.field.storage


class Facts(NamedTuple):
    """`source` and `category` are shelves of the snapshot; None for the moment that they are newer than it."""

    url: str
    moment: str  # as HTML's time element wants it
    day: str
    source: Any
    category: Any
    views: int
    views_text: str
    comments: int
    comments_text: str


def facts_of(post: Any, site: Any) -> Facts:
    """Return the facts of a post, or of a row of PostQuerySet.cards() (no query)."""
    moment = post.published_at and timezone.localtime(post.published_at)
    views, comments = post.view_count, post.comment_count
    return Facts(
        post_address(post.pk, post.slug),
        moment.strftime("%Y-%m-%dT%H:%M:%S%z") if moment else "",
        moment.strftime("%Y-%m-%d") if moment else "",
        site.sources.get(post.source_id),
        site.categories.get(post.category_id),
        views,
        ngettext("%(number)s view", "%(number)s views", views) % {"number": views},
        comments,
        ngettext("%(number)s comment", "%(number)s comments", comments) % {"number": comments},
    )


class Card(NamedTuple):
    """A post as lists show it."""

    url: str
    title: str
    language: str
    pinned: bool
    excerpt: str
    cover: str  # its address
    cover_width: int | None
    cover_height: int | None
    facts: Facts


def cards_of(rows: Iterable[Any], site: Any) -> list[Card]:
    """Return the cards of rows of PostQuerySet.cards(), each noted as shown."""
    return [_card(row, site) for row in rows]


def _card(row: Any, site: Any) -> Card:
    shown.note(row.pk)
    facts = facts_of(row, site)
    cover = _COVERS.url(row.cover) if row.cover else ""
    return Card(
        *(facts.url, row.title, row.language, row.pinned, row.excerpt),
        *(cover, row.cover_width, row.cover_height, facts),
    )
