"""The head of a Markdown file: YAML, JSON or TOML, in the ways Hexo, Hugo and Jekyll write it."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..items import Unreadable
from . import plain_yaml

# A head without its opening line is one only when it says something a head would say.
KNOWN_KEYS = frozenset(
    "title date published created updated lastmod modified tags tag categories category slug permalink url aliases"
    " draft summary description excerpt cover thumbnail image banner layout author comments sticky top pinned"
    " keywords photos password id subtitle toc mathjax status authors translation save_as".split()
)

_YAML_FENCED = re.compile(r"\A(-{3,})[ \t]*\n(?:(.*?)\n)??(?:\1|\.{3})[ \t]*(?:\n|\Z)", re.DOTALL)
_YAML_OPEN = re.compile(r"\A-{3,}[ \t]*\n\s*([\w-]+)[ \t]*:(?:[ \t]|\n)")
_YAML_UNFENCED = re.compile(r"\A(\w[\w -]*:(?:[ \t].*)?\n(?:.*\n)*?)-{3,}[ \t]*(?:\n|\Z)")
# Pelican's and MultiMarkdown's: `Key: value` up to the first blank line, more lines of a value indented.
_KEY_LINE = re.compile(r"(\w[\w -]{0,60}):(?:[ \t]+(.*))?")
_NOTION_TITLE = re.compile(r"\A#[ \t]+(.+)\n\s*\n")
_JSON_FENCED = re.compile(r"\A(;{3,})[ \t]*\n(.*?)\n?;{3,}[ \t]*(?:\n|\Z)", re.DOTALL)
_JSON_UNFENCED = re.compile(r'\A("[\w -]+"[ \t]*:.*?)\n;{3,}[ \t]*(?:\n|\Z)', re.DOTALL)
_JSON_OBJECT = re.compile(r'\A\{\s*(?:"|\}[ \t]*\n)')
_TOML_FENCED = re.compile(r"\A\+{3}[ \t]*\n(?:(.*?)\n)??\+{3}[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True)
class FrontMatter:
    """The fields (keys lower case, `-` and spaces as `_`), the body, and the file's line on which the body begins."""

    fields: dict[str, object] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1
    present: bool = False
    head: str = ""

    def line_of(self, key: str) -> int | None:
        """The line that sets the key, for messages; None when it can't be told."""
        found = self._find(key)
        return self.head.count("\n", 0, found.start(1)) + 1 if found else None

    def as_written(self, key: str) -> str:
        found = self._find(key)
        return found[1] if found else key

    def _find(self, key: str) -> re.Match[str] | None:
        spelled = re.escape(key).replace("_", "[-_ ]")
        return re.search(rf'^[ \t\[]*"?({spelled})"?[ \t]*[:=\]]', self.head, re.MULTILINE | re.IGNORECASE)


def _key(key: str) -> str:
    return re.sub(r"[-\s]+", "_", key.strip().lower())


def _made(text: str, end: int, fields: Mapping[str, object]) -> FrontMatter:
    return FrontMatter(
        fields={_key(str(key)): value for key, value in fields.items()},
        body=text[end:],
        body_line=text.count("\n", 0, end) + 1,
        present=True,
        head=text[:end],
    )


def _json(source: str, first_line: int) -> dict[str, object]:
    try:
        value = json.loads(source)
    except json.JSONDecodeError as error:
        raise Unreadable(f"JSON: {error.msg}", first_line + error.lineno - 1) from None
    except RecursionError:
        raise Unreadable("the front matter is nested too deeply", first_line) from None
    except ValueError as error:  # a number of thousands of digits
        raise Unreadable(f"JSON: {error}", first_line) from None
    if not isinstance(value, dict):
        raise Unreadable("JSON: the front matter is no object", first_line)
    return value


def _toml(source: str, first_line: int) -> dict[str, object]:
    try:
        return tomllib.loads(source + "\n")  # else an unfinished last line has no number
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        reason = re.sub(r" \(at .*\)$", "", str(error))
        raise Unreadable(f"TOML: {reason}", first_line + (int(line[1]) - 1 if line else 0)) from None
    except RecursionError:
        raise Unreadable("the front matter is nested too deeply", first_line) from None
    except ValueError as error:
        raise Unreadable(f"TOML: {error}", first_line) from None


def _from_yaml(text: str) -> FrontMatter | None:
    if fenced := _YAML_FENCED.match(text):
        fields = plain_yaml.load(fenced[2] or "", first_line=2)
        if fields is None:
            return _made(text, fenced.end(), {})
        # Two rules with a paragraph between them are a text that happens to begin with a rule.
        return _made(text, fenced.end(), fields) if isinstance(fields, dict) else None
    opened = _YAML_OPEN.match(text)
    if opened and _key(opened[1]) in KNOWN_KEYS:
        raise Unreadable("the front matter is never closed by a line of ---", 1)
    return None


def _from_unfenced_yaml(text: str) -> FrontMatter | None:
    unfenced = _YAML_UNFENCED.match(text)
    if not unfenced or _key(text.partition(":")[0]) not in KNOWN_KEYS:
        return None
    fields = plain_yaml.load(unfenced[1])
    return _made(text, unfenced.end(), fields) if isinstance(fields, dict) else None


def _from_key_lines(text: str) -> FrontMatter | None:
    """Pelican's head. One line alone must be a title, date or status: prose, too, may begin with a word and a colon."""
    lines = text.split("\n\n", 1)[0].rstrip("\n").split("\n")
    fields: dict[str, str] = {}
    last = ""
    for line in lines:
        found = _KEY_LINE.fullmatch(line)
        if found:
            last = _key(found[1])
            fields[last] = (found[2] or "").strip()
        elif last and line.startswith((" ", "\t")):
            fields[last] += f", {line.strip()}"
        else:
            return None
    telling = fields.keys() & (KNOWN_KEYS if len(lines) > 1 else {"title", "date", "status"})
    return _made(text, len("\n".join(lines)) + 1, fields) if telling else None


def _from_notion(text: str) -> FrontMatter | None:
    """The properties of Notion's pages, which stand between the title and the text."""
    title = _NOTION_TITLE.match(text)
    block = text[title.end() :].split("\n\n", 1)[0].rstrip("\n") if title else ""
    found = [_KEY_LINE.fullmatch(line) for line in block.split("\n")]
    if not title or not all(found):
        return None
    fields = {line[1]: (line[2] or "").strip() for line in found if line}
    return _made(text, title.end() + len(block) + 1, {**fields, "title": title[1]})


def _from_json(text: str) -> FrontMatter | None:
    if fenced := _JSON_FENCED.match(text):
        source = fenced[2].strip()
        whole = fenced[2] if source.startswith("{") else "{" + fenced[2].rstrip().rstrip(",") + "}"
        return _made(text, fenced.end(), _json(whole, first_line=2))
    if unfenced := _JSON_UNFENCED.match(text):
        return _made(text, unfenced.end(), _json("{" + unfenced[1].rstrip().rstrip(",") + "}", first_line=1))
    if not _JSON_OBJECT.match(text):
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise Unreadable("the front matter is nested too deeply", 1) from None
    except ValueError as error:
        raise Unreadable(f"JSON: {error}", 1) from None
    rest = re.compile(r"[ \t]*(?:\n|\Z)").match(text, end)
    return _made(text, rest.end() if rest else end, value)


def _from_toml(text: str) -> FrontMatter | None:
    if fenced := _TOML_FENCED.match(text):
        return _made(text, fenced.end(), _toml(fenced[1] or "", first_line=2))
    if re.match(r"\A\+{3}[ \t]*\n\s*\w+\s*=", text):
        raise Unreadable("the front matter is never closed by a line of +++", 1)
    return None


def split(text: str, *, notion: bool = False) -> FrontMatter:
    """Take the head off a file's text; what has none is all body. `notion`: the file is an export of Notion's.

    Raises Unreadable, naming the line, when there is a head that can't be read.
    """
    # Blank lines above the head are an editor's doing; the line count must still hold.
    head_start = len(text) - len(text.lstrip("\n"))
    stripped = text[head_start:]
    readers = {"-": _from_yaml, ";": _from_json, "{": _from_json, '"': _from_json, "+": _from_toml}
    reader = readers.get(stripped[:1], _from_unfenced_yaml)
    try:
        found = reader(stripped)
    except Unreadable as error:
        raise Unreadable(error.reason, error.line and error.line + head_start) from None
    if found is None:
        found = _from_notion(stripped) if notion else _from_key_lines(stripped)
    if found is None:
        return FrontMatter(body=text)
    return FrontMatter(found.fields, found.body, found.body_line + head_start, True, "\n" * head_start + found.head)
