"""What the spam filter says of a comment."""

from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

VISIBLE, PENDING, SPAM = "visible", "pending", "spam"  # of Comment.State, which stands above this module

# What a moderator reads; a comment keeps the code, so that it is read in the moderator's language.
WORDS = {
    "honeypot": _("filled in a field that nobody sees"),
    "no_stamp": _("sent without opening the form"),
    "too_fast": _("sent sooner than anybody writes"),
    "duplicate": _("the same text was sent before"),
    "links": _("many links"),
    "only_link": _("little but a link"),
    "markup": _("links in the markup of forums"),
    "phrases": _("phrases of advertising"),
    "blocklist": _("on the blocklist"),
    "learned": _("like what was marked as spam"),
    "learned_ham": _("like what was approved"),
    "akismet": _("Akismet takes it for spam"),
    "edited": _("changed by its writer"),
    "everyone": _("every comment is held"),
    "first_time": _("a first comment is held"),
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

    def columns(self) -> dict[str, object]:
        """Return the verdict as fields of a Comment."""
        return {"state": self.state, "score": self.score, "reasons": [list(reason) for reason in self.reasons] or None}


class Refused(Exception):
    """The comment can't be taken now: `str()` is a sentence for its writer, who keeps the text."""

    def __init__(self, sentence: str, status: int, retry_after_seconds: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_seconds = retry_after_seconds
