"""Fenced code: what its info string says, and its colours as CSS classes."""

import re
from functools import lru_cache
from html import escape
from time import thread_time
from typing import NamedTuple

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

# Beyond these, code is shown without colours: lexers are regular expressions, some of them slow on long lines, and
# some (Perl's quotes) look ahead to the end of the block at every token, so that only a clock can bound them.
MAX_BLOCK_CHARACTERS = 100_000
MAX_LINE_CHARACTERS = 2_000
MAX_SECONDS = 1.0
_TOKENS_PER_LOOK = 32

_PLAIN = {"", "plain", "plaintext", "text", "txt", "none", "output"}
_LANGUAGE = re.compile(r"\{?\s*\.?([\w+#.-]{1,40})")
_TITLE = re.compile(r"""(?:title|filename|name|caption)=(?:"([^"]*)"|'([^']*)'|(\S+))""")

# One class per colour of static/css/highlight.css; tokens of other types stay bare, which halves the page.
_CLASSES = {
    Token.Comment: "c",
    Token.Comment.Preproc: "cp",
    Token.Keyword: "k",
    Token.Keyword.Type: "kt",
    Token.Keyword.Constant: "kc",
    Token.Operator.Word: "k",
    Token.Literal.String: "s",
    Token.Literal.String.Escape: "se",
    Token.Literal.String.Interpol: "si",
    Token.Literal.String.Regex: "sr",
    Token.Literal.Number: "m",
    Token.Name.Builtin: "nb",
    Token.Name.Class: "nc",
    Token.Name.Exception: "nc",
    Token.Name.Function: "nf",
    Token.Name.Decorator: "nd",
    Token.Name.Tag: "nt",
    Token.Name.Attribute: "na",
    Token.Name.Variable: "nv",
    Token.Generic.Deleted: "gd",
    Token.Generic.Inserted: "gi",
    Token.Generic.Heading: "gh",
    Token.Generic.Subheading: "gh",
    Token.Generic.Strong: "gs",
    Token.Generic.Emph: "ge",
    Token.Generic.Prompt: "gp",
    Token.Generic.Output: "go",
}


class CodeInfo(NamedTuple):
    """Read the text after the fence: a language, lower case, and a title; either may be empty."""

    language: str
    title: str


def read_info(info: str) -> CodeInfo:
    """Read an info string as people write them: `python {1,3} title="x"`, `js:app.js`, `{.python}`, ` plain`."""
    info = info.strip()
    first = info.split(maxsplit=1)[0] if info else ""
    named = _TITLE.search(info)
    title = next((text for text in named.groups() if text), "") if named else ""
    language, colon, name = first.partition(":")
    if colon and not title:
        title = name
    found = _LANGUAGE.match(language)
    language = found[1].lower() if found else ""
    if named and named.start() == 0:
        language = ""
    return CodeInfo(language, title[:200])


@lru_cache(maxsize=256)
def _lexer_class(language: str) -> type[Lexer] | None:
    try:
        return find_lexer_class_by_name(language)
    except ClassNotFound:
        return None


@lru_cache(maxsize=1024)
def _token_class(kind: _TokenType | None) -> str:
    while kind is not None:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.parent
    return ""


def highlight(code: str, language: str, seconds: float = MAX_SECONDS) -> str:
    """The code as HTML, escaped, its tokens in spans where the language is known and the code is of a usual size.

    Roughly one second per megabyte; gives up after `seconds` of this thread's processor time, which ordinary code of
    the greatest size doesn't need. Never raises.
    """
    lexer_class = None if language in _PLAIN else _lexer_class(language)
    if (
        lexer_class is None
        or len(code) > MAX_BLOCK_CHARACTERS
        or max(map(len, code.split("\n")), default=0) > MAX_LINE_CHARACTERS
    ):
        return escape(code)
    pieces: list[str] = []
    current = ""
    run: list[str] = []
    deadline = thread_time() + seconds

    def flush() -> None:
        if run:
            text = escape("".join(run))
            pieces.append(f'<span class="{current}">{text}</span>' if current else text)
            run.clear()

    try:
        # An instance of its own for each block: lexers keep state while they run, and threads share this module.
        tokens = lexer_class(stripnl=False, ensurenl=False).get_tokens(code)
        for count, (kind, text) in enumerate(tokens):
            if count % _TOKENS_PER_LOOK == 0 and thread_time() > deadline:
                return escape(code)
            name = _token_class(kind)
            if name != current:
                flush()
                current = name
            run.append(text)
    except Exception:  # a lexer that trips over odd code must not take the post with it
        return escape(code)
    flush()
    return "".join(pieces)


def code_block(code: str, info: str = "", *, seconds: float = MAX_SECONDS) -> str:
    """A code block as HTML: a frame carrying language and title, in it the code, plain if no seconds are left."""
    language, title = read_info(info)
    body = highlight(code, language, seconds) if seconds > 0 else escape(code)
    frame = f' data-lang="{escape(language)}"' if language else ""
    if title:
        frame += f' data-title="{escape(title)}"'
    name = f' class="language-{escape(language)}"' if language else ""
    # tabindex: long lines scroll sideways, and must for the keyboard too.
    return f'<div class="code"{frame}><pre class="highlight" tabindex="0"><code{name}>{body}</code></pre></div>\n'
