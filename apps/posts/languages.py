"""The language of a text, for the pages and programs that show it."""

import locale
from functools import cache, lru_cache
from html import escape

from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext

from apps.core.pages.site import Snapshot

# Names given by the migrations, by kind of row. In the interface's language as long as the owner has not renamed it.
DEFAULT_NAMES = {
    ("source", "原创"): lambda: pgettext("source", "Original"),
    ("source", "转载"): lambda: pgettext("source", "Repost"),
    ("source", "翻译"): lambda: pgettext("source", "Translation"),
    ("category", "未分类"): lambda: pgettext("category", "Uncategorized"),
    ("box", "博客统计"): lambda: pgettext("sidebar box", "Statistics"),
    ("tagline", "好记性不如烂笔头"): lambda: pgettext("tagline", "The faintest ink is better than the best memory"),
}


@lru_cache(maxsize=100)
def language_tag(code: str) -> str:
    """Return the language as BCP 47 likes it written: zh-hans as zh-Hans, pt-br as pt-BR."""
    language, *rest = code.replace("_", "-").split("-")
    parts = (part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part.lower() for part in rest)
    return "-".join([language.lower(), *parts])


@lru_cache(maxsize=100)
def open_graph_locale(code: str) -> str:
    """Return language_TERRITORY, the territory being the usual one unless the code names it; "" when unknown."""
    language, *rest = language_tag(code).split("-")
    for part in rest:
        if part in {"Hans", "Hant"}:
            return {"Hans": "zh_CN", "Hant": "zh_TW"}[part]
        if len(part) == 2:
            return f"{language}_{part}"
    usual = locale.normalize(language).partition(".")[0]
    return usual if "_" in usual else ""


def lang(site: Snapshot, language: str = "") -> SafeString:
    """Return the attribute of an element whose text is in that language, blank for the site's.

    Nothing where the interface is in the same one: `<html lang>` says it.
    """
    return _attribute(language or site.language, get_language())


def default_name(kind: str, name: str) -> str:
    """Return the name of a row that the program itself made, in the interface's language; blank for any other."""
    return _translated(kind, name, get_language()) if (kind, name) in DEFAULT_NAMES else ""


def shown_name(kind: str, name: str) -> str:
    """Return the name as plain text: in the interface's language where the program made the row, else the owner's."""
    return default_name(kind, name) or name


def named(kind: str, name: str, site: Snapshot) -> SafeString:
    """Return the name of a source, category, menu or box, or the tagline, as HTML that says its language."""
    return _named(kind, name, site.language, get_language())


@lru_cache(maxsize=1000)
def _named(kind: str, name: str, language: str, interface: str) -> SafeString:
    if (kind, name) in DEFAULT_NAMES:
        return SafeString(escape(_translated(kind, name, interface)))
    attribute = _attribute(language, interface)
    return SafeString(f"<span{attribute}>{escape(name)}</span>" if attribute else escape(name))


@lru_cache(maxsize=1000)
def _attribute(language: str, interface: str) -> SafeString:
    tag = language_tag(language)
    return SafeString("" if tag == language_tag(interface) else f' lang="{escape(tag)}"')


@cache
def _translated(kind: str, name: str, _interface: str) -> str:
    return DEFAULT_NAMES[kind, name]()
