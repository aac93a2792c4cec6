"""A post as lists show it, and the line of facts under its title."""

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from apps.core.pages import dependencies
from apps.core.pages.site import Snapshot

from ..addresses import post_address
from ..languages import lang, named
from ..models import Post
from ..querysets import ListRow

_COVERS = Post.cover.field.storage


def facts_of(post: Post | ListRow, site: Snapshot, *, live: bool = False) -> SafeString:
    """Return the line of a post, or of a row of a list, as HTML (no query).

    `live` is for the post's own page: with the minutes it takes, and numbers that the beacon brings up to date. Made
    here: a list has ten of these, and a template takes longer.
    """
    facts = []
    if post.published_at:
        moment = timezone.localtime(post.published_at, timezone.get_default_timezone())
        facts.append(f'<time datetime="{moment:%Y-%m-%dT%H:%M:%S%z}">{moment:%Y-%m-%d}</time>')
    shelves = ("source", site.sources, post.source_id), ("category", site.categories, post.category_id)
    for kind, known, pk in shelves:
        if pk and (shelf := known.get(pk)):  # else it is newer than the snapshot
            facts.append(f'<a href="{escape(shelf.url)}">{named(kind, shelf.name, site)}</a>')
    views, comments = {"number": post.view_count}, {"number": post.comment_count}
    if live and isinstance(post, Post):
        minutes = {"minutes": post.reading_minutes}
        facts.append(ngettext("%(minutes)s min read", "%(minutes)s min read", post.reading_minutes) % minutes)
        views_text = ngettext(
            '<span data-number="views">%(number)s</span> view',
            '<span data-number="views">%(number)s</span> views',
            post.view_count,
        )
        comments_text = ngettext(
            '<span data-number="post_comments">%(number)s</span> comment',
            '<span data-number="post_comments">%(number)s</span> comments',
            post.comment_count,
        )
    else:
        views_text = ngettext("%(number)s view", "%(number)s views", post.view_count)
        comments_text = ngettext("%(number)s comment", "%(number)s comments", post.comment_count)
    comments_url = f"{escape(post_address(post.pk, post.slug))}#comments"
    facts += [views_text % views, f'<a href="{comments_url}">{comments_text % comments}</a>']
    lines = "\n".join(f"  <li>{fact}</li>" for fact in facts)
    return SafeString(f'<ul class="facts">\n{lines}\n</ul>\n')


class ListItem(NamedTuple):
    """A post as lists show it."""

    url: str
    title: str
    lang: SafeString  # the attribute of its title and excerpt
    pinned: bool
    excerpt: str
    cover: str  # its address
    cover_width: int | None
    cover_height: int | None
    facts: SafeString


def list_items(rows: Iterable[ListRow], site: Snapshot) -> list[ListItem]:
    """Return the rows of a list as its page shows them; the page then depends on these posts."""
    return [_list_item(row, site) for row in rows]


def _list_item(row: ListRow, site: Snapshot) -> ListItem:
    dependencies.add(row.pk)
    return ListItem(
        *(post_address(row.pk, row.slug), row.title, lang(site, row.language), row.pinned, row.excerpt),
        *(_COVERS.url(row.cover) if row.cover else "", row.cover_width, row.cover_height, facts_of(row, site)),
    )
