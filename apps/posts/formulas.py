"""LaTeX formulas: where they stand in Markdown, and how they become MathML."""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import tostring

from latex2mathml.converter import convert_to_element
from markdown_it.rules_inline import StateInline

MAX_FORMULA_CHARACTERS = 2_000
MAX_BRACE_DEPTH = 60

_INLINE = re.compile(
    rf"\$\$(?P<display>(?:[^\\$]|\\.){{1,{MAX_FORMULA_CHARACTERS}}})\$\$"
    rf"|\$(?![\s$])(?P<text>(?:[^\\$]|\\.){{1,{MAX_FORMULA_CHARACTERS}}})(?<!\s)\$(?!\d)",
    re.DOTALL,
)
# Macros can double themselves at every step; a formula has no need to define any.
_DEFINES = re.compile(r"\\(?:[egx]?def|let|(?:re)?newcommand|providecommand|(?:re)?newenvironment|DeclareMath\w+)")
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(aligned|alignedat|gathered|gather|gather\*|equation|equation\*)\}")
_SUBSTITUTES = {"aligned": "split", "gathered": "matrix", "gather": "matrix", "gather*": "matrix"}


def formula_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: `$x$` and, within a paragraph, `$$x$$`.

    As in Pandoc no space stands inside the dollars and no digit after; nor before, so that prices stay prices.
    """
    start = state.pos
    if state.src[start] != "$" or (start and state.src[start - 1].isdigit()):
        return False
    found = _INLINE.match(state.src, start, state.posMax)
    if not found:
        return False
    if not silent:
        latex = found["display"] or found["text"]
        token = state.push("math_block" if found["display"] else "math_inline", "math", 0)
        token.content = latex
        token.markup = "$$" if found["display"] else "$"
    state.pos = found.end()
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
