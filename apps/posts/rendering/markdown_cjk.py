"""Markdown between Chinese, Japanese and Korean characters: emphasis that closes, bare links that end, lines that join.

Emphasis follows the amendments of the markdown-cjk-friendly specification (tats-u/markdown-cjk-friendly) to
CommonMark 6.2; text without such characters is parsed as CommonMark says. See commonmark-spec issue 650.
"""

import re
from functools import cached_property

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from .raw_html import Ends

# East Asian width W, F or H without the emoji, and Hangul.
_CJK_RANGES = (
    "\u1100-\u11ff\u20a9\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe10-\ufe19"
    "\ufe30-\ufe6f\uff01-\uffee\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff\U0001f200\U0001f202\U0001f210-\U0001f219"
    "\U0001f21b-\U0001f22e\U0001f230-\U0001f231\U0001f237\U0001f23b\U0001f240-\U0001f248\U0001f260-\U0001f265"
    "\U00020000-\U0003fffd"
)
_CJK = re.compile(f"[{_CJK_RANGES}]")
_IDEOGRAPHIC_SELECTOR = re.compile("[\U000e0100-\U000e01ef]")
_TEXT_SELECTOR = re.compile("[\ufe00-\ufe0e]")
# Western quotation marks that a variation selector declares full width.
_FULL_WIDTH_QUOTES = {mark + "\ufe01" for mark in "‘’“”"}

# Scripts that put no space between words, with their punctuation; Hangul puts one.
_SPACELESS = (
    "\u2e80-\u303e\u3041-\u312f\u31a0-\u4dbf\u4e00-\ua4cf\uf900-\ufaff\ufe10-\ufe1f\ufe30-\ufe4f\uff01-\uff9f"
    "\uffe0-\uffe6\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff\U00020000-\U0003fffd"
)
# Marks that are Chinese beside a Chinese character.
_SHARED_MARKS = "‘’“”…—·"
_JOINED_AT = re.compile(
    rf"(?:(?<=[{_SPACELESS}])[ \t]*\r?\n[ \t]*(?=[{_SPACELESS}{_SHARED_MARKS}])"
    rf"|(?<=[{_SHARED_MARKS}])[ \t]*\r?\n[ \t]*(?=[{_SPACELESS}]))"
)


def is_cjk(character: str) -> bool:
    """Whether the character is written in the square of an East Asian script (emoji are not)."""
    return _CJK.match(character) is not None


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def join_lines(text: str) -> str:
    """The text without the line ends that stand between two Chinese or Japanese characters: no space belongs there."""
    return _JOINED_AT.sub("", text)


def join_soft_breaks(state: StateCore) -> None:
    """Core rule: a line end between two Chinese or Japanese characters leaves nothing, whatever marks stand there."""
    for inline in state.tokens:
        if inline.type != "inline" or "\n" not in inline.content:
            continue
        waiting = [inline.children or []]
        while waiting:
            tokens = waiting.pop()
            waiting += [token.children for token in tokens if token.children]
            _join_soft_breaks(tokens)


def _join_soft_breaks(tokens: list[Token]) -> None:
    before = ""
    softbreak: Token | None = None
    for token in tokens:
        if token.type == "softbreak":
            softbreak = token
        elif words := _words(token):
            if softbreak and "\n" not in join_lines(f"{before[-1:]}\n{words[0]}"):
                # An empty text: the list must keep its length for whoever walks along it.
                softbreak.type, softbreak.tag = "text", ""
            softbreak, before = None, words


def _words(token: Token) -> str:
    """Return the text between the marks; a picture or a line break is something, though no word."""
    if token.nesting or token.type == "footnote_ref":
        return ""
    if token.type == "html_inline":
        return " " if token.content.startswith(("<br", "<img")) else ""
    return token.content if token.type in ("text", "text_special", "code_inline") else " "


class FriendlyState(StateInline):
    """The state of the inline parser, with CommonMark's flanking amended for CJK."""

    @cached_property
    def ends(self) -> Ends:
        """Return a function that finds the ends of elements in this source."""
        return Ends(self.src)

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        end = start
        marker = self.src[start]
        while end < self.posMax and self.src[end] == marker:
            end += 1

        before = self.src[start - 1] if start > 0 else " "
        before_cjk = False
        if _IDEOGRAPHIC_SELECTOR.match(before):
            before_cjk = True
        elif start > 1 and _TEXT_SELECTOR.match(before):
            before_cjk = self.src[start - 2 : start] in _FULL_WIDTH_QUOTES
            before = self.src[start - 2]
        before_cjk = before_cjk or is_cjk(before)
        after = self.src[end] if end < self.posMax else " "
        after_cjk = is_cjk(after)

        before_space, after_space = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
        before_mark, after_mark = _is_punctuation(before), _is_punctuation(after)
        before_western_mark = before_mark and not before_cjk
        after_western_mark = after_mark and not after_cjk

        left_flanking = not after_space and (
            not after_western_mark or before_space or before_western_mark or before_cjk
        )
        right_flanking = not before_space and (
            not before_western_mark or after_space or after_western_mark or after_cjk
        )
        return Scanned(
            can_open=left_flanking and (canSplitWord or not right_flanking or before_mark),
            can_close=right_flanking and (canSplitWord or not left_flanking or after_mark),
            length=end - start,
        )


class FriendlyParserInline(ParserInline):
    """The inline parser whose emphasis works next to CJK characters and their punctuation."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Parse one paragraph's text into tokens."""
        state = FriendlyState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


# A Chinese character belongs to the address only where a segment begins with one (`/路径`, `?q=词`): after a Latin
# word it is the sentence going on (`/a后文`). Full-width punctuation always ends the link.
_PLAIN = r"""[^\s\xa0<>"\\`\[\]{}|^\x00-\x20\u2000-\u206f\ufffd""" + _CJK_RANGES + "]"
_CJK_WORD = r"[\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]"
_BARE_LINK = re.compile(
    r"https?://(?:[\w.~%!$&'()*+,;=:-]{1,100}@)?[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?"
    rf"(?:(?=[/?#])(?:(?<=[/=#?&_-]){_CJK_WORD}{{1,200}}|{_PLAIN}){{0,2000}})?",
    re.IGNORECASE | re.ASCII,
)
_TRAILING = re.compile(r"(?:[?!.,:*_~'\";$]|&[a-z0-9]{1,30};)$", re.IGNORECASE)


def _trimmed(url: str) -> str:
    """GitHub's rule: closing punctuation and unmatched closing parentheses belong to the sentence."""
    while True:
        if url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1]
        elif trailing := _TRAILING.search(url, max(0, len(url) - 32)):
            url = url[: trailing.start()]
        else:
            return url


def bare_link(state: StateInline, silent: bool) -> bool:
    """Inline rule: `http://` and `https://` typed in the text become links."""
    if silent or state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    head = state.src[max(0, state.pos - 5) : state.pos].lower()
    scheme = next((name for name in ("https", "http") if head.endswith(name)), None)
    if scheme is None:
        return False
    start = state.pos - len(scheme)
    if start and state.src[start - 1].isascii() and state.src[start - 1].isalnum():
        return False
    found = _BARE_LINK.match(state.src, start, state.posMax)
    if not found or state.pending[-len(scheme) :].lower() != scheme:
        return False
    url = _trimmed(found[0])
    if len(url) <= len(scheme) + 3:
        return False
    address = state.md.normalizeLink(url)
    if not state.md.validateLink(address):
        return False

    state.pending = state.pending[: -len(scheme)]
    opening = state.push("link_open", "a", 1)
    opening.attrs = {"href": address}
    opening.markup, opening.info = "linkify", "auto"
    state.push("text", "", 0).content = state.md.normalizeLinkText(url)
    closing = state.push("link_close", "a", -1)
    closing.markup, closing.info = "linkify", "auto"
    state.pos = start + len(url)
    return True
