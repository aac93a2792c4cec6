"""Where posts stand: sources, categories, tags."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from ..addresses import category_address, source_address, tag_address
from ..querysets import CategoryQuerySet, OldTagSlugQuerySet, TagQuerySet
from ..rendering.words import one_line
from ..slugs import SLUG_MAX_LENGTH, slugify


class Source(models.Model):
    """Where a text comes from; 原创, 转载 and 翻译 are default rows."""

    name = models.CharField(_("name"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return source_address(self.pk)


class Category(models.Model):
    """A shelf of posts. One row is protected: it takes the posts of categories that are deleted."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    slug = models.CharField(_("slug"), max_length=SLUG_MAX_LENGTH, blank=True)
    introduction = models.TextField(_("introduction"), blank=True)
    hidden = models.BooleanField(_("hidden"), default=False, help_text=_("Left out of the navbar, readable by link."))
    protected = models.BooleanField(_("protected"), default=False, editable=False)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name = one_line(self.name)
        self.slug = slugify(self.slug or self.name) or "category"
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the category; its posts move to the protected one.

        Raises models.ProtectedError for the protected category itself.
        """
        if self.protected:
            raise models.ProtectedError(str(_("The protected category can't be deleted.")), {self})
        return super().delete(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return category_address(self.pk, self.slug)


def default_category_id() -> int:
    """Return the id of the protected category (1 query), making it when it is not there."""
    return Category.objects.default().pk


class Tag(models.Model):
    name = models.CharField(_("name"), max_length=64)
    slug = models.CharField(_("slug"), max_length=SLUG_MAX_LENGTH, unique=True, blank=True)

    objects = TagQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.slug = slugify(self.slug or self.name)
        if not self.slug:
            raise ValidationError({"name": _("A tag needs a letter or a digit.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the tag; a slug it had before leads to it from now on (1 statement more; 4 for another slug)."""
        self.name = one_line(self.name)
        self.slug = slugify(self.slug or self.name) or f"tag-{secrets.token_hex(4)}"
        with transaction.atomic(using=kwargs.get("using")):
            before = "" if self._state.adding else Tag.objects.slug_of(self.pk)
            super().save(*args, **kwargs)
            if before != self.slug:
                OldTagSlug.objects.filter(slug=self.slug).delete()
            if before not in ("", self.slug):
                OldTagSlug.objects.update_or_create(slug=before, defaults={"tag": self})

    def get_absolute_url(self) -> str:
        return tag_address(self.slug)


class OldTagSlug(models.Model):
    """A slug that a tag had before; its address answers 301 until another tag takes it."""

    slug = models.CharField(_("slug"), max_length=SLUG_MAX_LENGTH, unique=True)
    tag = models.ForeignKey(Tag, models.CASCADE, verbose_name=_("tag"), related_name="old_slugs")

    objects = OldTagSlugQuerySet.as_manager()

    class Meta:
        verbose_name = _("old address of a tag")
        verbose_name_plural = _("old addresses of tags")

    def __str__(self) -> str:
        return self.slug
