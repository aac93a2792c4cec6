"""Every request knows the site it stands in and the language it is answered in."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from blog_xtg.client import BlogRequest

from . import store

# Answers without words in them, which must not wait for the database to say in which language.
WORDLESS = ("/healthz", "/readyz", "/metrics", "/static/", "/style-", "/media/")


class SiteMiddleware:
    """Set `request.site`, read when first asked for, and the language: the reader's first we speak, else the site's."""

    def __init__(self, get_response: Callable[[BlogRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: BlogRequest) -> HttpResponse:
        request.site = SimpleLazyObject(store.get)
        with translation.override(_accepted(request) or _site_language(request)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
        wordless = request.path.startswith(WORDLESS) and response.status_code < 400
        # A feed has said it already: it is in the site's language, whoever reads it.
        if not wordless and "Content-Language" not in response.headers:
            response.headers["Content-Language"] = request.LANGUAGE_CODE
            patch_vary_headers(response, ("Accept-Language",))
        return response


def _site_language(request: BlogRequest) -> str:
    if request.path.startswith(WORDLESS):
        return settings.LANGUAGE_CODE
    try:
        language: str = request.site.language
        return language
    except DatabaseError:  # the error pages need no database
        return settings.LANGUAGE_CODE


def _accepted(request: BlogRequest) -> str | None:
    for language, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if language == "*":
            return None
        try:
            return get_supported_language_variant(language)
        except LookupError:
            continue
    return None
