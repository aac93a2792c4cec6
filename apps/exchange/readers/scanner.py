"""Where in a Markdown text the prose is, and where the code: tags and images in code are not ours to touch."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Their contents are taken as they stand, whatever they look like.
OPAQUE_TAGS = {"codeblock", "code", "raw", "highlight", "comment"}

_START = re.compile(
    r"""^(?P<fence_lead>(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*)(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})
      | (?P<indented>(?:^[ \t]*\n|\A)(?=(?:\ {4}|\t)[ \t]*\S))
      | (?P<escape>\\[`{!\[\\])
      | (?P<ticks>`+)
      | (?P<comment><!--)
      | (?P<tag>\{%-?[ \t]*(?P<name>[A-Za-z_][\w.-]*)(?P<arguments>(?:[^\n%]|%(?!\})){0,2000}?)[ \t]*-?%\})
      | (?P<shortcode>\{\{[<%][ \t]*/?[ \t]*(?P<short_name>[\w./-]+)
          (?:[^\n>%]|[>%](?!\}\})){0,2000}?[>%]\}\})
    """,
    re.MULTILINE | re.VERBOSE,
)
_INDENTED_LINES = re.compile(r"(?:(?:[ \t]*\n)*(?: {4}|\t)[^\n]*\S[^\n]*(?:\n|\Z))+")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_TICKS = re.compile("`+")


@dataclass(frozen=True)
class Token:
    """A stretch of the text: `text`, `code` (verbatim), `tag` (`{% name arguments %}`, or a whole opaque block with
    its `content`) or `shortcode` (Hugo's)."""

    kind: str
    start: int
    end: int
    name: str = ""
    arguments: str = ""
    content: str | None = None


def tokens(text: str) -> Iterator[Token]:
    """Cut the text into tokens; together they are all of it. Linear in the length of usual texts."""
    done = position = 0
    in_list = _ListWatch(text)
    endless: set[str] = set()  # tags of which no end follows
    while found := _START.search(text, position):
        token = _token(text, found, in_list, endless)
        if token is None:
            position = found.end()  # nothing of its kind after all
            continue
        if token.start > done:
            yield Token("text", done, token.start)
        yield token
        done = position = token.end
    if done < len(text):
        yield Token("text", done, len(text))


def _token(text: str, found: re.Match[str], in_list: "_ListWatch", endless: set[str]) -> Token | None:
    start, end = found.span()
    if found["fence"]:
        return Token("code", start, _end_of_fence(text, found))
    if found["indented"] is not None:
        lines = None if in_list.at(start) else _INDENTED_LINES.match(text, end)
        return Token("code", start, lines.end()) if lines else None
    if found["ticks"]:
        closing = _end_of_ticks(text, end, len(found["ticks"]))
        return Token("code", start, closing) if closing else None
    if found["comment"]:
        closing = text.find("-->", end)
        return Token("code", start, closing + 3) if closing >= 0 else None
    if found["shortcode"]:
        return Token("shortcode", start, end, found["short_name"])
    if not found["tag"]:
        return None
    name, arguments = found["name"], found["arguments"].strip()
    if name in OPAQUE_TAGS and name not in endless:
        if closing_tag := end_tag(text, name, end):
            return Token("tag", start, closing_tag.end(), name, arguments, text[end : closing_tag.start()])
        endless.add(name)
    return Token("tag", start, end, name, arguments)


def end_tag(text: str, name: str, position: int) -> re.Match[str] | None:
    return re.compile(r"\{%-?[ \t]*end" + re.escape(name) + r"[ \t]*-?%\}").search(text, position)


def _end_of_fence(text: str, found: re.Match[str]) -> int:
    """The end of the closing fence's line; without one the code goes on to the end of the text."""
    sign, length = found["fence"][0], len(found["fence"])
    closing = re.compile(rf"^[ \t>]*{re.escape(sign)}{{{length},}}[ \t]*$", re.MULTILINE)
    end_of_line = text.find("\n", found.end())
    closed = closing.search(text, end_of_line) if end_of_line >= 0 else None
    return closed.end() if closed else len(text)


def _end_of_ticks(text: str, position: int, length: int) -> int:
    """Where the code span that opened before `position` ends; 0 when nothing closes it within the paragraph."""
    blank = _BLANK_LINE.search(text, position)
    limit = blank.start() if blank else len(text)
    for run in _TICKS.finditer(text, position, limit):
        if len(run[0]) == length:
            return run.end()
    return 0


class _ListWatch:
    """Whether an indented line belongs to a list: the last line at the margin began or continued one.

    Asked in rising order, it reads each line once.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.listed = False

    def at(self, position: int) -> bool:
        while self.position < position:
            end = self.text.find("\n", self.position)
            end = len(self.text) if end < 0 else end
            line = self.text[self.position : end]
            if _LIST_ITEM.match(line):
                self.listed = True
            elif line.strip() and not line.startswith((" ", "\t")):
                self.listed = False
            self.position = end + 1
        return self.listed
