"""The frame around every page: identity, menus, sidebar plugins."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.posts.models import Category
from apps.posts.rendering.sanitize import clean_fragment
from apps.posts.rendering.words import one_line


class SiteIdentity(models.Model):
    """The site's name and behavior: one row, primary key 1."""

    class Navbar(models.TextChoices):
        DARK = "dark", _("dark (魅力黑)")
        LIGHT = "light", _("light (优雅白)")

    class Language(models.TextChoices):
        CHINESE = "zh-hans", "简体中文"
        ENGLISH = "en", "English"

    class CommentPolicy(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class CommentHolding(models.TextChoices):
        NOBODY = "nobody", _("nobody's")
        FIRST_TIME = "first_time", _("of those who comment for the first time")
        EVERYONE = "everyone", _("everyone's")

    id = models.PositiveSmallIntegerField(primary_key=True, editable=False)
    title = models.CharField(_("title"), max_length=64, default="blog_xtg")
    signature = models.CharField(_("signature"), max_length=200, blank=True)
    navbar = models.CharField(_("navbar"), max_length=8, choices=Navbar.choices, default=Navbar.DARK)
    accent = models.CharField(
        _("accent colour"),
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("A colour such as #1a5fb4."))],
        help_text=_("Of links and buttons. Blank: blue. It is made lighter or darker where it could not be read."),
    )
    footer = models.TextField(_("footer"), blank=True, max_length=2000, help_text=_("HTML; scripts are taken out."))
    language = models.CharField(
        _("language"),
        max_length=8,
        choices=Language.choices,
        default=Language.CHINESE,
        help_text=_(
            "Of menus, buttons, feeds and mail. Readers can switch it for themselves at the foot of each page."
        ),
    )
    comment_policy = models.CharField(
        _("comments"), max_length=8, choices=CommentPolicy.choices, default=CommentPolicy.OPEN
    )
    comment_holding = models.CharField(
        _("comments that wait for approval"),
        max_length=10,
        choices=CommentHolding.choices,
        default=CommentHolding.NOBODY,
        help_text=_("What looks like spam waits in any case; what administrators write never does."),
    )

    class Meta:
        verbose_name = _("site identity")
        verbose_name_plural = _("site identity")

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        self.title, self.signature = one_line(self.title), one_line(self.signature)
        self.footer = clean_fragment(self.footer)
        super().save(*args, **kwargs)


class Menu(models.Model):
    """A dropdown of the navbar; one without visible categories is left out."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    order = models.PositiveIntegerField(_("order"), default=0, db_index=True)

    class Meta:
        verbose_name = _("menu")
        verbose_name_plural = _("menus")
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.name


class MenuItem(models.Model):
    menu = models.ForeignKey(Menu, models.CASCADE, verbose_name=_("menu"), related_name="items")
    category = models.OneToOneField(Category, models.CASCADE, verbose_name=_("category"), related_name="menu_item")
    order = models.PositiveIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("menu entry")
        verbose_name_plural = _("menu entries")
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return str(self.category)


class PluginQuerySet(models.QuerySet["Plugin"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the plugins. Raises ProtectedError when the default statistics box is among them."""
        protected: set[models.Model] = set(self.filter(protected=True))
        if protected:
            raise models.ProtectedError("The statistics box can be disabled, not deleted.", protected)
        return super().delete()


class Plugin(models.Model):
    """A box of the sidebar: the owner's HTML, or one of the built-in kinds."""

    class Kind(models.TextChoices):
        HTML = "html", _("text of your own")
        STATISTICS = "statistics", _("statistics")
        RECENT_POSTS = "recent_posts", _("recent posts")
        RECENT_COMMENTS = "recent_comments", _("recent comments")
        HOT_POSTS = "hot_posts", _("most read posts")
        TAGS = "tags", _("tags")
        ARCHIVE = "archive", _("archive")
        LINKS = "links", _("links")

    title = models.CharField(_("title"), max_length=64)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.HTML)
    note = models.CharField(_("note"), max_length=200, blank=True, help_text=_("For yourself; readers don't see it."))
    content = models.TextField(
        _("content"),
        blank=True,
        max_length=20_000,
        help_text=_("HTML for a text of your own. For links: one a line, as “name https://address”."),
    )
    order = models.PositiveIntegerField(_("order"), default=0, db_index=True)
    disabled = models.BooleanField(_("disabled"), default=False)
    protected = models.BooleanField(_("protected"), default=False, editable=False)

    objects = PluginQuerySet.as_manager()

    class Meta:
        verbose_name = _("sidebar plugin")
        verbose_name_plural = _("sidebar plugins")
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.kind == self.Kind.LINKS:
            for number, line in enumerate(self.content.splitlines(), 1):
                if line.strip() and not parse_link(line):
                    raise ValidationError(
                        {"content": _("Line %(number)d is not “name https://address”.") % {"number": number}}
                    )

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.kind == self.Kind.HTML:
            self.content = clean_fragment(self.content)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the plugin. Raises models.ProtectedError for the default statistics box."""
        if self.protected:
            raise models.ProtectedError(str(_("The statistics box can be disabled, not deleted.")), {self})
        return super().delete(*args, **kwargs)


def parse_link(line: str) -> tuple[str, str] | None:
    """Return (name, address) of a line `name https://address`, None when it is not one."""
    name, _space, address = line.strip().rpartition(" ")
    if address.startswith(("https://", "http://", "/")) and name:
        return name.strip(), address
    return None


class KeyDigest(models.Model):
    """The digest of the SECRET_KEY that the data was made with: one row, primary key 1."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.digest


class SetupToken(models.Model):
    """The digest of the one-time token that lets somebody become the first administrator: one row, primary key 1."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.created_at)
