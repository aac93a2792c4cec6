"""A post, and the old addresses that lead to it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.core.pages import dependencies

from .. import visibility
from ..addresses import ADDRESS_KEY_LENGTH, FLOORS_PER_PAGE, TAKEN_SLUGS, floor_address, last_page, post_address
from ..media.image_sizes import dimensions, with_dimensions
from ..querysets import OldAddressQuerySet, PostQuerySet
from ..rendering.left_out import LeftOut
from ..rendering.markdown import RENDERER_VERSION, render
from ..rendering.markdown_cjk import join_lines
from ..rendering.plaintext import reading_minutes
from ..rendering.words import is_blank, one_line
from ..search import index
from ..secret_slugs import has_secret, with_secret, without_secret
from ..slugs import SLUG_MAX_LENGTH, slugify
from .shelves import Category, Source, Tag, default_category_id


def month_number(moment: datetime) -> int:
    """Return the month of the site's time zone as a number: 202611."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    return local.year * 100 + local.month


def validate_year(moment: datetime) -> None:
    """Raise ValidationError for years that no calendar, database and time zone agree on."""
    if not 1000 <= moment.year <= 9000:
        raise ValidationError(_("The year must lie between 1000 and 9000."))


class Post(models.Model):
    """A text with its rendered form.

    `html`, `toc`, `text`, `excerpt` and `renderer_version` follow from `body` and are made by save(); `view_count`,
    `comment_count` and `last_floor` are moved by the services of the apps above, atomically, and never by save().
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        UNLISTED = "unlisted", _("unlisted (readable by link)")
        PRIVATE = "private", _("private (administrators only)")

    class Kind(models.TextChoices):
        POST = "post", _("post")
        PAGE = "page", _("page (linked in the navbar, in no list)")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.POST)
    title = models.CharField(_("title"), max_length=200)
    slug = models.CharField(_("slug"), max_length=SLUG_MAX_LENGTH, blank=True, help_text=_("Blank: from the title."))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("author"), related_name="posts"
    )
    source = models.ForeignKey(Source, models.PROTECT, default=1, verbose_name=_("source"), related_name="posts")
    original_url = models.URLField(
        _("original address"), max_length=500, blank=True, help_text=_("Of a repost or a translation.")
    )
    category = models.ForeignKey(
        Category,
        models.SET(default_category_id),
        default=default_category_id,
        verbose_name=_("category"),
        related_name="posts",
    )
    language = models.CharField(
        _("language"),
        max_length=16,
        blank=True,
        validators=[
            RegexValidator(r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$", _("A language tag, such as en or zh-Hans."))
        ],
        help_text=_("Of the text, such as en or ja. Blank: the site's."),
    )
    translation_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, verbose_name=_("translation of"), related_name="translations"
    )
    tags = models.ManyToManyField(Tag, blank=True, verbose_name=_("tags"), related_name="posts")
    body = models.TextField(_("body"), blank=True, help_text=_("Markdown."))
    summary = models.TextField(
        _("summary"), blank=True, max_length=1000, help_text=_("Blank: the first 120 characters of the text.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    published_at = models.DateTimeField(
        _("published at"),
        null=True,
        blank=True,
        validators=[validate_year],
        help_text=_("A time to come: visible from then on."),
    )
    pinned = models.BooleanField(_("pinned"), default=False, help_text=_("Stands first on the home page."))
    password = models.CharField(
        _("password"), max_length=64, blank=True, help_text=_("Readers are asked for it before they see the text.")
    )
    cover = models.ImageField(_("cover"), upload_to="covers/%Y/%m", blank=True)
    cover_width = models.PositiveIntegerField(null=True, editable=False)
    cover_height = models.PositiveIntegerField(null=True, editable=False)
    comments_open = models.BooleanField(_("comments open"), default=True)

    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), null=True, editable=False)
    published_month = models.PositiveIntegerField(null=True, editable=False)  # 202611, in the site's time zone

    html = models.TextField(editable=False, blank=True)
    toc = models.JSONField(editable=False, default=list)
    text = models.TextField(editable=False, blank=True)
    excerpt = models.TextField(editable=False, blank=True)
    reading_minutes = models.PositiveSmallIntegerField(editable=False, default=1)
    renderer_version = models.PositiveSmallIntegerField(editable=False, default=0)

    view_count = models.PositiveBigIntegerField(_("views"), default=0, editable=False)
    comment_count = models.PositiveIntegerField(_("comments"), default=0, editable=False)
    last_floor = models.PositiveIntegerField(default=0, editable=False)

    objects = PostQuerySet.as_manager()

    FLOORS_PER_PAGE = FLOORS_PER_PAGE
    COUNTERS = ("view_count", "comment_count", "last_floor")
    RENDERED = ("html", "toc", "text", "excerpt", "reading_minutes", "renderer_version")
    # A change of these may put it into other lists, or elsewhere in them, or beside other posts.
    LISTED = (
        *("kind", "status", "published_at", "pinned", "category_id", "source_id"),
        *("translation_of_id", "language", "password"),
        *("title", "slug"),  # under which other posts' pages lead to it
    )
    EDITED = ("title", "body", "summary")  # a change of these is an edit that readers may want to know of
    _REMEMBERED = frozenset({*LISTED, *EDITED, "updated_at", "cover"})

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        ordering = ["-published_at", "-pk"]
        get_latest_by = "published_at"
        indexes = [
            models.Index(fields=["kind", "status", "-published_at", "-id"], name="post_status_time"),
            models.Index(fields=["kind", "status", "-pinned", "-published_at", "-id"], name="post_home"),
            models.Index(fields=["kind", "status", "category", "-published_at", "-id"], name="post_category_time"),
            models.Index(fields=["kind", "status", "source", "-published_at", "-id"], name="post_source_time"),
            models.Index(fields=["kind", "status", "-view_count", "-id"], name="post_views"),
            # PostQuerySet.census() reads nothing else.
            models.Index(
                fields=["kind", "status", "published_month", "category", "source", "published_at", "comment_count"],
                name="post_census",
            ),
            models.Index(
                fields=["status", "id", "password", "published_at", "updated_at", "slug"], name="post_sitemap"
            ),
            models.Index(fields=["renderer_version"], name="post_renderer"),
        ]

    left_out: Sequence[LeftOut] = ()  # what its pages don't show of the body; known when it has been rendered
    _as_loaded: dict[str, Any] = {}  # EDITED, LISTED and updated_at as the database has them; empty for a new post

    def __str__(self) -> str:
        return self.title

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **kwargs: Any) -> Self:
        post = super().from_db(db, field_names, values, **kwargs)
        post._remember()
        dependencies.add(post.pk)
        return post

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self._remember(kwargs.get("fields"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the post, rendered anew (25 ms for a long one) unless `update_fields` leaves the body out.

        Counters are written only when the row is made: a copy held while readers come and go must not set them back.
        """
        if self._state.adding:
            self._complete()
            self._render()
            self.updated_at = self.updated_at or timezone.now()
        elif kwargs.get("update_fields") is None:
            self._complete()
            self._render()
            if self._edited():
                self.updated_at = timezone.now()
            concrete = (field.name for field in self._meta.concrete_fields if not field.primary_key)
            kwargs["update_fields"] = [name for name in concrete if name not in self.COUNTERS]
        elif "status" in kwargs["update_fields"]:
            self.slug = self._fitting_slug(self.slug)
            kwargs["update_fields"] = [*kwargs["update_fields"], "slug"]
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, **kwargs)
            if self.becomes_unlisted():
                self.old_addresses.filter(path__startswith=f"/article/{self.pk}/").delete()
            written = kwargs.get("update_fields")
            if written is None or index.INDEXED & set(written):
                index.write([self])
        self._remember()

    def publish(self) -> None:
        """Make the post visible now; a time that has passed already stays, one to come is pulled forward."""
        now = timezone.now()
        self.status = self.Status.PUBLISHED
        if self.published_at is None or self.published_at > now:
            self.published_at = now
        self._complete()
        self.save(update_fields=["status", "published_at", "published_month"])  # and the slug

    def unpublish(self) -> None:
        """Take the post back to draft; its address and first publication time are kept for the next time."""
        self.status = self.Status.DRAFT
        self.save(update_fields=["status"])

    def move_to(self, category: Category) -> None:
        self.category = category
        self.save(update_fields=["category"])

    def rerender(self) -> None:
        """Bring the stored HTML up to RENDERER_VERSION; not an edit."""
        self._render()
        self.save(update_fields=list(self.RENDERED))

    # The words of visibility.py.

    @property
    def is_listed(self) -> bool:
        return visibility.is_listed(self)

    @property
    def is_public(self) -> bool:
        return visibility.is_public(self)

    @property
    def is_reachable(self) -> bool:
        return visibility.is_reachable(self)

    @property
    def is_searchable(self) -> bool:
        return visibility.is_searchable(self)

    def get_absolute_url(self) -> str:
        return post_address(self.pk, self.slug)

    @property
    def address_key(self) -> str:
        """The proof, in addresses of its comments and reactions, that the whole address of the post is known."""
        return salted_hmac("posts.address_key", f"{self.pk}/{self.slug}").hexdigest()[:ADDRESS_KEY_LENGTH]

    @property
    def reference(self) -> str:
        """How addresses of its comments and reactions name the post: its number, with a key when it is unlisted."""
        return f"{self.pk}-{self.address_key}" if self.status == self.Status.UNLISTED else str(self.pk)

    @property
    def floor_pages(self) -> int:
        """How many pages its comments fill; page n holds floors 20(n-1)+1 to 20n, whether they still stand or not."""
        return last_page(self.last_floor, self.FLOORS_PER_PAGE)

    def floor_url(self, floor: int) -> str:
        """Return the permanent address of a comment's floor."""
        return floor_address(self.pk, self.slug, floor)

    def clean(self) -> None:
        if self.title and is_blank(self.title):
            raise ValidationError({"title": _("A post needs a title that can be seen.")})

    def _complete(self) -> None:
        self.title = one_line(self.title)
        self.slug = slugify(self.slug or self.title) or "post"
        if self.slug in TAKEN_SLUGS:
            self.slug = f"{self.slug}-post"
        self.slug = self._fitting_slug(self.slug)
        if self.published_at is None and self.status != self.Status.DRAFT:
            self.published_at = timezone.now()
        self.cover_width, self.cover_height = self._cover_size()
        if self.published_at is not None:
            self.published_month = month_number(self.published_at)

    def _fitting_slug(self, slug: str) -> str:
        """Return the slug as the status wants it: that of an unlisted post can't be guessed.

        An ending that is there stays, also through a time as a draft: the link has been passed on. Publishing takes it
        away, because from then on everybody knows the address; the next time the post becomes unlisted it gets another.
        """
        if self.status == self.Status.PUBLISHED:
            return without_secret(slug)
        if self.status != self.Status.UNLISTED or has_secret(slug):
            return slug
        stored: str = self._as_loaded.get("slug", "")
        return stored if has_secret(stored) and without_secret(stored) == slug else with_secret(slug)

    def _render(self) -> None:
        rendered = render(self.body)
        self.html, self.toc, self.text = with_dimensions(rendered.html), rendered.toc, rendered.text
        self.reading_minutes = reading_minutes(rendered.text)
        # A text behind a password must not leak through a list.
        self.excerpt = join_lines(self.summary.strip()) or ("" if self.password else rendered.excerpt)
        self.renderer_version = RENDERER_VERSION
        self.left_out = rendered.left_out

    def _remember(self, read: Collection[str] | None = None) -> None:
        """Note what the database holds of the columns whose change save() looks for; deferred ones stay unread.

        Where only some were `read`, as a deferred one is when it is needed, the others may hold a change by now.
        """
        names = self._REMEMBERED if read is None else self._REMEMBERED.intersection(read)
        loaded = {name: value for name, value in vars(self).items() if name in names}
        loaded |= {"cover": str(loaded["cover"] or "")} if "cover" in loaded else {}
        self._as_loaded = loaded if read is None else self._as_loaded | loaded

    def moves_in_lists(self) -> bool:
        """Whether what is being saved may stand in other lists than before; so it is when nobody knows what was."""
        return any(getattr(self, name) != self._as_loaded.get(name, self) for name in self.LISTED if name in vars(self))

    def is_being_withdrawn(self) -> bool:
        """Whether what is being saved takes the post, or its text, from readers who had it."""
        return visibility.is_withdrawn(self._as_loaded, vars(self))

    def becomes_unlisted(self) -> bool:
        """Whether what is being saved makes an unlisted post of one that was published."""
        was = self._as_loaded.get("status")
        return self.status == self.Status.UNLISTED and was == self.Status.PUBLISHED

    def _cover_size(self) -> tuple[int | None, int | None]:
        """The cover's width and height in pixels, read from its file only when it is another than the stored one."""
        if not self.cover:
            return None, None
        if self.cover_width and self.cover.name == self._as_loaded.get("cover"):
            return self.cover_width, self.cover_height
        return dimensions(self.cover.file) or (None, None)

    def _edited(self) -> bool:
        """Whether readers would see another text; an `updated_at` set by the caller stands as it is."""
        loaded = self._as_loaded
        if "updated_at" in loaded and loaded["updated_at"] != self.updated_at:
            return False
        return any(name in loaded and loaded[name] != getattr(self, name) for name in self.EDITED)


class OldAddress(models.Model):
    """A path an imported post was known by; it answers 301 for ever, unless the post is unlisted.

    One kind leads to unlisted posts as well: the whole address (/article/<id>/<slug>/) that such a post had before.
    """

    PATH_MAX_LENGTH = 500

    path = models.CharField(_("path"), max_length=PATH_MAX_LENGTH, unique=True)
    post = models.ForeignKey(Post, models.CASCADE, verbose_name=_("post"), related_name="old_addresses")

    objects = OldAddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("old address")
        verbose_name_plural = _("old addresses")

    def __str__(self) -> str:
        return self.path

    def was_whole(self, path: str) -> bool:
        """Whether the path is this very address, and was the post's whole one."""
        return path == self.path and path.startswith(f"/article/{self.post_id}/")

    def clean(self) -> None:
        if not self.path.startswith("/"):
            self.path = f"/{self.path}"
