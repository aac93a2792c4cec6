"""Items -> posts: idempotent, each in a transaction of its own, with a receipt."""

import re
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.validators import URLValidator
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.posts.models import Category, OldAddress, Post, Source, Tag
from apps.posts.rendering.left_out import LeftOut, in_words
from apps.posts.rendering.markdown import render
from apps.posts.slugs import slugify
from apps.posts.writing.revisions import recorded

from .edits import is_edited, is_stricter, keep_closed, state
from .identity import TITLE_MAX_LENGTH, KnownPosts, new_key
from .items import PLACEHOLDER, Link, PostItem, Reason, is_picture
from .media import PictureStore
from .models import ImportedPost
from .readers.held_back import strictest
from .receipts import Outcome, Receipt, tell_standing

NAME_MAX_LENGTH = 64
SUMMARY_MAX_LENGTH = 1000
ORIGIN_MAX_LENGTH = 500
REPOST = "转载"


class Refused(Exception):
    """The item can't be stored as it is; the message says why."""


class Writer:
    """Stores the items of one run.

    A post edited here since its import is kept unless `overwrite`; with `dry_run` nothing is stored, pictures included.
    `status` is what new posts get, whatever their files say; of others it leaves the status alone.
    Costs about 15 queries a new post, none an unchanged one.
    """

    def __init__(
        self,
        items: Iterable[PostItem],
        *,
        overwrite: bool = False,
        dry_run: bool = False,
        author: User | None = None,
        status: str = "",
    ) -> None:
        items = list(items)
        now = timezone.now()
        # No link tells the title of what is not public.
        self.untitled = {
            item.origin
            for item in items
            if item.status in {"draft", "private"} or (item.published_at and item.published_at > now)
        }
        known = KnownPosts(items)
        self.records = {item.origin: record for item in items if (record := known.claim(item))}
        self.overwrite = overwrite
        self.dry_run = dry_run
        self.author = author
        self.status = status
        self.pictures = PictureStore()
        # origin -> id, for links between them
        self.posts = {origin: record.post_id for origin, record in self.records.items()}
        self.unfinished: list[tuple[PostItem, Receipt]] = []

    def store(self, item: PostItem) -> Receipt:
        """Store one item. Never raises for what the item is; a storage or database that is gone is its failure too."""
        receipt = Receipt(item.origin, Outcome.FAILED, title=item.title, warnings=list(item.warnings))
        try:
            with transaction.atomic():
                self._store(item, self.records.get(item.origin), receipt)
        except Refused as reason:
            receipt.outcome, receipt.reason = Outcome.FAILED, str(reason)
        except ValidationError as error:
            receipt.outcome, receipt.reason = Outcome.FAILED, _in_words(error)
        except (DatabaseError, OSError, ValueError) as error:
            receipt.outcome, receipt.reason = Outcome.FAILED, f"could not be stored: {error}".split("\n")[0][:300]
        if receipt.outcome is Outcome.FAILED:
            receipt.post_id = None
        elif receipt.post_id:
            self.posts[item.origin] = receipt.post_id
        return receipt

    def finish(self) -> None:
        """Complete posts whose links lead to posts that were stored after them; call it once, at the end."""
        for item, receipt in self.unfinished:
            if receipt.outcome is Outcome.FAILED:
                continue
            try:
                with transaction.atomic():
                    self._link(item, receipt)
            except (DatabaseError, OSError, ValueError) as error:
                receipt.warnings.append(f"its links could not be completed: {error}")
        self.unfinished = []

    # -- one item --------------------------------------------------------------------------------------------------

    def _store(self, item: PostItem, record: ImportedPost | None, receipt: Receipt) -> None:
        receipt.post_id = record.post_id if record else None
        if record and self._is_unchanged(record, item):
            receipt.outcome = Outcome.UNCHANGED
            if not self.dry_run and record.place_key != item.place_key:
                record.place_key = item.place_key
                record.save(update_fields=["place_key"])
            return
        edited = record is not None and is_edited(record)
        if record and edited and not self.overwrite:
            receipt.outcome, receipt.reason = Outcome.KEPT, "edited here since, kept"
            if is_stricter(item.status, record.post.status):
                receipt.warnings.append(f"its file makes it {item.status}, and here it is {record.post.status}")
            return
        post = record.post if record else Post()
        receipt.outcome = Outcome.UPDATED if record else Outcome.CREATED
        self._check(item)
        item = self._with_status(item, record)
        before = state(post) if record else ""
        filled = keep_closed(item, post, record, edited=edited, warnings=receipt.warnings) if record else item
        self._fill(post, filled, receipt.warnings)
        tell_standing(receipt, filled, post.status)
        if self.dry_run:
            _name_left_out(render(item.body).left_out, receipt.warnings)
            return
        complete = self._write(post, filled, receipt.warnings)
        receipt.post_id = post.pk
        if record and state(post) == before:
            receipt.outcome = Outcome.UNCHANGED
        self._record(post, item, record, complete=complete)
        if not complete:
            self.unfinished.append((item, receipt))

    def _is_unchanged(self, record: ImportedPost, item: PostItem) -> bool:
        """Tell whether the file has nothing new; a post that only came in as a draft waits for its own status."""
        if record.digest != item.digest or (self.overwrite and is_edited(record)):
            return False
        waits = bool(record.status) and record.status != item.status and not self.status
        return not waits or record.post.status == item.status

    def _with_status(self, item: PostItem, record: ImportedPost | None) -> PostItem:
        """The item with the status that this run asks for; a post that is here already is not opened by it."""
        if not self.status:
            return item
        if record:
            return replace(item, status=strictest((record.post.status, item.status)))
        asked = Reason(self.status, "--status", f"as --status {self.status} asks")
        return replace(item, status=self.status, reasons=(asked, *item.reasons))

    def _check(self, item: PostItem) -> None:
        for name in ("title", "body", "summary", "slug", "password", "origin"):
            try:
                str(getattr(item, name)).encode("utf-8")
            except UnicodeEncodeError:
                raise Refused(f"{name}: half a character (a lone surrogate)") from None
        if len(item.password) > NAME_MAX_LENGTH:
            raise Refused(f"password: longer than {NAME_MAX_LENGTH} characters")

    def _fill(self, post: Post, item: PostItem, warnings: list[str]) -> None:
        """Set all but body, cover and what hangs on the post by other tables; warn of what has to be cut."""
        post.title = _cut(item.title, TITLE_MAX_LENGTH, "title", warnings) or item.origin
        post.slug = slugify(item.slug)
        post.summary = _cut(item.summary, SUMMARY_MAX_LENGTH, "summary", warnings)
        post.status = item.status
        # A guess (the file's own time) dates a new post; it doesn't move one that has a date.
        if item.dated or post.published_at is None:
            post.published_at = item.published_at
        post.pinned, post.password, post.comments_open = item.pinned, item.password, item.comments_open
        post.kind = Post.Kind.PAGE if item.is_page else Post.Kind.POST
        self._fill_language(post, item, warnings)
        self._fill_source(post, item, warnings)
        if post._state.adding:
            post.author = self.author
            now = timezone.now()
            wanted = item.updated_at or item.published_at
            post.updated_at = wanted if wanted and wanted <= now else None

    def _fill_language(self, post: Post, item: PostItem, warnings: list[str]) -> None:
        try:
            post.language = Post._meta.get_field("language").clean(item.language, post)
        except ValidationError:
            warnings.append(f"language left out: {item.language[:50]}")

    def _fill_source(self, post: Post, item: PostItem, warnings: list[str]) -> None:
        if not item.original_url:
            return
        try:
            URLValidator(schemes=["http", "https"])(item.original_url)
        except ValidationError:
            warnings.append(f"original address left out: {item.original_url[:200]}")
            return
        if len(item.original_url) > 500:
            warnings.append("original address left out: longer than 500 characters")
            return
        post.original_url = item.original_url
        post.source = Source.objects.filter(name=REPOST).first() or post.source

    def _write(self, post: Post, item: PostItem, warnings: list[str]) -> bool:
        """Store the post and what belongs to it; return whether all its links lead somewhere already."""
        post.category = self._category(item, warnings) or (post.category if post.pk else Category.objects.default())
        tags = self._tags(item, post.category, warnings)
        post.clean_fields(exclude=["category", "source", "author", "cover", "body"])
        body, complete = self._body(item, post, warnings, last=False)
        if item.cover and (name := self.pictures.name(item.cover, post if post.pk else None, warnings)):
            post.cover = name
        post.body = body
        # A text that an import replaces can be put back; a new post has nothing before it.
        with recorded(post.pk, self.author) if post.pk else nullcontext():
            post.save()
            _name_left_out(post.left_out, warnings)
            self._keep_date(post, item)
            post.tags.set(tags)
            self._record_addresses(post, item, warnings)
        return complete

    def _keep_date(self, post: Post, item: PostItem) -> None:
        """An author's own `updated` stands, also when a changed text made save() set another."""
        wanted = item.updated_at
        if wanted and wanted != post.updated_at and wanted <= timezone.now():
            post.updated_at = wanted
            post.save(update_fields=["updated_at"])

    def _category(self, item: PostItem, warnings: list[str]) -> Category | None:
        if not item.categories:
            return None
        name = _cut(item.categories[0][0], NAME_MAX_LENGTH, "category", warnings)
        slug = slugify(name)
        candidates = Category.objects.filter(Q(name=name) | Q(slug=slug) if slug else Q(name=name)).order_by("pk")
        return min(candidates, key=lambda found: found.name != name, default=None) or Category.objects.create(name=name)

    def _tags(self, item: PostItem, category: Category, warnings: list[str]) -> list[Tag]:
        """The tags, and the categories beyond the first: a post has one category here."""
        others = [name for path in item.categories for name in path][1:]
        names = [name for name in [*item.tags, *others] if name in item.tags or slugify(name) != category.slug]
        for name in names:
            if not slugify(name):
                warnings.append(f"tag without a letter or digit left out: {name}")
            elif len(name) > NAME_MAX_LENGTH:
                warnings.append(f"tag cut to {NAME_MAX_LENGTH} characters: {name}")
        return Tag.objects.named(names)

    def _record_addresses(self, post: Post, item: PostItem, warnings: list[str]) -> None:
        for path in item.permalinks:
            known, _created = OldAddress.objects.get_or_create(path=path, defaults={"post": post})
            if known.post_id != post.pk:
                warnings.append(f"old address {path} leads to another post already")

    def _record(self, post: Post, item: PostItem, record: ImportedPost | None, *, complete: bool) -> None:
        if record is None:
            record = ImportedPost(key=new_key(item), post=post, status=item.status)
        elif not self.status:
            record.status = item.status
        record.had_password = bool(item.password)
        record.path_key, record.place_key = item.path_key, item.place_key
        record.origin = item.origin[-ORIGIN_MAX_LENGTH:]
        record.title = item.title[:TITLE_MAX_LENGTH]
        record.dated = item.published_at if item.dated else None
        record.digest = item.digest if complete else ""
        record.post_updated_at = post.updated_at or timezone.now()
        record.post_digest = state(post)
        record.save()

    # -- what the placeholders stand for ---------------------------------------------------------------------------

    def _body(self, item: PostItem, post: Post, warnings: list[str], *, last: bool) -> tuple[str, bool]:
        """The body with addresses for placeholders, and whether every link was known."""
        complete = True
        old = post if post.pk else None

        def replace(found: re.Match[str]) -> str:
            nonlocal complete
            number = int(found[2])
            if is_picture(found[1]):
                picture = item.pictures[number]
                name = self.pictures.name(picture, old, warnings)
                return default_storage.url(name) if name else picture.reference
            link = item.links[number]
            written = self._linked(link)
            if written is None:
                complete = False
                if last:
                    warnings.append(f"line {link.line}: the linked post was not imported: {link.origin}")
                return link.fallback
            return written

        return PLACEHOLDER.sub(replace, item.body), complete

    def _linked(self, link: Link) -> str | None:
        pk = self.posts.get(link.origin)
        target = Post.objects.only("slug", "title").filter(pk=pk).first() if pk else None
        if target is None:
            return None
        title = link.fallback if link.origin in self.untitled else target.title
        address = target.get_absolute_url() + link.fragment
        text = re.sub(r"([\[\]])", r"\\\1", link.text or title)
        return address if link.bare else f"[{text}]({address})"

    def _link(self, item: PostItem, receipt: Receipt) -> None:
        record = ImportedPost.objects.select_related("post").get(post=receipt.post_id)
        post = record.post
        warnings: list[str] = []
        body, complete = self._body(item, post, warnings, last=True)
        receipt.warnings += [warning for warning in warnings if warning not in receipt.warnings]
        if body != post.body:
            if receipt.outcome is Outcome.UNCHANGED:
                receipt.outcome = Outcome.UPDATED
            updated_at = post.updated_at
            with recorded(post.pk, self.author):
                post.body = body
                post.save()
                post.updated_at = updated_at
                post.save(update_fields=["updated_at"])
        self._record(post, item, record, complete=complete)


def _name_left_out(left_out: Iterable[LeftOut], warnings: list[str]) -> None:
    if words := in_words(left_out):
        warnings.append(words)


def _cut(text: str, length: int, name: str, warnings: list[str]) -> str:
    if len(text) > length:
        warnings.append(f"{name} cut to {length} characters")
        return text[:length].rstrip()
    return text


def _in_words(error: ValidationError) -> str:
    if hasattr(error, "error_dict"):
        return "; ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
    return " ".join(error.messages)
