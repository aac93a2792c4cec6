"""Whether something of a comment stands on the owner's blocklist."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from apps.posts.search.tokens import DENSE, fold

from ..verdict import Reason
from .submission import Submission

POINTS = {"hold": 4, "spam": 10}


def matches(submission: Submission, entries: Iterable[tuple[str, str, str]], hosts: Iterable[str]) -> Iterator[Reason]:
    """A reason for each entry (kind, value, outcome) that fits; `hosts`: those that the text links to."""
    text = fold(f"{submission.author_name}\n{submission.body}")
    email = submission.author_email.lower()
    sites = [urlsplit(submission.author_site).hostname or "", *hosts]
    for kind, value, outcome in entries:
        match kind:
            case "word":
                found = is_in(value, text)
            case "address":
                found = _is_within(submission.address, value)
            case "email":
                found = email == value or email.endswith((f"@{value}", f".{value}"))
            case _:
                found = any(site == value or site.endswith(f".{value}") for site in sites)
        if found:
            yield Reason("blocklist", POINTS[outcome], value)


def is_in(phrase: str, folded: str) -> bool:
    """Whether the phrase stands in the folded text: Chinese anywhere, Latin words not as parts of other words."""
    phrase = fold(phrase)
    before = rf"(?<![^\W{DENSE}])" if re.match(rf"[^\W{DENSE}]", phrase) else ""
    after = rf"(?![^\W{DENSE}])" if re.search(rf"[^\W{DENSE}]$", phrase) else ""
    return bool(re.search(before + r"\s+".join(map(re.escape, phrase.split())) + after, folded))


def _is_within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
