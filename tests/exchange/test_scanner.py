import time

import pytest

from apps.exchange.readers.scanner import tokens


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, text[token.start : token.end]) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a `b` c", ["`b`"]),
        ("a ``b ` c`` d", ["``b ` c``"]),
        ("a ` b", []),
        ("a `b\n\nc` d", []),
        (r"a \`b` c", []),
        ("```\nx\n```\ny", ["```\nx\n```"]),
        ("~~~ js\nx\n```\n~~~~\ny", ["~~~ js\nx\n```\n~~~~"]),
        ("````\n```\n````\ny", ["````\n```\n````"]),
        ("> ```\n> x\n> ```\ny", ["> ```\n> x\n> ```"]),
        ("- ```\n  x\n  ```\ny", ["- ```\n  x\n  ```"]),
        ("```\nnever closed", ["```\nnever closed"]),
        ("<!-- {% x %} --> y", ["<!-- {% x %} -->"]),
        ("a\n\n    code\n\n    more\n\nb", ["\n    code\n\n    more\n"]),
        ("- item\n\n    continued `x`\n", ["`x`"]),
        ("a\n    lazy `x`", ["`x`"]),
    ],
)
def test_code(text, code):
    assert [part for kind, part in kinds(text) if kind == "code"] == code
    assert "".join(part for _kind, part in kinds(text)) == text


@pytest.mark.parametrize(
    "text",
    ["`" * 200_000, "` `` " * 50_000, "{% " * 100_000, "{% quote %}" * 3_000, "<!--" * 2_000, "[" * 200_000,
     "    x\n\n" * 50_000, "- a\n\n    b\n" * 30_000, "{{< " * 50_000, "```\n" * 50_001],
)  # fmt: skip
def test_hostile_texts_take_little_time(text):
    started = time.thread_time()
    assert "".join(part for _kind, part in kinds(text)) == text
    assert time.thread_time() - started < 5
