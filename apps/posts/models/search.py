"""The index of the search; apps/posts/search says what stands in it and why it looks like this."""

from django.db import models

TOKEN_MAX_LENGTH = 64


class SearchWord(models.Model):
    """Which posts of a block hold a word. The migration makes the table: ASCII and binary, ordered by its key."""

    pk = models.CompositePrimaryKey("token", "block")
    token = models.CharField(max_length=TOKEN_MAX_LENGTH)
    block = models.PositiveBigIntegerField()
    posts = models.BinaryField()

    def __str__(self) -> str:
        return self.token


class SearchBlock(models.Model):
    """Locked by whoever changes the words of a block, so that two writers don't lose each other's posts."""

    number = models.PositiveBigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.number)


class SearchEntry(models.Model):
    """What the index holds of a post, so that a change touches the words that changed and no other."""

    post = models.OneToOneField("posts.Post", models.CASCADE, primary_key=True, related_name="search_entry")
    version = models.PositiveSmallIntegerField()
    words = models.BinaryField()  # of title and body, compressed
    tag_words = models.TextField()
    reading = models.TextField()  # the title's pinyin

    def __str__(self) -> str:
        return str(self.pk)
