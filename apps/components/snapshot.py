"""What stands around every page, as one frozen value."""

import datetime
import hashlib
import math
import time
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db.models import Count, Q, Sum
from django.urls import reverse

from apps.comments.models import Comment
from apps.posts.models import Category, Post, Source, Tag
from apps.posts.plaintext import plain_text, shorten
from apps.stats.services import today

from . import values
from .models import Menu, MenuItem, Plugin, SiteIdentity, parse_link
from .stylesheet import stylesheet

ITEMS_PER_BOX = 8
TAGS_PER_BOX = 30
MONTHS_PER_BOX = 24
COMMENT_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Link:
    """A name, where it leads, and how many stand behind it."""

    name: str
    url: str
    count: int | None = None


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
class Statistics:
    pv_today: int
    uv_today: int
    posts: int
    comments: int
    sources: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every field that base.html shows; the same for all readers."""

    title: str
    signature: str
    navbar: str
    footer: str
    language: str
    comments_open: bool
    accent: str
    pages: tuple[Link, ...]
    entries: tuple[NavbarEntry, ...]
    boxes: tuple[SidebarBox, ...]
    statistics: Statistics
    # Of the snapshot itself, in seconds since 1970: when it was read, and when the next scheduled post comes out.
    made_at: float
    next_due_at: float
    # Changes whenever a list may hold other posts than before.
    lists_stamp: str
    # A digest of all that the frame shows, but for the numbers of views, which the beacon brings up to date.
    frame: str = ""

    def to_json(self) -> Any:
        return values.encoded(self)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what to_json() gave. Raises ValueError, KeyError or TypeError for anything else."""
        return values.decoded(cls, data)

    @property
    def stylesheet_url(self) -> str:
        """Of the files this process has, whoever built the snapshot."""
        return reverse("components:stylesheet", args=[stylesheet(self.accent).digest])

    @property
    def has_links(self) -> bool:
        return bool(self.link_boxes)

    @property
    def link_boxes(self) -> tuple[SidebarBox, ...]:
        return tuple(box for box in self.boxes if box.kind == Plugin.Kind.LINKS)


def build(lists_stamp: str) -> Snapshot:
    """Read the snapshot from the database: 10 queries, and one more for each kind of list box in the sidebar."""
    made_at = time.time()
    identity = SiteIdentity.objects.filter(pk=1).first() or SiteIdentity()
    due = Post.objects.next_due()
    snapshot = Snapshot(
        title=identity.title,
        signature=identity.signature,
        navbar=identity.navbar,
        footer=identity.footer,
        language=identity.language,
        comments_open=identity.comment_policy == SiteIdentity.CommentPolicy.OPEN,
        accent=identity.accent,
        pages=tuple(_post_link(page) for page in Post.objects.pages()),
        entries=_entries(),
        boxes=tuple(_box(plugin) for plugin in Plugin.objects.filter(disabled=False)),
        statistics=_statistics(),
        made_at=made_at,
        next_due_at=due.timestamp() if due else math.inf,
        lists_stamp=lists_stamp,
    )
    return replace(snapshot, frame=_frame(snapshot))


def _frame(snapshot: Snapshot) -> str:
    boxes = tuple(
        replace(box, links=tuple(replace(link, count=None) for link in box.links))
        if box.kind == Plugin.Kind.HOT_POSTS
        else box
        for box in snapshot.boxes
    )
    statistics = replace(snapshot.statistics, pv_today=0, uv_today=0)
    shown = replace(snapshot, boxes=boxes, statistics=statistics, made_at=0, next_due_at=0, lists_stamp="")
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _entries() -> tuple[NavbarEntry, ...]:
    """Menus in order with their visible categories, then the visible categories that stand in no menu."""
    links: dict[int | None, list[Link]] = {}
    placed = MenuItem.objects.values_list("category_id", "menu_id")
    menu_of = dict(placed)
    visible = {category.pk: category for category in Category.objects.visible()}
    ordered = [pk for pk in menu_of if pk in visible] + [pk for pk in visible if pk not in menu_of]
    for pk in ordered:
        category = visible[pk]
        links.setdefault(menu_of.get(pk), []).append(Link(category.name, category.get_absolute_url()))
    menus = [NavbarEntry(menu.name, links=tuple(links[menu.pk])) for menu in Menu.objects.all() if menu.pk in links]
    return (*menus, *(NavbarEntry(link.name, link.url) for link in links.get(None, [])))


def _statistics() -> Statistics:
    public = Q(posts__in=Post.objects.published())
    sources = Source.objects.annotate(number=Count("posts", filter=public)).order_by("pk")
    links = tuple(Link(source.name, source.get_absolute_url(), source.number) for source in sources)
    comments = Post.objects.published().aggregate(total=Sum("comment_count"))["total"] or 0
    views = today()
    return Statistics(views.pv, views.uv, sum(link.count or 0 for link in links), comments, links)


def _box(plugin: Plugin) -> SidebarBox:
    links: list[Link] = []
    months: list[tuple[datetime.date, str, int]] = []
    match plugin.kind:
        case Plugin.Kind.RECENT_POSTS:
            links = [_post_link(post) for post in Post.objects.for_list()[:ITEMS_PER_BOX]]
        case Plugin.Kind.HOT_POSTS:
            links = [_post_link(post, post.view_count) for post in Post.objects.hottest()[:ITEMS_PER_BOX]]
        case Plugin.Kind.RECENT_COMMENTS:
            links = [_comment_link(comment) for comment in Comment.objects.newest()[:ITEMS_PER_BOX]]
        case Plugin.Kind.TAGS:
            links = [_tag_link(tag) for tag in Tag.objects.in_use()[:TAGS_PER_BOX]]
        case Plugin.Kind.ARCHIVE:
            months = [
                (month, reverse("posts:archive", args=[month.year, f"{month.month:02}"]), count)
                for month, count in Post.objects.months()[:MONTHS_PER_BOX]
            ]
        case Plugin.Kind.LINKS:
            links = [Link(*pair) for line in plugin.content.splitlines() if (pair := parse_link(line))]
    html = plugin.content if plugin.kind == Plugin.Kind.HTML else ""
    return SidebarBox(plugin.title, plugin.kind, html, tuple(links), tuple(months))


def _post_link(post: Post, count: int | None = None) -> Link:
    return Link(post.title, post.get_absolute_url(), count)


def _tag_link(tag: Any) -> Link:  # in_use() adds post_count
    return Link(tag.name, tag.get_absolute_url(), tag.post_count)


def _comment_link(comment: Comment) -> Link:
    words = shorten(plain_text(comment.html), COMMENT_CHARACTERS)
    return Link(f"{comment.author_name}: {words}", comment.get_absolute_url())
