"""Find comments, docstrings and documents that break the rules of plain words: `python -m tests.words`.

Part of `make lint`. A comment or docstring must not begin with Who, What, Whoever or Whatever: it names nobody. A line of
prose in a document has at most 120 characters.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("apps", "blog_xtg", "deploy", "docs", "locale", "static/css", "static/js", "templates", "tests")
LONGEST_LINE = 120  # characters, of documents; ruff looks after Python
LEFT_OUT = {"node_modules", "migrations", "fixtures", "welcome", "__pycache__"}

_HEADLESS = re.compile(r"(?:Who|What|Whoever|Whatever)\b(?!.*\?)")
# Of scripts, styles, templates and configuration: where a comment begins, and its first words.
_COMMENTS = {
    ".js": re.compile(r"(?:^|\s)(?://|/\*\*?)\s*(\S.*)"),
    ".css": re.compile(r"/\*\s*(\S.*)"),
    ".html": re.compile(r"(?:\{#|<!--)\s*(\S.*)"),
}
_HASH = re.compile(r"(?:^|\s)#+\s+(\S.*)")
_HASHED = {".conf", ".toml", ".yml", ".yaml", ".sh", ".service", ".target", ".env", ".cnf", ".example", ""}


def faults(root: Path = ROOT) -> Iterator[str]:
    """Yield a line for each fault: where it is, and what is wrong."""
    for path in _files(root):
        name, text = str(path.relative_to(root)), path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".md":
            yield from (f"{name}:{number}: longer than {LONGEST_LINE} characters" for number in _long_lines(text))
        else:
            yield from (f"{name}:{number}: begins with {first}" for number, first in _headless(text, path.suffix))


def _files(root: Path) -> Iterator[Path]:
    inside = (path for folder in FOLDERS for path in sorted((root / folder).rglob("*")))
    for path in (*sorted(root.glob("*")), *inside):
        known = path.suffix in {".py", ".md", *_COMMENTS, *_HASHED}
        if path.is_file() and known and not LEFT_OUT.intersection(path.relative_to(root).parts):
            yield path


def _long_lines(text: str) -> Iterator[int]:
    """Yield the numbers of lines of prose that are too long; tables, code and bare links are not prose."""
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        is_prose = not (is_code or line.startswith("|")) and " " in line.strip()
        if is_prose and len(line) > LONGEST_LINE:
            yield number


def _headless(text: str, suffix: str) -> Iterator[tuple[int, str]]:
    comments = _in_python(text) if suffix == ".py" else _in_lines(text, _COMMENTS.get(suffix, _HASH))
    before = (-1, False)
    for number, said, is_block in comments:
        goes_on = is_block and before == (number - 1, True)  # the second line of a comment may begin with anything
        if not goes_on and (found := _HEADLESS.match(said)):
            yield number, found[0]
        before = number, is_block


def _in_python(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield line, words, and whether the comment has the line for itself."""
    for node in ast.walk(ast.parse(text)):
        has_docstring = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if has_docstring and (said := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), said, False
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#").strip(), not token.line[: token.start[1]].strip()


def _in_lines(text: str, comment: re.Pattern[str]) -> Iterator[tuple[int, str, bool]]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := comment.search(line):
            yield number, found[1], not line[: found.start()].strip()


if __name__ == "__main__":
    wrong = list(faults())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(bool(wrong))
