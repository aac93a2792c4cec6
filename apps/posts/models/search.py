"""The index of the search; apps/posts/search says what stands in it and why it looks like this."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import models
from django.db.models import Q

TOKEN_MAX_LENGTH = 64
AFTER_ANY = "~"  # sorts behind every character a word can hold


class SearchWordQuerySet(models.QuerySet["SearchWord"]):
    def named(self, words: Collection[str], prefixes: Iterable[str] = ()) -> Iterable[tuple[str, int, bytes]]:
        """Word, block and posts of these words and of all that begin with the prefixes (1 query)."""
        wanted = Q(token__in=words)
        for prefix in prefixes:
            wanted |= Q(token__gte=prefix, token__lt=prefix + AFTER_ANY)
        return self.filter(wanted).values_list("token", "block", "posts")


class SearchWord(models.Model):
    """Which posts of a block hold a word. The migration makes the table: ASCII and binary, ordered by its key."""

    pk = models.CompositePrimaryKey("token", "block")
    token = models.CharField(max_length=TOKEN_MAX_LENGTH)
    block = models.PositiveBigIntegerField()
    posts = models.BinaryField()

    objects = SearchWordQuerySet.as_manager()

    def __str__(self) -> str:
        return self.token


class SearchBlock(models.Model):
    """Locked by whoever changes the words of a block, so that two writers don't lose each other's posts."""

    number = models.PositiveBigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.number)


class SearchEntry(models.Model):
    """The index entry of a post, kept so that a change touches the words that changed and no other."""

    post = models.OneToOneField("posts.Post", models.CASCADE, primary_key=True, related_name="search_entry")
    version = models.PositiveSmallIntegerField()
    words = models.BinaryField()  # of title and body, compressed
    tag_words = models.TextField()
    reading = models.TextField()  # the title's pinyin

    def __str__(self) -> str:
        return str(self.pk)
