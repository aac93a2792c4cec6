"""Markdown-lite, as readers write it: bold, italic, code, links, quotes and lists; the rest is text.

A heading becomes a bold paragraph, an image the link to it. Nothing here raises, and nothing takes long: 20 ms for the
worst 500 characters known, 0.1 s for 10,000. What nests deeper than anybody would by hand is shown as it was typed.
"""

import logging
import re
from collections.abc import Iterator
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.image import image
from markdown_it.token import Token

from .markdown import prepared
from .markdown_cjk import FriendlyParserInline, bare_link
from .plaintext import spoken
from .sanitize import clean_comment, too_deep
from .words import readable, without_floods

# Stored with each rendered comment; raise it when the same source renders differently.
COMMENT_RENDERER_VERSION = 2

MAX_COMMENT_CHARACTERS = 20_000
MAX_NESTING = 20  # of blocks; a list takes two. The parser leaves out what is nested deeper.
# A paragraph beyond these is shown as typed: at every `[` that stands open the parser walks on to the paragraph's end.
MAX_OPEN_BRACKETS = 8
MAX_OPEN_BRACKET_STEPS = 20_000  # brackets times characters
MAX_IMAGES_IN_IMAGES = 3  # the parser calls itself for the words of each

_logger = logging.getLogger(__name__)


class _TooDeep(Exception):
    """Of blocks in blocks the inner ones would be lost."""


def _see_depth(state: StateCore) -> None:
    """Core rule: says whether the parser left something out because it stood too deep."""
    if any(token.level >= MAX_NESTING - 1 for token in state.tokens):
        raise _TooDeep


def _bounded_inline(state: StateCore) -> None:
    """The core rule "inline", leaving paragraphs that would take long as they were typed."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        depth = _open_brackets(token.content)
        token.children = token.children or []
        if depth > MAX_OPEN_BRACKETS or depth * len(token.content) > MAX_OPEN_BRACKET_STEPS:
            token.children += _lines(token.content)
        else:
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _open_brackets(paragraph: str) -> int:
    """How many `[` stand open at once where most do."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]]", paragraph):
        depth = depth + 1 if bracket == "[" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _lines(text: str) -> Iterator[Token]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield Token("hardbreak", "br", 0)
        yield _text(line)


def _flatten_headings(state: StateCore) -> None:
    """Core rule: a heading becomes a bold paragraph; comments have no place in the outline of a page."""
    for opening, inline, closing in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        opening.type, closing.type = "paragraph_open", "paragraph_close"
        opening.tag = closing.tag = "p"
        words = inline.children or [_text(opening.markup)]
        inline.children = [Token("strong_open", "strong", 1), *words, Token("strong_close", "strong", -1)]


def _link_images(state: StateCore) -> None:
    """Core rule: an image becomes a link to it, within a link its words alone."""
    for token in state.tokens:
        if token.children:
            token.children = list(_without_images(token.children))


def _without_images(tokens: list[Token]) -> Iterator[Token]:
    links = 0
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            links += token.nesting
        if token.type != "image":
            yield token
            continue
        address = str(token.attrs.get("src", ""))
        words = _text(spoken(token.children or []) or address)
        if links or address.startswith("data:"):
            yield words
        else:
            yield from (Token("link_open", "a", 1, attrs={"href": address}), words, Token("link_close", "a", -1))


def _text(words: str) -> Token:
    return Token("text", "", 0, content=words)


def _bounded_image(state: StateInline, silent: bool) -> bool:
    """The inline rule "image", with an end to images in the words of images."""
    depth = state.env.get("images", 0)
    if depth == MAX_IMAGES_IN_IMAGES:
        return False
    state.env["images"] = depth + 1
    try:
        return image(state, silent)
    finally:
        state.env["images"] = depth


def _comment_parser() -> MarkdownIt:
    parser = MarkdownIt("zero")
    parser.inline = FriendlyParserInline()
    parser.configure("zero", {"breaks": True, "xhtmlOut": False, "linkify": True, "maxNesting": MAX_NESTING})
    parser.enable(["blockquote", "fence", "heading", "list"])
    parser.enable(["newline", "escape", "backticks", "emphasis", "link", "image", "autolink", "entity"])
    parser.inline.ruler.enable("linkify")
    parser.inline.ruler.at("linkify", bare_link)
    parser.inline.ruler.at("image", _bounded_image)
    parser.core.ruler.at("inline", _bounded_inline)
    parser.core.ruler.after("block", "depth", _see_depth)
    parser.core.ruler.push("headings", _flatten_headings)
    parser.core.ruler.push("images", _link_images)
    return parser


_PARSER = _comment_parser()


def render_comment(source: str) -> str:
    """A reader's Markdown-lite as sanitized HTML, without marks that turn the writing direction of what follows.

    HTML, tables and the like are shown as typed; so is altogether what is longer than MAX_COMMENT_CHARACTERS or nested
    too deep.
    """
    source = readable(prepared(source))
    html = _rendered(source)
    if html is None:
        html = "<p>" + "<br>".join(escape(source).splitlines()) + "</p>"
    # Once more: a character reference may have spelled out what was taken from the source.
    return without_floods(clean_comment(html))


def _rendered(source: str) -> str | None:
    if len(source) > MAX_COMMENT_CHARACTERS:
        return None
    try:
        html: str = _PARSER.render(source, {})
    except _TooDeep:
        return None
    except Exception:
        _logger.exception("comment of %d characters could not be parsed", len(source))
        return None
    return None if too_deep(html) else html
