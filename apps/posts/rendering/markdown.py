"""Markdown as posts use it: source in, sanitized HTML and what else a page needs out.

CommonMark with tables, task lists, strikethrough, footnotes, bare links, heading anchors, highlighted code, formulas
and diagrams. The engine is known to this module and its neighbours alone. Nothing here raises, recurses without end
or takes time beyond its bounds; what is over a bound is shown as its source.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from time import thread_time

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.footnote import footnote_plugin

from .formulas import formula, formula_rule, formula_source, math_block
from .highlighting import MAX_SECONDS, code_block, read_info
from .left_out import LeftOut, Notes
from .markdown_bounds import (
    MAX_FILLED_CELLS,
    MAX_LAZY_LINES,
    bounded_blockquote,
    bounded_footnote_ref,
    bounded_inline,
    bounded_table,
    count_lazy_line,
    spend,
)
from .markdown_cjk import FriendlyParserInline, bare_link, join_lines, join_soft_breaks
from .markdown_html import html_block_rule, html_inline_rule, resolve_blocks, resolve_inlines
from .plaintext import excerpt, plain_text, spoken
from .raw_html import MORE_MARK
from .sanitize import ID_PREFIX, clean_post, too_deep

# Stored with each rendered post; raise it when the same source renders differently.
RENDERER_VERSION = 4

MAX_SOURCE_CHARACTERS = 6_000_000
# Of blocks and of inlines; a list takes two. What an author nests deeper is left out by the parser.
MAX_NESTING = 30
MAX_TOC_ENTRIES = 1_000
# Per document; what comes after keeps its text and loses its colours, or its typesetting.
MAX_HIGHLIGHTED_CHARACTERS = 1_000_000
MAX_HIGHLIGHTING_SECONDS = 2.0
MAX_FORMULAS = 5_000

TOC_LEVELS = 4

_logger = logging.getLogger(__name__)

_DROPPED = re.compile("[\x01-\x08\x0e-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff]")
_BLANKED = re.compile("[\x0b\x0c]")
_REPLACED = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Rendered:
    """A post's body in every form a page asks for, and what of it none will show.

    `toc` holds dicts of `level` (1-4), `id` and `text`.
    """

    html: str
    toc: list[dict[str, int | str]] = field(default_factory=list)
    text: str = ""
    excerpt: str = ""
    left_out: list[LeftOut] = field(default_factory=list)


class _PostRenderer(RendererHTML):
    # The meaning of `~~` is "deleted"; `<s>` would be "no longer accurate".
    def s_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "<del>"

    def s_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</del>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        language = read_info(token.info).language
        if language == "mermaid":
            return f'<pre class="mermaid"><code>{escape(token.content)}</code></pre>\n'
        if language == "math":
            return self.math_block(tokens, idx, options, env)
        seconds = 0.0
        if spend(env, "highlighted_characters", len(token.content)):
            seconds = min(MAX_SECONDS, env.get("highlighting_seconds", 0.0))
        started = thread_time()
        html = code_block(token.content, token.info, seconds=seconds)
        spend(env, "highlighting_seconds", thread_time() - started)
        return html

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return code_block(tokens[idx].content)

    def math_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        latex = tokens[idx].content
        return formula(latex, display=False) if spend(env, "formulas", 1) else formula_source(latex)

    def math_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        latex = token.content.strip()
        made = formula(latex, display=True) if spend(env, "formulas", 1) else formula_source(latex)
        return f'<div class="math">{made}</div>\n' if token.block else made

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # A wide table scrolls in its wrapper, which therefore takes the keyboard's focus.
        return '<div class="table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # No style attribute passes the sanitizer, and HTML knows `align` no more.
        alignment = str(tokens[idx].attrGet("style") or "").removeprefix("text-align:")
        return f'<{tokens[idx].tag} class="{alignment}">' if alignment else f"<{tokens[idx].tag}>"

    td_open = th_open

    def footnote_block_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<section class="footnotes">\n<ol class="footnotes-list">\n'


def _footnote_name(renderer: object, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
    return f"-{tokens[idx].meta['id'] + 1}"


def _slug(text: str) -> str:
    words = re.sub(r"[^\w\s-]", "", text.lower())
    return re.sub(r"[\s-]+", "-", words).strip("-_")[:80] or "section"


def _name_headings(state: StateCore) -> None:
    """Core rule: every heading gets an id of its own and a link to itself; the upper ones make the contents."""
    taken: set[str] = set()
    next_number: dict[str, int] = {}
    toc = state.env["toc"]
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type != "heading_open":
            continue
        children = inline.children = inline.children or []
        text = spoken(children)
        slug = _slug(text)
        name = slug
        while name in taken:
            next_number[slug] = next_number.get(slug, 0) + 1
            name = f"{slug}-{next_number[slug]}"
        taken.add(name)
        name = ID_PREFIX + name
        opening.attrSet("id", name)
        # Empty, its sign comes from the style sheet: neither feeds nor screen readers should say it.
        anchor = Token("html_inline", "", 0)
        anchor.content = f'<a class="anchor" href="#{escape(name)}" aria-hidden="true" tabindex="-1"></a>'
        children.append(anchor)
        level = int(opening.tag[1])
        if level <= TOC_LEVELS and opening.level == 0 and len(toc) < MAX_TOC_ENTRIES:
            toc.append({"level": level, "id": name, "text": text})


def _make_figures(state: StateCore) -> None:
    """Core rule: a paragraph that is one image with a title becomes a figure, the title its caption."""
    tokens = state.tokens
    for index, inline in enumerate(tokens):
        children = inline.children
        if inline.type != "inline" or not children or len(children) != 1 or children[0].type != "image":
            continue
        opening = tokens[index - 1]
        title = children[0].attrs.pop("title", "") if opening.type == "paragraph_open" and not opening.hidden else ""
        if not title:
            continue
        opening.tag = tokens[index + 1].tag = "figure"
        caption = Token("html_inline", "", 0)
        caption.content = f"<figcaption>{escape(str(title))}</figcaption>"
        children.append(caption)


def _label_tasks(state: StateCore) -> None:
    """Core rule: the box of a task carries the task's own words as its label."""
    tokens = state.tokens
    for item, inline in zip(tokens, tokens[2:], strict=False):
        if item.type != "list_item_open" or inline.type != "inline" or "checked" not in (item.meta or {}):
            continue
        checked = ' checked=""' if item.meta.pop("checked") else ""
        opening, closing = Token("html_inline", "", 0), Token("html_inline", "", 0)
        opening.content = f'<label><input class="task-list-item-checkbox" disabled="" type="checkbox"{checked}> '
        closing.content = "</label>"
        inline.children = [opening, *(inline.children or []), closing]


def _post_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", renderer_cls=_PostRenderer)
    parser.inline = FriendlyParserInline()
    parser.configure(
        "commonmark", {"html": True, "xhtmlOut": False, "maxNesting": MAX_NESTING, "linkify": True, "tasklists": True}
    )
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.enable("linkify")
    parser.inline.ruler.at("linkify", bare_link)
    parser.inline.ruler.before("escape", "formula", formula_rule)
    parser.block.ruler.before("fence", "math_block", math_block)
    # Inline footnotes (`^[…]`) nest without a bound, and no other dialect our sources come from has them.
    footnote_block_open = parser.renderer.rules["footnote_block_open"]  # type: ignore[attr-defined]
    parser.use(footnote_plugin, inline=False)
    parser.renderer.rules["footnote_block_open"] = footnote_block_open  # type: ignore[attr-defined]
    parser.inline.ruler.at("footnote_ref", bounded_footnote_ref)
    parser.add_render_rule("footnote_anchor_name", _footnote_name)
    parser.block.ruler.at("table", bounded_table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.at("blockquote", bounded_blockquote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.before("blockquote", "lazy lines", count_lazy_line, {"alt": ["blockquote"]})
    parser.block.ruler.at("html_block", html_block_rule, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.inline.ruler.at("html_inline", html_inline_rule)
    parser.core.ruler.at("inline", bounded_inline)
    parser.core.ruler.before("inline", "html blocks", resolve_blocks)
    parser.core.ruler.after("inline", "html", resolve_inlines)
    parser.core.ruler.after("html", "lines", join_soft_breaks)
    parser.core.ruler.push("headings", _name_headings)
    parser.core.ruler.push("figures", _make_figures)
    parser.core.ruler.push("tasks", _label_tasks)
    return parser


_POST_PARSER = _post_parser()


def prepared(source: str) -> str:
    """The source without the characters that no page and no feed can carry."""
    return _DROPPED.sub("", _BLANKED.sub(" ", _REPLACED.sub("\ufffd", source)))


def _as_typed(source: str) -> Rendered:
    text = " ".join(join_lines(source).split())
    return Rendered(html=clean_post(f"<pre>\n{escape(source)}</pre>"), text=text, excerpt=excerpt(text))


def render(source: str) -> Rendered:
    """A post's Markdown as sanitized HTML, its table of contents, plain text and excerpt.

    A pure function of the source. Sources over MAX_SOURCE_CHARACTERS, and HTML nested beyond reason, come back as
    preformatted text. Costs about 1.5 ms per kilobyte; front matter is taken for text, so take it off before.
    """
    source = prepared(source)
    if len(source) > MAX_SOURCE_CHARACTERS:
        return _as_typed(source)
    notes, toc = Notes(), list[dict[str, int | str]]()
    env: dict[str, object] = {
        "cells": len(source) // 2 + MAX_FILLED_CELLS,
        "formulas": MAX_FORMULAS,
        "highlighted_characters": MAX_HIGHLIGHTED_CHARACTERS,
        "highlighting_seconds": MAX_HIGHLIGHTING_SECONDS,
        "lazy_lines": MAX_LAZY_LINES,
        "notes": notes,
        "toc": toc,
    }
    try:
        html = _POST_PARSER.render(source, env)
    except Exception:
        _logger.exception("Markdown of %d characters could not be parsed", len(source))
        return _as_typed(source)
    if too_deep(html):
        return _as_typed(source)
    html = clean_post(html)
    before, mark, after = plain_text(html).partition(MORE_MARK)
    after = after.replace(MORE_MARK, " ")
    text = " ".join(f"{before} {after}".split())
    return Rendered(
        html=html.replace(MORE_MARK, ""),
        toc=toc,
        text=text,
        excerpt=excerpt(text, before.strip() if mark else ""),
        left_out=notes.listed(),
    )
