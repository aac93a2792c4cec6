"""A small classifier that learns from what the administrator marks: complement naive Bayes.

Rennie, Shih, Teevan, Karger: Tackling the Poor Assumptions of Naive Bayes Text Classifiers, ICML 2003 (section 3.1 and
table 4). The weight of a word for a class comes from how often it stands in everything *but* that class:

    w(class, word) = log((1 + N(other classes, word)) / (|V| + N(other classes)))

and a text belongs to the class for which the sum of its words' weights is smallest. With two classes that is the sign
of the difference, which is all we keep. A word counts once for each comment, and the sum is divided by the root of the
number of words (the paper's length normalization, for words that count once; a few are added so that the shortest texts
stay undecided). Words that were never met say nothing:
otherwise the kind that was marked more often would win every unknown text.

Words are the search's own (Latin words, Chinese bigrams, pairs of neighbours), the author's name, the domains of the
e-mail, the site and the links. Each is known by a hash of 18 bits alone, so the table has 262,144 rows at most (some
10 MB), and nothing that a reader wrote can be read in it.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit
from zlib import crc32

from django.conf import settings
from django.db import transaction
from django.db.models import F

from apps.core.chunks import chunked
from apps.posts.search.tokens import words

from .links import hosts_in
from .models import LearnedToken, LearnedTotals, Lesson

BUCKETS = 1 << 18
DOUBT = 5  # words that say nothing, added to each comment: two words alone don't decide
MOST_TOKENS = 2000  # of one comment
LEARNED_AT_ONCE = 200  # comments in one transaction


class Written(Protocol):
    """A text to judge: a Comment or a Submission."""

    @property
    def body(self) -> str: ...
    @property
    def author_name(self) -> str: ...
    @property
    def author_email(self) -> str: ...
    @property
    def author_site(self) -> str: ...


class Counted(Protocol):
    """The sums over what was learned: LearnedTotals, or the same in memory."""

    spam_comments: int
    ham_comments: int
    spam_tokens: int
    ham_tokens: int
    vocabulary: int


def buckets_of(written: Written) -> list[int]:
    """Return the numbers of the words that the comment is judged by, each once, ascending."""
    tokens = set(words(written.body))
    tokens.update(f"name {word}" for word in words(written.author_name) if not word.startswith("x"))
    if written.author_email:
        tokens.add(f"mail {written.author_email.rpartition('@')[2].lower()}")
    if site := urlsplit(written.author_site).hostname:
        tokens.update(f"site {part}" for part in [site, *site.split(".")])
    tokens.update(f"link {host}" for host in hosts_in(written.body))
    return sorted({crc32(token.encode("utf-8", "replace")) % BUCKETS for token in tokens})[:MOST_TOKENS]


def log_odds(buckets: Iterable[int], counts: Mapping[int, tuple[int, int]], totals: Counted) -> float:
    """Return how much more the words look like spam than like ham: 0 is undecided, above 2 hardly doubtful."""
    of_spam = math.log(totals.spam_tokens + totals.vocabulary)
    of_ham = math.log(totals.ham_tokens + totals.vocabulary)
    met = [counts[bucket] for bucket in buckets if any(counts.get(bucket, ()))]
    weights = (math.log(1 + spam) - of_spam - math.log(1 + ham) + of_ham for spam, ham in met)
    return sum(weights) / math.sqrt(len(met) + DOUBT)


def is_ready(totals: Counted) -> bool:
    """Whether enough of both kinds was learned to have a say."""
    return min(totals.spam_comments, totals.ham_comments) >= settings.COMMENT_LEARN_FROM


def judge(written: Written) -> float | None:
    """Return the log odds of spam; None before 20 comments of each kind were learned (1 query, then 2)."""
    totals = LearnedTotals.objects.filter(pk=1).first()
    if totals is None or not is_ready(totals):
        return None
    buckets = buckets_of(written)
    return log_odds(buckets, LearnedToken.objects.counts(buckets), totals)


class Marked(Written, Protocol):
    @property
    def pk(self) -> int: ...


def teach(comments: Sequence[Marked], is_spam: bool | None) -> None:
    """Learn that the comments are spam, or are none; with None forget what was learned from them.

    What was learned from a comment before is forgotten first: marking twice counts once. Any number of processes may
    learn at the same time; they take turns (some 10 statements for 200 comments).
    """
    for some in chunked(comments, LEARNED_AT_ONCE):
        _teach(some, is_spam)


@transaction.atomic
def _teach(comments: Sequence[Marked], is_spam: bool | None) -> None:
    LearnedTotals.objects.select_for_update().get_or_create(pk=1)
    lessons = Lesson.objects.in_bulk([comment.pk for comment in comments])
    forgotten = [lesson for lesson in lessons.values() if lesson.is_spam != is_spam]
    unknown = [comment for comment in comments if comment.pk not in lessons or lessons[comment.pk] in forgotten]
    learned = [
        Lesson(comment_id=comment.pk, is_spam=is_spam, buckets=buckets_of(comment))
        for comment in unknown
        if is_spam is not None
    ]
    Lesson.objects.filter(pk__in=[lesson.pk for lesson in forgotten]).delete()
    Lesson.objects.bulk_create(learned)
    _add([(lesson, -1) for lesson in forgotten] + [(lesson, 1) for lesson in learned])


def _add(lessons: list[tuple[Lesson, int]]) -> None:
    comments, tokens = Counter[bool](), Counter[bool]()
    changes = {True: Counter[int](), False: Counter[int]()}
    for lesson, times in lessons:
        comments[lesson.is_spam] += times
        tokens[lesson.is_spam] += times * len(lesson.buckets)
        for bucket in lesson.buckets:
            changes[lesson.is_spam][bucket] += times
    both = {bucket: (changes[True][bucket], changes[False][bucket]) for kind in changes.values() for bucket in kind}
    new = LearnedToken.objects.add({bucket: change for bucket, change in both.items() if any(change)})
    LearnedTotals.objects.filter(pk=1).update(
        spam_comments=F("spam_comments") + comments[True],
        ham_comments=F("ham_comments") + comments[False],
        spam_tokens=F("spam_tokens") + tokens[True],
        ham_tokens=F("ham_tokens") + tokens[False],
        vocabulary=F("vocabulary") + new,
    )
