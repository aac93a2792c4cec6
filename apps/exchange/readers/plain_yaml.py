"""YAML as front matter needs it: lists, maps and strings, nothing else, in bounded space.

Values stay as they are written: a title of 404, 1.10, no or 2024-01-01 is text. No object is ever constructed.
"""

import re

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from ..items import Unreadable

# Aliases make small files large ("a billion laughs"): what counts is the size with all of them written out.
MAX_VALUES = 10_000
MAX_DEPTH = 20

_NULLS = {"", "~", "null", "Null", "NULL"}
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


class _Composer(Reader, Scanner, Parser, Composer, BaseResolver):
    def __init__(self, stream: str) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


class _Plain:
    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.values = 0

    def line(self, node: Node) -> int:
        return self.first_line + int(node.start_mark.line)

    def value(self, node: Node, depth: int = 0) -> object:
        self.values += 1
        if self.values > MAX_VALUES:
            raise Unreadable(f"the front matter holds more than {MAX_VALUES} values", self.line(node))
        if depth > MAX_DEPTH:
            raise Unreadable("the front matter is nested too deeply", self.line(node))
        if isinstance(node, SequenceNode):
            return [self.value(entry, depth + 1) for entry in node.value]
        if isinstance(node, MappingNode):
            return self.mapping(node, depth)
        if not isinstance(node, ScalarNode):
            return None
        return None if node.style is None and node.value in _NULLS else str(node.value)

    def mapping(self, node: MappingNode, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, entry in node.value:
            if not isinstance(key, ScalarNode):
                raise Unreadable("a list or map can't be a key", self.line(key))
            value = self.value(entry, depth + 1)
            if key.value == "<<" and key.style is None:
                for merged in value if isinstance(value, list) else [value]:
                    found = {**merged, **found} if isinstance(merged, dict) else found
            else:
                found[str(key.value)] = value
        return found


def load(source: str, first_line: int = 1) -> object:
    """The document as dict, list, str or None; the last of doubled keys wins.

    Raises Unreadable with the line, counted from `first_line`.
    """
    # Hexo takes tabs for two spaces each; YAML itself forbids them.
    source = _LEADING_TABS.sub(lambda tabs: "  " * len(tabs[0]), source)
    try:
        node = _Composer(source).get_single_node()
        return None if node is None else _Plain(first_line).value(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and error.context_mark and mark.index >= len(source.rstrip()):
            mark = error.context_mark  # what is never closed is to be looked for where it opens
        line = first_line + mark.line if mark else None
        raise Unreadable(f"YAML: {error.problem or error.context}", line) from None
    except yaml.reader.ReaderError as error:
        line = first_line + source.count("\n", 0, error.position)
        raise Unreadable("YAML: a control character", line) from None
    except yaml.YAMLError as error:
        raise Unreadable(f"YAML: {error}", first_line) from None
    except RecursionError:
        raise Unreadable("the front matter is nested too deeply", first_line) from None
    except (ValueError, OverflowError) as error:
        # PyYAML lets an escape beyond Unicode through to chr().
        raise Unreadable(f"YAML: {error}", first_line) from None
