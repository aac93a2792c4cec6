"""Rules of the Markdown parser that may take long, each with a bound of its own.

What is over a bound is shown as it was typed. A document's allowances stand in the parser's `env`.
"""

import re

from markdown_it.rules_block import StateBlock, blockquote, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType
from mdit_py_plugins.footnote.index import footnote_ref

# A paragraph beyond these is shown as typed: at every `[` the parser may walk to the paragraph's end, and again for
# those that stand open. The steps are characters times brackets.
MAX_PARAGRAPH_CHARACTERS = 50_000
MAX_BRACKET_STEPS = 20_000_000
MAX_OPEN_BRACKET_STEPS = 4_000_000
# The cells a document may hold besides those it spells out: short rows are filled up to the width of the head.
MAX_FILLED_CELLS = 20_000
MAX_FOOTNOTE_LABEL_CHARACTERS = 200
# Lines without `>` that go on with a quotation are tried by every quotation around them.
MAX_LAZY_LINES = 30_000

# A picture written into the text itself is not shown; its letters, ten thousands of them, are no reason to show the
# whole paragraph as it was typed.
_DATA = re.compile(r"(\]\([ \t]*<?data:image/[a-z+.-]{1,20};base64,)[A-Za-z0-9+/=]+")


def spend(env: EnvType, budget: str, amount: float) -> bool:
    """Take the amount from the document's allowance; whether it sufficed."""
    env[budget] = env.get(budget, 0) - amount
    return env[budget] >= 0


def _takes_too_long(paragraph: str) -> bool:
    length = len(paragraph)
    steps = length * paragraph.count("[")
    if length > MAX_PARAGRAPH_CHARACTERS or steps > MAX_BRACKET_STEPS:
        return True
    if steps <= MAX_OPEN_BRACKET_STEPS:
        return False
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]]", paragraph):
        depth = depth + 1 if bracket == "[" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return length * deepest > MAX_OPEN_BRACKET_STEPS


def bounded_inline(state: StateCore) -> None:
    """The core rule "inline", leaving overlong paragraphs as they were typed."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = token.children or []
        if len(token.content) > MAX_PARAGRAPH_CHARACTERS:
            token.content = _DATA.sub(r"\1", token.content)
        if _takes_too_long(token.content):
            text = Token("text", "", 0)
            text.content = token.content
            token.children.append(text)
        else:
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The block rule "table", ending the table where the document's cells are used up."""
    if start + 2 > end:
        return False
    width = state.src.count("|", state.bMarks[start + 1], state.eMarks[start + 1]) + 1
    rows = max(0, state.env["cells"]) // width
    if not rows or not table(state, start, min(end, start + 2 + rows), silent):
        return False
    if not silent:
        spend(state.env, "cells", (state.line - start) * width)
    return True


def count_lazy_line(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block rule that matches nothing and sees each line which goes on with more than one quotation."""
    if silent and state.sCount[start] < 0:
        spend(state.env, "lazy_lines", 1)
    return False


def bounded_blockquote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The block rule "blockquote"; with the document's lazy lines used up no quotation stands in another."""
    if state.level and state.env["lazy_lines"] < 0:
        return False
    return blockquote(state, start, end, silent)


def bounded_footnote_ref(state: StateInline, silent: bool) -> bool:
    """The inline rule "footnote_ref", with an end to the search for its bracket."""
    # The plugin's own search for the bracket has no end; repeated at every `[^` it would take minutes.
    if not state.src.startswith("[^", state.pos):
        return False
    if state.src.find("]", state.pos, state.pos + MAX_FOOTNOTE_LABEL_CHARACTERS) < 0:
        return False
    return footnote_ref(state, silent)
