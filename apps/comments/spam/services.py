"""Whether a comment is shown at once, waits for approval, or is spam: with nothing but this program and its tables.

`weigh()` is the door. Rules give points with a reason each (rules.py), their sum decides, and whoever moderates reads
both. Nothing is dropped: the worst that can happen to a comment is the list of spam. What is refused outright (too
many at once, a form too old) goes back to its writer with a sentence and the text. docs/spam.md has the figures.
"""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from ..digests import is_rewritten
from ..models import Comment
from ..verdict import PENDING, SPAM, VISIBLE, Reason, Refused, Verdict
from . import limits, rules, stamps
from .links import hosts_in
from .submission import Submission


def weigh_edit(submission: Submission, before: str) -> Verdict:
    """Return what becomes of a comment whose writer gives it another text than the one before.

    One that is rewritten, or links to another site, is asked about as a new comment is. 5 queries and 2 round trips to
    the cache at most, none for staff. Raises Refused (429) when there were too many edits. Call it outside a
    transaction, as weigh().
    """
    if submission.is_staff:
        return Verdict()
    limits.check_edit(submission.address)
    edited = Reason("edited", 0)
    if is_rewritten(before, submission.body) or hosts_in(submission.body) - hosts_in(before):
        return _judged(rules.OF_REWRITTEN, submission, edited, ask_others=True)
    return _judged(rules.OF_CORRECTIONS, submission, edited, ask_others=False)


def weigh(submission: Submission) -> Verdict:
    """Return what becomes of the comment; 5 queries and 3 round trips to the cache at most, none for staff.

    Raises Refused when the limits are reached (429) or the form is too old (422). Call it once for a comment and
    outside a transaction: with an Akismet key set it may wait 2 s.
    """
    if submission.is_staff:
        return Verdict()
    age = stamps.age_of(submission.stamp, submission.post_id)
    if age is not None and age > settings.COMMENT_FORM_MAX_SECONDS:
        raise Refused(_("This page has expired. Please submit it again; your text is still here."), 422)
    limits.check(submission.address, submission.post_id)
    return _judged(rules.RULES, submission, ask_others=True)


def _judged(asked: Sequence[rules.Rule], submission: Submission, *known: Reason, ask_others: bool) -> Verdict:
    """What these rules say of it, beside the reasons that are known; then Akismet, then the site's policy."""
    reasons = [*known, *(reason for rule in asked for reason in rule(submission))]
    verdict = verdict_on(reasons)
    if ask_others and settings.AKISMET_KEY and verdict.state != SPAM:
        verdict = verdict_on([*reasons, *rules.akismet(submission)])
    return _held_by_policy(verdict, submission)


def verdict_on(reasons: list[Reason]) -> Verdict:
    """Return the verdict that the reasons' points add up to."""
    score = round(sum(reason.points for reason in reasons), 1)
    if any(reason.code == "blocklist" and reason.points >= settings.COMMENT_SPAM_SCORE for reason in reasons):
        state = SPAM  # the owner has said so
    elif score >= settings.COMMENT_SPAM_SCORE:
        state = SPAM
    else:
        state = PENDING if score >= settings.COMMENT_HOLD_SCORE else VISIBLE
    return Verdict(state, score, tuple(reasons))


def _held_by_policy(verdict: Verdict, submission: Submission) -> Verdict:
    if verdict.is_visible and (policy := _policy(submission)):
        return Verdict(PENDING, verdict.score, (*verdict.reasons, policy))
    return verdict


def _policy(submission: Submission) -> Reason | None:
    """Why the site holds a comment that no rule objects to (1 query when first comments are held)."""
    if submission.holding == "everyone":
        return Reason("everyone", 0)
    if submission.holding == "first_time" and not Comment.objects.knows(submission.user_id, submission.author_email):
        return Reason("first_time", 0)
    return None
