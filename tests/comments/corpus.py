"""The labelled comments of corpus.txt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.comments.spam.stamps import stamp
from apps.comments.spam.submission import Submission

POST_ID = 1


@dataclass(frozen=True)
class Labelled:
    kind: str  # ham, hard-ham, spam, hard-spam
    author_name: str
    author_site: str
    body: str
    author_email: str = ""

    @property
    def is_spam(self) -> bool:
        return self.kind.endswith("spam")

    @property
    def is_hard(self) -> bool:
        return self.kind.startswith("hard-")

    def submission(self, **fields: Any) -> Submission:
        """As somebody sends it who took a minute for it: the form itself tells nothing."""
        return Submission(
            **{
                "post_id": POST_ID,
                "body": self.body,
                "author_name": self.author_name,
                "author_email": self.author_email,
                "author_site": self.author_site,
                "address": "203.0.113.9",
                "stamp": stamp(POST_ID, 60),
                **fields,
            }
        )


def corpus() -> list[Labelled]:
    """All of them, in the order of the file."""
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ", 3) for line in lines if line and not line.startswith("#")]
    return [Labelled(kind, name, site.strip(), body.replace("\\n", "\n")) for kind, name, site, body in rows]
