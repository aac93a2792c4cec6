"""The language of the interface: the reader's choice, remembered by a cookie, else the site's.

Texts of the owner keep the language they are written in (apps/posts/languages.py).
"""

import re
from functools import cache, lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_info, get_supported_language_variant, gettext_noop
from django.utils.translation.trans_real import parse_accept_lang_header

COOKIE = "language"
COOKIE_SECONDS = 365 * 24 * 3600
MAX_ACCEPTED = 500  # characters of an Accept-Language header that are looked at
# Django's Chinese ends the labels of forms in a half-width colon; our catalog overrides it.
LABEL_SUFFIX = gettext_noop(":")
LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)

# Read as generously as any proxy may. nginx keeps a page by the plain spelling alone and lets all others pass by
# (deploy/nginx/snippets/blog-maps.conf): a page in one language must never be kept as that of another.
_CHOICE = re.compile(rf"(?:^|[;,]) *{COOKIE} *= *([^;]*)", re.IGNORECASE)


def chosen_language(request: HttpRequest) -> str:
    """Return the language the reader chose, blank when there was no choice or we don't speak it."""
    found = _CHOICE.search(request.META.get("HTTP_COOKIE", ""))
    return found[1] if found and found[1] in LANGUAGES else ""


def remember_language(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """Let this browser have the interface in that language for a year."""
    response.set_cookie(COOKIE, language, COOKIE_SECONDS, secure=request.is_secure(), samesite="Lax")


@cache
def other_languages(language: str) -> list[tuple[str, str]]:
    """Return the languages a reader can switch to, each with its own name for itself."""
    return [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES if code != language]


def accepted_language(request: HttpRequest) -> str:
    """Return the first language of the browser's that we speak, blank when there is none."""
    return _first_spoken(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:MAX_ACCEPTED])


@lru_cache(maxsize=1000)
def _first_spoken(header: str) -> str:
    for language, _weight in parse_accept_lang_header(header):
        if language == "*":
            return ""
        try:
            return get_supported_language_variant(language)
        except LookupError:
            continue
    return ""
