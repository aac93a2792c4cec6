"""Questions about what posts are sorted by, categories and tags, and about the addresses these and posts had before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Max

from apps.core.db.joined_queries import Param

from ..slugs import slugify
from ..visibility import Moment, listed_q

if TYPE_CHECKING:
    from ..models import Category, OldAddress, OldTagSlug, Tag  # noqa: F401 -- ruff does not read strings


class CategoryQuerySet(models.QuerySet["Category"]):
    def default(self) -> Category:
        """Return the protected category, made when it is not there (1 query, as a rule)."""
        category, _created = self.get_or_create(protected=True, defaults={"name": "未分类", "hidden": True})
        return category

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the categories; their posts move to the protected one. Raises ProtectedError for that one."""
        protected: set[models.Model] = set(self.filter(protected=True))
        if protected:
            raise models.ProtectedError("The protected category can't be deleted.", protected)
        return super().delete()

    def chosen(self, pk: str) -> Category | None:
        """Return the category that a form names, None for one that is unknown or no number (1 query at most)."""
        return self.filter(pk=pk).first() if pk.isascii() and pk.isdigit() else None

    def with_number_of_posts(self) -> CategoryQuerySet:
        """Categories with `number_of_posts`, of any status (1 query)."""
        return self.annotate(number_of_posts=Count("posts"))

    def visible(self) -> CategoryQuerySet:
        return self.filter(hidden=False)

    def for_sitemap(self) -> CategoryQuerySet:
        """Visible categories with `changed`, when their newest public post came (1 query)."""
        return self.visible().annotate(changed=Max("posts__published_at", filter=listed_q("posts__"))).order_by("pk")


class TagQuerySet(models.QuerySet["Tag"]):
    def named(self, names: Iterable[str]) -> list[Tag]:
        """Return the tags of these names in order, made where missing; names of one slug are one tag (1 + new)."""
        wanted: dict[str, str] = {}
        for name in names:
            if slug := slugify(name):
                wanted.setdefault(slug, name.strip()[:64])
        found = {tag.slug: tag for tag in self.filter(slug__in=wanted)}
        return [found.get(slug) or self.get_or_create(slug=slug, defaults={"name": wanted[slug]})[0] for slug in wanted]

    def slug_of(self, pk: int) -> str:
        """Return the stored slug, "" when there is no such tag (1 query)."""
        return self.filter(pk=pk).values_list("slug", flat=True).first() or ""

    def of_post(self, pk: Param) -> models.QuerySet[models.Model, tuple]:
        """Names, slugs and ids of the tags of that post, in the order it got them."""
        links = self.model.posts.through.objects.filter(post=pk).order_by("pk")
        return links.values_list("tag__name", "tag__slug", "tag")

    def times_used(self) -> models.QuerySet[models.Model, tuple]:
        """Ids of tags, and how many posts of any kind have them (an index alone: 30 ms at 300,000)."""
        used = self.model.posts.through.objects.order_by().values("tag")
        return used.values_list("tag", Count("pk"))

    def times_used_hidden(self, at: Moment) -> models.QuerySet[models.Model, tuple]:
        """The same of posts that lists don't show by then: few, so that the rest is counted by taking these away."""
        from ..models import Post

        hidden = self.model.posts.through.objects.filter(post__in=Post.objects.not_listed(at)).order_by()
        return hidden.values("tag").values_list("tag", Count("pk"))

    def for_sitemap(self) -> TagQuerySet:
        """Tags of at least one public post with `changed`, when the newest of these came (1 query)."""
        newest = Max("posts__published_at", filter=listed_q("posts__"))
        return self.only("slug").annotate(changed=newest).filter(changed__isnull=False).order_by("pk")


class OldTagSlugQuerySet(models.QuerySet["OldTagSlug"]):
    def successor(self, slug: str) -> str | None:
        """Return the slug of the tag that had this one before (1 query)."""
        return self.filter(slug=slug).values_list("tag__slug", flat=True).first()


class OldAddressQuerySet(models.QuerySet["OldAddress"]):
    def to(self, path: str) -> OldAddress | None:
        """What is recorded of the path, else of the path with another closing slash, post included (1 query)."""
        bare = path.rstrip("/")
        found = {known.path: known for known in self.filter(path__in=[bare, f"{bare}/"]).select_related("post")}
        return found.get(path) or next(iter(found.values()), None)
