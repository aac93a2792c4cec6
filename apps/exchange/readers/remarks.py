"""Remarks of an author's that the old blog never showed, as HTML comments, which are not shown either."""

import re
from collections.abc import Iterator

from .scanner import tokens

_OBSIDIAN = re.compile("%%")
_NUNJUCKS = re.compile(r"\{#(?!\})[^\n]*?#\}|\{#[ \t]*\n.*?#\}", re.DOTALL)


def as_comments(body: str, *, vault: bool, hexo: bool) -> str:
    """Turn Liquid's and Hugo's `comment`, Obsidian's `%%` and Hexo's `{# #}` into HTML comments, outside of code."""
    pieces: list[str] = []
    done = 0
    for start, end, said in _remarks(body, vault=vault, hexo=hexo):
        if start >= done:
            pieces += [body[done:start], _comment(said)]
            done = end
    return "".join([*pieces, body[done:]])


def _remarks(body: str, *, vault: bool, hexo: bool) -> Iterator[tuple[int, int, str]]:
    """Start, end and content of each, in order."""
    opened: tuple[int, int] | None = None  # of a pair: where its opening mark begins and ends
    for token in tokens(body):
        if token.kind == "tag" and token.name == "comment" and token.content is not None:
            yield token.start, token.end, token.content
        elif token.kind == "shortcode" and token.name.strip("/") == "comment":
            closing = token.name.startswith("/") or "/" in body[token.start : token.end].partition("comment")[0]
            if closing and opened:
                yield opened[0], token.end, body[opened[1] : token.start]
            opened = None if closing else (token.start, token.end)
        elif token.kind == "text":
            for mark in _OBSIDIAN.finditer(body, token.start, token.end) if vault else ():
                if opened:
                    yield opened[0], mark.end(), body[opened[1] : mark.start()]
                opened = None if opened else mark.span()
            for found in _NUNJUCKS.finditer(body, token.start, token.end) if hexo else ():
                yield found.start(), found.end(), found[0][2:-2]


def _comment(said: str) -> str:
    # No blank line: within a paragraph it would end the comment.
    said = re.sub(r"\n\s*\n", "\n", said.strip()).replace("--", "- -")
    return f"<!-- {said.rstrip('-')} -->"
