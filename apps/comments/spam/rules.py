"""The rules: each looks at one thing and gives reasons, points for spam or (below zero) against it."""

from collections.abc import Callable, Iterator

from django.conf import settings

from ..digests import text_digest
from ..models import Comment
from ..verdict import Reason
from . import akismet as akismet_service
from . import blocklists, phrases, stamps
from .classifier import judge
from .links import has_forum_markup, hosts_in, links_in, without_code, words_beside_links
from .models import BlocklistEntry
from .submission import Submission

Rule = Callable[[Submission], Iterator[Reason]]

FEW_WORDS = 15  # letters beside a link


def honeypot(submission: Submission) -> Iterator[Reason]:
    if submission.honeypot:
        # Some browser may fill it in for somebody one day: held, and spam only with another reason beside.
        yield Reason("honeypot", 4)


def timing(submission: Submission) -> Iterator[Reason]:
    age = stamps.age_of(submission.stamp, submission.post_id)
    if age is None:
        yield Reason("no_stamp", 2)
    elif age < settings.COMMENT_FORM_MIN_SECONDS:
        yield Reason("too_fast", 2)


def links(submission: Submission) -> Iterator[Reason]:
    number = len(links_in(submission.body))
    if number > settings.COMMENT_FREE_LINKS:
        yield Reason("links", min(4, number - settings.COMMENT_FREE_LINKS), str(number))
    if number and words_beside_links(submission.body) < FEW_WORDS:
        yield Reason("only_link", 1)


def markup(submission: Submission) -> Iterator[Reason]:
    if has_forum_markup(submission.body):
        yield Reason("markup", 3)


def advertising(submission: Submission) -> Iterator[Reason]:
    text = f"{submission.author_name}\n{submission.author_site}\n{without_code(submission.body)}"
    points, found = phrases.found_in(text)
    if points:
        yield Reason("phrases", points, ", ".join(found)[:200])


def duplicate(submission: Submission) -> Iterator[Reason]:
    """One query, by an index."""
    digest = text_digest(submission.body)
    earlier = Comment.objects.same_text(digest, settings.COMMENT_DUPLICATE_DAYS) if digest else []
    if earlier:
        yield Reason("duplicate", 6 if Comment.State.SPAM in earlier or len(earlier) > 2 else 3, str(len(earlier)))


def blocklist(submission: Submission) -> Iterator[Reason]:
    """One query."""
    entries = BlocklistEntry.objects.rules()
    if entries:
        yield from blocklists.matches(submission, entries, hosts_in(submission.body))


def learned(submission: Submission) -> Iterator[Reason]:
    """One query, two once enough was learned."""
    odds = judge(submission)
    if odds is not None:
        yield from opinion(odds)


def opinion(odds: float) -> Iterator[Reason]:
    """Return the points for the classifier's log odds: held at most, a doubt of what other rules say at best."""
    if odds > UNDECIDED:
        yield Reason("learned", round(min(4.0, 3 * odds / HELD_AT), 1))
    elif odds < -UNDECIDED:
        yield Reason("learned_ham", round(max(-2.0, odds), 1))


UNDECIDED, HELD_AT = 0.5, 1.0  # log odds; where 3 points are reached. See docs/spam.md for what they do.

OF_TEXT: tuple[Rule, ...] = (links, markup, advertising)
OF_FORM: tuple[Rule, ...] = (honeypot, timing)
OF_STORE: tuple[Rule, ...] = (duplicate, blocklist, learned)
RULES = (*OF_FORM, *OF_TEXT, *OF_STORE)
# The form was weighed before; a text with a few corrections is still like itself.
OF_CORRECTIONS = (*OF_TEXT, blocklist, learned)
OF_REWRITTEN = (*OF_TEXT, *OF_STORE)


def akismet(submission: Submission) -> Iterator[Reason]:
    """Up to 2 s; asked last, and only when a key is set."""
    is_spam, is_sure = akismet_service.check(submission)
    if is_spam:
        yield Reason("akismet", 6 if is_sure else 4)
