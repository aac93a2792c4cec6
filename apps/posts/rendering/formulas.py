"""LaTeX formulas: where they stand in Markdown, and how they become MathML."""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import tostring

from latex2mathml.converter import convert_to_element
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.dollarmath.index import math_block_dollar

MAX_FORMULA_CHARACTERS = 2_000
MAX_BRACE_DEPTH = 60

_math_block = math_block_dollar(allow_labels=False)

# A backtick ends every search: code spans bind tighter than dollars.
_INLINE = re.compile(
    rf"\$\$(?P<display>(?:[^\\$`]|\\[^`]){{1,{MAX_FORMULA_CHARACTERS}}})\$\$"
    rf"|\$(?P<text>(?!\s)(?:[^\\$`]|\\[^`]){{1,{MAX_FORMULA_CHARACTERS}}})(?<!\s)\$",
    re.DOTALL,
)
# Signs that occur in formulas only.
_MATHS = re.compile(r"\\[a-zA-Z{}|,;!]|[\w)}\]|'!]\s*\^|\^\{|=|_\{")
_CJK = re.compile("[\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff01-\uff9f]")
# How no formula begins: `$?`, `$@`, `$this->name`, `$_GET[`; and how one does seldom: `${HOME}`.
_SHELL = re.compile(r"\s*(?:[?!#@*&;,:%\"'/]|\w+->|_[A-Z]+\[)")
_BRACED_NAME = re.compile(r"\s*\{[A-Za-z_][\w.:-]*\}")
_NAME = re.compile(r"[A-Za-z_]\w+|\(.*|.*[/:=,.-]", re.DOTALL)
# Latin letters close behind a formula: `the $n$th`, `$k$NN`; others mean a second variable.
_ENDING = re.compile(r"(?:th|st|nd|rd|s|NN|D)(?![A-Za-z0-9_])")
_LAST_SIGN = re.compile(r"[\w)}\]|']")
# Macros can double themselves at every step; a formula has no need to define any.
_DEFINES = re.compile(r"\\(?:[egx]?def|let|(?:re)?newcommand|providecommand|(?:re)?newenvironment|DeclareMath\w+)")
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(aligned|alignedat|gathered|gather|gather\*|equation|equation\*)\}")
_SUBSTITUTES = {"aligned": "split", "gathered": "matrix", "gather": "matrix", "gather*": "matrix"}


def formula_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: `$x$` and, within a paragraph, `$$x$$`."""
    start = state.pos
    if state.src[start] != "$" or (start and state.src[start - 1].isdigit()):
        return False
    found = _INLINE.match(state.src, start, state.posMax)
    if not found:
        return False
    latex = found["display"] or found["text"]
    if not is_formula(latex, state.src[found.end() : min(found.end() + 3, state.posMax)]):
        return False
    if not silent:
        token = state.push("math_block" if found["display"] else "math_inline", "math", 0)
        token.content = latex
        token.markup = "$$" if found["display"] else "$"
    state.pos = found.end()
    return True


def is_formula(latex: str, following: str = "") -> bool:
    """Whether what stands between dollars, with the characters behind them, is a formula.

    Pandoc's rule (no space stands inside the dollars, no digit after), and what text without spaces between its words
    needs besides: `$HOME和$PATH`, `$A$1`, `$a=$b;` and prices are text. None is a formula that a shell would expand, is
    a word of a sentence, or goes on with another name.
    """
    is_maths = _MATHS.search(latex) is not None
    if following[:1].isdigit() or not latex.strip() or _SHELL.match(latex):
        return False
    if not is_maths and (";" in latex or _CJK.search(latex) or _BRACED_NAME.match(latex)):
        return False
    if following.startswith("("):
        return _NAME.fullmatch(latex) is None
    if following[:1].isascii() and (following[:1].isalpha() or following[:1] in ("_", "{")):
        return _ENDING.match(following) is not None or (is_maths and _LAST_SIGN.match(latex[-1]) is not None)
    return True


def math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a formula between lines that begin and end with `$$`; a sentence about `$$` is none."""
    before = len(state.tokens)
    line = state.line
    if not _math_block(state, start, end, silent):
        return False
    content = state.tokens[-1].content if len(state.tokens) > before else ""
    if content and ("$$" in content or not is_formula(content)):
        del state.tokens[before:]
        state.line = line
        return False
    return True


def _substitute(found: re.Match[str]) -> str:
    environment = _SUBSTITUTES.get(found[2])
    return rf"\{found[1]}{{{environment}}}" if environment else ""


def _brace_depth(latex: str) -> int:
    depth = deepest = 0
    for character in latex:
        depth += (character == "{") - (character == "}")
        deepest = max(deepest, depth)
    return deepest


def formula_source(latex: str) -> str:
    """The formula as its author typed it, for when it can't be set."""
    return f'<code class="math-error">{escape(latex)}</code>'


@lru_cache(maxsize=512)
def formula(latex: str, *, display: bool) -> str:
    """The formula as MathML, its source in `alttext`; the escaped source where it can't be converted. Never raises.

    About 0.3 ms for a usual formula; longer than MAX_FORMULA_CHARACTERS is not tried.
    """
    latex = latex.strip()
    if (
        not latex
        or len(latex) > MAX_FORMULA_CHARACTERS
        or _DEFINES.search(latex)
        or _brace_depth(latex) > MAX_BRACE_DEPTH
    ):
        return formula_source(latex)
    try:
        root = convert_to_element(_ENVIRONMENT.sub(_substitute, latex), display="block" if display else "inline")
    except Exception:  # the converter raises whatever it stumbles over, RecursionError included
        return formula_source(latex)
    root.attrib.pop("xmlns", None)
    root.set("alttext", latex)
    # The converter writes symbols as character references and its own serializer leaves `<` and `&` unescaped.
    for element in root.iter():
        if element.text:
            element.text = unescape(element.text)
    return tostring(root, encoding="unicode", short_empty_elements=False)
