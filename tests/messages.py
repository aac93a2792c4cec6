"""Find messages that can't be translated: `python -m tests.messages`, part of `make lint`.

makemessages sees no call inside an f-string and none whose message is not written out: such a message stays English.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import template
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"
MODULE = "django.utils.translation"
# Function -> which arguments are its context (if any) and its messages.
FUNCTIONS = {
    "gettext": (None, [0]),
    "gettext_noop": (None, [0]),
    "ngettext": (None, [0, 1]),
    "pgettext": (0, [1]),
    "npgettext": (0, [1, 2]),
}
FUNCTIONS |= {f"{name}_lazy": arguments for name, arguments in FUNCTIONS.items()}
# The one door through which templates translate; their messages are found in the templates.
EXEMPT = {("apps/components/templating.py", "message")}


class Message(NamedTuple):
    place: str
    context: str
    text: str


class Fault(NamedTuple):
    place: str
    complaint: str

    def __str__(self) -> str:
        return f"{self.place}: {self.complaint}"


def faults(root: Path = ROOT, catalog: Path = CATALOG) -> list[Fault]:
    """Return what is wrong with the messages of the sources and templates below `root`."""
    translated = _translated(catalog.read_text(encoding="utf-8"))
    found = []
    for path in sorted(file for folder in ("apps", "blog_xtg") for file in (root / folder).rglob("*.py")):
        found += list(_in_python(path.read_text(encoding="utf-8"), str(path.relative_to(root))))
    for path in sorted((root / "templates").rglob("*.*")):
        is_djangos = "django" in path.relative_to(root / "templates").parts
        read = _in_django_template if is_djangos else _in_template
        found += list(read(path.read_text(encoding="utf-8"), str(path.relative_to(root))))
    lacking = "is not translated in django.po: run `make messages`, translate what is new, run it again"
    return [
        Fault(one.place, f"{one.text!r} {lacking}") if isinstance(one, Message) else one
        for one in found
        if isinstance(one, Fault) or (one.context, one.text) not in translated
    ]


def _in_python(source: str, name: str) -> Iterator[Message | Fault]:
    tree = ast.parse(source)
    functions: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == MODULE:
            functions |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in FUNCTIONS}
    in_f_strings = {inner for outer in ast.walk(tree) if isinstance(outer, ast.JoinedStr) for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name):
            function = functions.get(called.id, "")
        else:  # translation.gettext(…)
            function = called.attr if isinstance(called, ast.Attribute) and called.attr in FUNCTIONS else ""
        if not function:
            continue
        place = f"{name}:{node.lineno}"
        context, messages = FUNCTIONS[function]
        named = [node.args[at] if at < len(node.args) else None for at in ([] if context is None else [context])]
        written = [*named, *(node.args[at] if at < len(node.args) else None for at in messages)]
        values = [argument.value if isinstance(argument, ast.Constant) else None for argument in written]
        if node in in_f_strings:
            yield Fault(place, f"{function}() inside an f-string is not seen by makemessages")
        elif not all(isinstance(value, str) for value in values):
            if (name, ast.unparse(written[-1]) if written[-1] else "") not in EXEMPT:
                yield Fault(place, f"{function}() takes its message written out")
        else:
            # The catalog knows a plural by its singular.
            yield Message(place, str(values[0]) if named else "", str(values[len(named)]))


def _in_template(source: str, name: str) -> Iterator[Message | Fault]:
    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        if not (isinstance(call.node, nodes.Name) and call.node.name == "_"):
            continue
        place = f"{name}:{call.lineno}"
        message = call.args[0] if call.args else None
        if isinstance(message, nodes.Const) and isinstance(message.value, str):
            yield Message(place, "", message.value)
        else:
            yield Fault(place, "_() takes its message written out")


_STRING = r"""u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CALL = re.compile(rf"\b(n?p?gettext|_)\(\s*({_STRING}(?:\s*,\s*{_STRING})*)")


def _in_django_template(source: str, name: str) -> Iterator[Message]:
    """Read it as makemessages does, which turns it into calls."""
    for call in _CALL.finditer(template.templatize(source)):
        function, arguments = call[1].replace("_", "gettext"), ast.literal_eval(f"[{call[2]}]")
        context, messages = FUNCTIONS[function]
        yield Message(name, "" if context is None else arguments[context], arguments[messages[0]])


def _translated(text: str) -> set[tuple[str, str]]:
    """Return context and message of each entry that has a text in every form and is not fuzzy."""
    found = set()
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if any(re.match(r"#,.*\bfuzzy\b", line) for line in lines):
            continue
        fields: dict[str, str] = {}
        current = ""
        for line in lines:
            if entry := re.fullmatch(r'(?:(msg\w+(?:\[\d\])?) )?(".*")', line):
                current = entry[1] or current
                fields[current] = fields.get(current, "") + ast.literal_eval(entry[2])
        texts = [value for field, value in fields.items() if field.startswith("msgstr")]
        if fields.get("msgid") and texts and all(texts):
            found.add((fields.get("msgctxt", ""), fields["msgid"]))
    return found


if __name__ == "__main__":
    wrong = faults()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(bool(wrong))
