"""Links as they stand in a comment's text, those in code left out: a program's addresses advertise nothing."""

import re
from urllib.parse import urlsplit

from django.conf import settings

_CODE = re.compile(r"(?ms)^(```|~~~).*?(?:^\1|\Z)|`[^`\n]+`|^(?: {4}|\t).*?$")
# Ends where Chinese begins, as the rendered link does.
_LINK = re.compile(r"(?i)\b(?:https?://|www\.)[^\s<>()\[\]\"'`\u3000-\u9fff\uff00-\uffef]+")
_MARKUP = re.compile(r"(?i)<a\s[^>]*href|\[(?:url|link)\b\s*[=\]]")


def without_code(text: str) -> str:
    return _CODE.sub(" ", text)


def links_in(text: str) -> set[str]:
    """The different addresses outside the blog that the text leads to."""
    own = urlsplit(settings.SITE_URL).hostname
    return {link for link in _LINK.findall(without_code(text)) if _host(link) != own}


def hosts_in(text: str) -> set[str]:
    return {_host(link) for link in links_in(text)}


def has_forum_markup(text: str) -> bool:
    """Whether it has links as HTML or BBCode writes them, which do nothing here."""
    return bool(_MARKUP.search(without_code(text)))


def words_beside_links(text: str) -> int:
    """How many letters and digits the text has apart from its links, code included."""
    return len(re.findall(r"\w", _LINK.sub(" ", text)))


def _host(link: str) -> str:
    address = link if "://" in link else f"https://{link}"
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:  # such as http://[x
        return ""
