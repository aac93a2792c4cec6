"""What the spam filter says of a comment."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

VISIBLE, PENDING, SPAM = "visible", "pending", "spam"  # of Comment.State, which stands above this module

# Words for moderators; a comment keeps the code, so that it is read in the moderator's language.
WORDS = {
    "honeypot": _("filled in the honeypot field"),
    "no_stamp": _("form was never opened"),
    "too_fast": _("submitted too fast"),
    "duplicate": _("duplicate text"),
    "links": _("too many links"),
    "only_link": _("mostly a link"),
    "markup": _("HTML or BBCode links"),
    "phrases": _("advertising phrases"),
    "blocklist": _("on the blocklist"),
    "learned": _("similar to known spam"),
    "learned_ham": _("similar to approved comments"),
    "akismet": _("flagged by Akismet"),
    "edited": _("changed by its writer"),
    "everyone": _("all comments are held"),
    "first_time": _("first-time commenter"),
}


class Reason(NamedTuple):
    code: str  # of WORDS
    points: float
    detail: str = ""

    def __str__(self) -> str:
        said = str(WORDS.get(self.code, self.code)) + (f": {self.detail}" if self.detail else "")
        return f"{said} ({self.points:+g})" if self.points else said


@dataclass(frozen=True)
class Verdict:
    """`score` is None where nothing was weighed, as for staff."""

    state: str = VISIBLE
    score: float | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def is_visible(self) -> bool:
        return self.state == VISIBLE

    def columns(self) -> dict[str, Any]:
        """Return the verdict as fields of a Comment."""
        return {"state": self.state, "score": self.score, "reasons": [list(reason) for reason in self.reasons] or None}


class Refused(Exception):
    """The comment can't be taken now: `str()` is a sentence for its writer, who keeps the text."""

    def __init__(self, sentence: str, status: int, retry_after_seconds: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_seconds = retry_after_seconds
