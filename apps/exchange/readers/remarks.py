"""Remarks of an author's that the old blog never showed, as HTML comments, which are not shown either."""

import re
from collections.abc import Iterator

from .scanner import tokens

_OBSIDIAN = re.compile("%%")


def as_comments(body: str, *, vault: bool, hexo: bool) -> str:
    """Turn Liquid's and Hugo's `comment`, Obsidian's `%%` and Hexo's `{# #}` into HTML comments, outside of code."""
    pieces: list[str] = []
    done = 0
    for start, end, said in _remarks(body, vault=vault, hexo=hexo):
        if start >= done:
            pieces += [body[done:start], _comment(said)]
            # Text after it on a line that it begins would be parsed as HTML.
            begins = re.search(r"(?:\A|\n)[ \t]*\Z", body[max(0, start - 10) : start])
            goes_on = re.match(r"[ \t]*\S", body[end : end + 100])
            pieces.append("\n" * said.count("\n") or ("\n" if begins and goes_on else ""))
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
            if hexo:
                yield from _nunjucks(body, token.start, token.end)


def _nunjucks(body: str, position: int, limit: int) -> Iterator[tuple[int, int, str]]:
    while (start := body.find("{#", position, limit)) >= 0 and (end := body.find("#}", start + 2, limit)) >= 0:
        position = end + 2
        yield start, position, body[start + 2 : end]


def _comment(said: str) -> str:
    """On one line: a list or a blank line inside would end the comment, and show the rest. No bar, for tables."""
    return f"<!-- {' '.join(said.split()).replace('--', '- -').replace('|', '&#124;').rstrip('-')} -->"
