"""The functions that templates of pages may call: Jinja2's environment for all of templates/ but templates/django/."""

from functools import cache
from typing import Any

from django.conf import settings
from django.template.defaultfilters import linebreaksbr
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from jinja2 import Environment, Undefined, pass_context
from markupsafe import Markup

from apps.comments import items, parts
from apps.core.http.hosts import absolute
from apps.core.http.languages import other_languages
from apps.posts import addresses, languages
from apps.posts.pages import head, pager, post_meta


def environment(**options: Any) -> Environment:
    """Return the environment, as the setting TEMPLATES names it; what a view doesn't give is empty, as in Django's."""
    made = Environment(**options | {"undefined": Undefined})  # noqa: S701 (Django's backend says autoescape)
    made.filters["linebreaksbr"] = linebreaksbr
    made.globals.update(
        _=_translated,
        static=static,
        url=_url,
        absolute=absolute,
        numbered_address=addresses.numbered_address,
        framed=framed,
        lang=_lang,
        named=_named,
        shown_name=languages.shown_name,
        other_languages=other_languages,
        post_head=head.post_head,
        list_head=head.list_head,
        facts_of=post_meta.facts_of,
        pager=pager.pager,
        comment_feeds=parts.comment_feeds,
        comment_items=items.items,
        comments_are_open=items.is_open,
        form_guard=parts.form_guard,
        moderation_of=parts.moderation_of,
        reaction_kinds=parts.reaction_kinds,
        time_element=items.time_element,
    )
    return made


@pass_context
def framed(context: Any, name: str) -> SafeString:
    """Show the template of that name, which sees nothing but `site`: rendered once for a snapshot and language.

    With DEBUG it is rendered for every page: what somebody edits shows at once.
    """
    site = context["site"]
    key = name, context["language"]
    part: SafeString | None = site.rendered.get(key)
    if part is None or settings.DEBUG:
        part = site.rendered[key] = SafeString(render_to_string(name, {"site": site}))
    return part


def _translated(message: str) -> Markup:
    """The text may hold elements; what % puts into it is escaped."""
    return _in_language(get_language(), message)


# As many as the templates hold, in each language: to ask the catalogue takes five times as long.
@cache
def _in_language(_language: str, message: str) -> Markup:
    return Markup(gettext(message))  # noqa: S704


@pass_context
def _lang(context: Any, language: str = "") -> SafeString:
    return languages.lang(context["site"], language)


@pass_context
def _named(context: Any, kind: str, name: str) -> SafeString:
    return languages.named(kind, name, context["site"])


def _url(name: str, *arguments: Any) -> str:
    return reverse(name, args=arguments)
