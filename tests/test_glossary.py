"""The words of the screens are those of docs/glossary.md, in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import messages, words

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = ROOT / "docs/glossary.md"

# Words that the glossary retires, as they stand in messages; `floor` has its number beside it: "#3".
RETIRED = re.compile(
    r"\b(?:letters?|answer(?:s|ed)?|pictures?|screen(?:s|ed)?|floor|e-mails?|robots?|colours?|plugins?|signature"
    r"|site identity|navbar)\b",
    re.IGNORECASE,
)
LETTER_OF_AN_ALPHABET = "A tag needs a letter or a digit."
# Messages that still hold one. Lower the number with every message that is mended; it never rises.
STILL_RETIRED = 66
RETIRED_CHINESE = re.compile("您|账户|机器人|屏蔽|侧栏插件|站点信息|签名|电子邮件|不列出")


def entries() -> Iterator[tuple[str, str]]:
    """Yield each message of the catalog with its Chinese, plural forms joined."""
    for block in messages.CATALOG.read_text(encoding="utf-8").split("\n\n"):
        fields: dict[str, str] = {}
        current = ""
        for line in block.splitlines():
            if entry := re.fullmatch(r'(?:(msg\w+(?:\[\d\])?) )?(".*")', line):
                current = entry[1] or current
                fields[current] = fields.get(current, "") + ast.literal_eval(entry[2])
        if fields.get("msgid"):
            yield fields["msgid"], " ".join(text for name, text in fields.items() if name.startswith("msgstr"))


def test_no_chinese_text_says_a_retired_word() -> None:
    faults = [f"{message!r}: {chinese}" for message, chinese in entries() if RETIRED_CHINESE.search(chinese)]
    assert faults == []


@pytest.mark.parametrize("name", ["README.zh-CN.md", "blog_xtg/welcome", "deploy/nginx"])
def test_no_chinese_document_is_stiff(name: str) -> None:
    files = [ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*.[mhc]*")
    assert [str(path) for path in files if "您" in path.read_text(encoding="utf-8")] == []


def test_labels_end_in_one_character() -> None:
    faults = [message for message, chinese in entries() if message.endswith("...") or chinese.endswith(("……", "..."))]
    assert faults == []


def test_fewer_and_fewer_messages_say_a_retired_word() -> None:
    found = [message for message, _chinese in entries() if RETIRED.search(message)]
    found = [message for message in found if message != LETTER_OF_AN_ALPHABET]
    assert len(found) <= STILL_RETIRED, "\n".join(found)


def test_every_message_written_in_the_sources_is_translated() -> None:
    assert messages.faults() == []


def test_the_glossary_has_each_term_once_in_both_languages() -> None:
    rows = [line.strip("|").split("|") for line in GLOSSARY.read_text(encoding="utf-8").splitlines()]
    terms = [[cell.strip() for cell in row] for row in rows if row[0].strip().isdigit()]
    assert [int(number) for number, *_rest in terms] == list(range(1, len(terms) + 1))
    assert all(english and chinese for _number, english, chinese, _retired in terms)
    assert len({english for _number, english, *_rest in terms}) == len(terms)


# -- Comments, docstrings and documents (tests/words.py) -----------------------------------------------------------


def found_in(folder: Path, name: str, text: str) -> list[str]:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return list(words.faults(folder))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("apps/a.py", '"""What is told."""\n'),
        ("apps/a.py", "def f():\n    '''Who asks.'''\n"),
        ("apps/a.py", "x = 1  # Whoever comes\n"),
        ("deploy/a.conf", "# What is kept.\n"),
        ("static/js/a.js", "// Whatever is typed is kept.\n"),
        ("static/css/a.css", "/* What was found. */\n"),
        ("templates/a.html", "{# What is shown #}\n"),
        ("docs/a.md", f"{'word ' * 25}\n"),
        ("README.md", f"- {'word ' * 25}\n"),
    ],
)
def test_the_check_of_words_sees(tmp_path: Path, name: str, text: str) -> None:
    assert len(found_in(tmp_path, name, text)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("apps/a.py", '"""Whether it is told."""\n# The one\n# What goes on is a line in the middle.\n'),
        ("apps/a.py", "text = '# What is no comment'\n"),
        ("docs/a.md", f"| {'word ' * 30}|\n\n```\n{'word ' * 30}\n```\n\n<https://{'a' * 150}>\n"),
        ("static/js/a.js", "const url = 'https://What';\n"),
    ],
)
def test_the_check_of_words_lets_pass(tmp_path: Path, name: str, text: str) -> None:
    assert found_in(tmp_path, name, text) == []
