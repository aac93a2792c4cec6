"""Asking Akismet, or a service that speaks its protocol, when the owner has set a key; never waited for long.

Whoever sets the key sends each comment with its writer's address, name and e-mail to that service.
"""

import logging
import threading
import urllib.parse
import urllib.request
from typing import Any

from django.conf import settings

from .submission import Submission

WAIT_SECONDS = 2.0
ANSWER_BYTES = 100

_logger = logging.getLogger(__name__)


def check(submission: Submission) -> tuple[bool, bool]:
    """Return whether the service takes the comment for spam, and whether it is sure; two times no without an answer.

    Waits 2 s at most in all, on a thread of its own: a socket's time limit alone would let a server answer a byte at
    a time.
    """
    answer: list[tuple[bool, bool]] = []

    def ask() -> None:
        try:
            answer.append(_ask(submission))
        except Exception as error:  # nothing that happens here may stop a comment
            _logger.warning("Akismet gave no answer: %r", error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(WAIT_SECONDS)
    if asking.is_alive():
        _logger.warning("Akismet gave no answer within %s seconds.", WAIT_SECONDS)
    return answer[0] if answer else (False, False)


def _ask(submission: Submission) -> tuple[bool, bool]:
    fields: dict[str, Any] = {
        "api_key": settings.AKISMET_KEY,
        "blog": settings.SITE_URL,
        "user_ip": submission.address,
        "user_agent": submission.user_agent,
        "comment_type": "comment",
        "comment_author": submission.author_name,
        "comment_author_email": submission.author_email,
        "comment_author_url": submission.author_site,
        "comment_content": submission.body,
        "blog_charset": "UTF-8",
    }
    request = urllib.request.Request(  # noqa: S310  # the owner's own address
        f"{settings.AKISMET_URL.rstrip('/')}/comment-check",
        data=urllib.parse.urlencode(fields).encode(),
        headers={"User-Agent": "blog_xtg"},
    )
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as response:  # noqa: S310
        said = response.read(ANSWER_BYTES).decode("utf-8", "replace").strip()
        if said not in {"true", "false"}:
            help_text = response.headers.get("X-akismet-debug-help", "")
            raise ValueError(f"It said {said!r}. {help_text}")
        return said == "true", response.headers.get("X-akismet-pro-tip") == "discard"
