"""The sitemap (https://www.sitemaps.org/protocol.html): an index, and files of at most 10,000 addresses each.

File n of the posts holds ids 10,000 (n - 1) + 1 to 10,000 n: nothing has to be counted or skipped to find where a file
begins, and a change shows in one file alone. Everything else (home, archive, tags, categories) is a list cut in parts.
"""

import datetime
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.core.chunks import chunked
from apps.core.db.replicas import from_replica
from apps.core.http import rates
from apps.core.http.hosts import absolute

from ..models import Category, Post, Tag

ADDRESSES_PER_FILE = 10_000
SITEMAPS = 60  # in a minute, from one address: a full file takes a tenth of a second

Entry = tuple[str, datetime.datetime | None]  # path, when it changed last


@require_safe
@rates.limited("sitemap", SITEMAPS, 60)
@from_replica
def index(request: HttpRequest) -> HttpResponse:
    """The files there are, each with its newest change (4 queries, one of them over all posts)."""
    files: list[Entry] = [
        (reverse("posts:sitemap-posts", args=[number]), changed)
        for number, changed in Post.objects.id_blocks(ADDRESSES_PER_FILE)
    ]
    lists = _lists()
    for number, some in enumerate(chunked(lists, ADDRESSES_PER_FILE), start=1):
        changes = [changed for _path, changed in some if changed]
        files.append((reverse("posts:sitemap-lists", args=[number]), max(changes, default=None)))
    return _answer("sitemapindex", "sitemap", files)


@require_safe
@rates.limited("sitemap", SITEMAPS, 60)
@from_replica
def posts(request: HttpRequest, number: str) -> HttpResponse:
    """Public posts and pages of one block of ids (1 query)."""
    return _file(_entries(Post.objects.for_sitemap().in_id_block(int(number), ADDRESSES_PER_FILE)))


@require_safe
@rates.limited("sitemap", SITEMAPS, 60)
@from_replica
def lists(request: HttpRequest, number: str) -> HttpResponse:
    """Home, archive, tags in use and visible categories (3 queries)."""
    start = (int(number) - 1) * ADDRESSES_PER_FILE
    return _file(_lists()[start : start + ADDRESSES_PER_FILE] if start >= 0 else [])


def _lists() -> list[Entry]:
    newest = Post.objects.newest_publication()
    pages: list[Entry] = [(reverse(f"posts:{name}"), newest) for name in ("home", "archive", "tags")]
    return [*pages, *_entries(Category.objects.for_sitemap()), *_entries(Tag.objects.for_sitemap())]


def _entries(found: Iterable[Any]) -> list[Entry]:  # for_sitemap() annotates each with `changed`
    return [(one.get_absolute_url(), one.changed) for one in found]


def _file(entries: list[Entry]) -> HttpResponse:
    if not entries:
        raise Http404("No such file of the sitemap.")
    return _answer("urlset", "url", entries)


def _answer(root: str, element: str, entries: Iterable[Entry]) -> HttpResponse:
    # Django's own sitemap renders a template for each entry, which takes five times as long.
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">']
    for path, changed in entries:
        lastmod = f"<lastmod>{changed.isoformat(timespec='seconds')}</lastmod>" if changed else ""
        lines.append(f"<{element}><loc>{escape(absolute(path))}</loc>{lastmod}</{element}>")
    lines.append(f"</{root}>\n")
    # For search engines to read, not to show.
    return HttpResponse("\n".join(lines), content_type="application/xml", headers={"X-Robots-Tag": "noindex"})
