"""Rules of the Markdown parser for HTML: what of it stays HTML, becomes text or is left out, see raw_html.py."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import cast

from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.html_block import html_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.html_inline import html_inline
from markdown_it.token import Token

from .left_out import Notes
from .markdown_cjk import FriendlyState, join_lines
from .plaintext import spoken
from .raw_html import (
    KNOWN,
    MORE_MARK,
    OPEN_ENDED,
    VOID,
    Ends,
    Kind,
    Piece,
    as_text,
    decide,
    is_more,
    kept_source,
    left_out_element,
    note,
    parse_tag,
    pieces_of,
)

_PLAIN = {"text", "softbreak", "code_inline"}  # nothing of HTML, nothing that leads anywhere
_BLOCK_NAME = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)(?=[\s/>]|$)")


def _ends(state: StateBlock) -> Ends:
    ends: Ends = state.env.get("ends") or state.env.setdefault("ends", Ends(state.src))
    return ends


def html_block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The block rule "html_block", for lines that begin with HTML and don't only mention it."""
    position = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith("<", position):
        return False
    last = _last_line_left_out(state, start, end, position)
    if last is None:
        return _begins_html(state, position, state.eMarks[start]) and html_block(state, start, end, silent)
    if not silent:
        state.line = last + 1
        token = state.push("html_block", "", 0)
        token.map = [start, state.line]
        token.content = state.getLines(start, state.line, state.blkIndent, True)
    return True


def _last_line_left_out(state: StateBlock, start: int, end: int, position: int) -> int | None:
    """Where a left-out element ends that begins the line `start`; None for one that ends outside or in a sentence."""
    if position < state.env.get("in_a_sentence_to", 0):
        return None  # found before: looking again from each of its lines would take long
    piece = left_out_element(_ends(state), position, state.eMarks[end - 1])
    if piece is None:
        return None
    over = position + len(piece.source)
    last = bisect_left(state.eMarks, over, start)
    outside = state.blkIndent and any(
        state.sCount[line] < state.blkIndent and not state.isEmpty(line) for line in range(start + 1, last + 1)
    )
    if outside or (state.src[over : state.eMarks[last]].strip() and "\n\n" not in piece.source):
        state.env["in_a_sentence_to"] = over
        return None
    return last


def _begins_html(state: StateBlock, position: int, line_end: int) -> bool:
    ends = _ends(state)
    if state.src.startswith("<!--", position):
        return ends.after("-->", position) is not None
    found = _BLOCK_NAME.match(state.src, position, line_end)
    if not found or found[2].lower() not in KNOWN:
        return False
    name = found[2].lower()
    closed_by = {name, *OPEN_ENDED.get(name, ())}
    return bool(found[1]) or name in VOID or any(ends.of_element(name, position) for name in closed_by)


def html_inline_rule(state: StateInline, silent: bool) -> bool:
    """The inline rule "html_inline"; a complete element that no page shows is one token, its content no Markdown."""
    if not state.src.startswith("<", state.pos):
        return False
    ends = cast(FriendlyState, state).ends
    if piece := left_out_element(ends, state.pos, state.posMax):
        if not silent:
            state.push("html_inline", "", 0).meta["left_out"] = piece
        state.pos += len(piece.source)
        return True
    level = state.linkLevel
    found = html_inline(state, silent)
    if state.linkLevel > level and not ends.of_element("a", state.pos):
        state.linkLevel = level
    return found


def resolve_blocks(state: StateCore) -> None:
    """Core rule, before the inline one: the text of HTML blocks is escaped; one that begins with text is a paragraph.

    Tags are matched among the HTML blocks of one container: a `<details>` may have Markdown within it.
    """
    if not any(token.type == "html_block" for token in state.tokens):
        return
    notes: Notes = state.env["notes"]
    for blocks in _containers(state.tokens):
        cut = {id(token): list(pieces_of(token.content)) for token in blocks}
        _decide_all(cut)
        paragraphs = [token for token in blocks if _begins_with_text(cut[id(token)])]
        if paragraphs:
            for token in paragraphs:
                del cut[id(token)]
                token.type = "paragraph"
            _decide_all(cut)
        preformatted = 0
        for token in blocks:
            if token.type == "html_block":
                token.content, preformatted = _written(cut[id(token)], notes, preformatted)
    state.tokens = list(_with_paragraphs(state.tokens))


def _containers(tokens: list[Token]) -> Iterator[list[Token]]:
    """The HTML blocks of each quotation, list item and the like, and of the document."""
    open_containers: list[list[Token]] = [[]]
    for token in tokens:
        if token.nesting > 0:
            open_containers.append([])
        elif token.nesting < 0:
            if blocks := open_containers.pop():
                yield blocks
        elif token.type == "html_block":
            open_containers[-1].append(token)
    yield from open_containers


def _decide_all(cut: dict[int, list[Piece]]) -> None:
    decide([piece for pieces in cut.values() for piece in pieces], in_sentence=False)


def _begins_with_text(pieces: list[Piece]) -> bool:
    first = next((piece for piece in pieces if piece.kind is not Kind.COMMENT and piece.source.strip()), None)
    return first is not None and (first.kind is Kind.TEXT or (first.kind is Kind.TAG and not first.kept))


def _written(pieces: list[Piece], notes: Notes, preformatted: int) -> tuple[str, int]:
    written = []
    for piece in pieces:
        if piece.kind is Kind.TEXT:
            # Its character references are HTML, its angle brackets are not.
            text = piece.source if preformatted else join_lines(piece.source)
            written.append(text.replace("<", "&lt;"))
        elif piece.kind is Kind.TAG and not piece.kept:
            written.append(as_text(piece.source))
        else:
            written.append(_html_of(piece, notes))
            if piece.name == "pre":
                preformatted += -1 if piece.closing else 1
    return "".join(written), preformatted


def _html_of(piece: Piece, notes: Notes) -> str:
    """The HTML of a comment, a kept tag or what is left out, with a note of what it loses."""
    if piece.kind is Kind.COMMENT:
        return MORE_MARK if is_more(piece.source) else ""
    note(piece, notes)
    return kept_source(piece) if piece.kind is Kind.TAG else ""


def _with_paragraphs(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type != "paragraph":
            yield token
            continue
        yield Token("paragraph_open", "p", 1, map=token.map, level=token.level, block=True)
        inline = Token("inline", "", 0, map=token.map, level=token.level + 1, children=[], block=True)
        inline.content = token.content.strip()
        yield inline
        yield Token("paragraph_close", "p", -1, level=token.level, block=True)


def resolve_inlines(state: StateCore) -> None:
    """Core rule, behind the inline one: tags without another half in their paragraph become text."""
    notes: Notes = state.env["notes"]
    waiting = [inline.children for inline in state.tokens if inline.type == "inline" and inline.children]
    while waiting:
        tokens = waiting.pop()
        kinds = {token.type for token in tokens}
        if kinds <= _PLAIN:
            continue
        waiting += [token.children for token in tokens if token.children]
        _note_addresses(tokens, notes)
        if "html_inline" in kinds:
            _resolve_inline(tokens, notes)


def _resolve_inline(tokens: list[Token], notes: Notes) -> None:
    pieces = [_piece(token) for token in tokens]
    decide(pieces, in_sentence=True)
    for token, piece in zip(tokens, pieces, strict=True):
        if token.type != "html_inline":
            continue
        if piece.kind is Kind.TEXT or (piece.kind is Kind.TAG and not piece.kept):
            token.type = "text"
        else:
            token.content = _html_of(piece, notes)


def _note_addresses(tokens: list[Token], notes: Notes) -> None:
    """Name the links and pictures that lead where no page goes; such a picture is its words."""
    for token in tokens:
        if token.type == "link_open":
            notes.add_address(str(token.attrGet("href") or ""))
        elif token.type == "image" and notes.add_address(str(token.attrGet("src") or "")):
            token.type, token.content, token.children = "text", spoken(token.children or []), None


def _piece(token: Token) -> Piece:
    if token.type != "html_inline":
        return Piece(Kind.TEXT if token.type in ("text", "softbreak") else Kind.MARKDOWN, token.content or " ")
    if "left_out" in token.meta:
        return token.meta["left_out"]
    if token.content.startswith("<!--"):
        return Piece(Kind.COMMENT, token.content)
    # What is no comment and no tag (`<?php … ?>`, `<!DOCTYPE html>`) nothing can keep.
    return Piece(Kind.TEXT, token.content) if token.content[1] in "!?" else parse_tag(token.content)
