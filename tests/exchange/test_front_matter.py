import os
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from apps.exchange.items import Failure, PostItem, Unreadable
from apps.exchange.readers import front_matter
from apps.exchange.readers.dates import read_date
from apps.exchange.readers.markdown_folder import read_folder
from apps.exchange.readers.text_files import decode

SHANGHAI = ZoneInfo("Asia/Shanghai")


def read_one(folder, text: str | bytes, name: str = "a.md") -> PostItem | Failure:
    return next(iter(read_folder(folder({name: text}), SHANGHAI)))


@pytest.mark.parametrize(
    ("text", "fields", "body_line"),
    [
        ("---\ntitle: x\n---\nBody", {"title": "x"}, 4),
        ("title: x\n---\nBody", {"title": "x"}, 3),
        ("title: x\ntags:\n- a\n\n- b\n---\n\nBody", {"title": "x", "tags": ["a", "b"]}, 7),
        (";;;\n\"title\": \"x\",\n;;;\nBody", {"title": "x"}, 4),
        ('"title": "x"\n;;;\nBody', {"title": "x"}, 3),
        ('{"title": "x"}\nBody', {"title": "x"}, 2),
        ('+++\ntitle = "x"\n+++\nBody', {"title": "x"}, 4),
        ("\n\n---\nTitle: x\n---\nBody", {"title": "x"}, 6),
        ("---\n---\nBody", {}, 3),
        ("---\ntitle: x\n...\nBody", {"title": "x"}, 4),
        ("---\nLast-Mod Date: x\n---\nBody", {"last_mod_date": "x"}, 4),
        ("---\ntitle: 1\ntitle: 2\n---\nBody", {"title": "2"}, 5),
        ("---\na: 404\nb: 1.10\nc: no\nd: 2020-01-01\ne: ~\nf: 'null'\ng:\n---\n",
         {"a": "404", "b": "1.10", "c": "no", "d": "2020-01-01", "e": None, "f": "null", "g": None}, 10),
        ("---\ntags:\n\t- a\n---\nBody", {"tags": ["a"]}, 5),
        ("---\na: &x [1]\nb: *x\nc: {<<: {k: v}, l: w}\n---\n", {"a": ["1"], "b": ["1"], "c": {"k": "v", "l": "w"}}, 6),
        ("---\na: !!python/object/apply:os.system [id]\n---\n", {"a": ["id"]}, 4),
    ],
)  # fmt: skip
def test_heads(text, fields, body_line):
    found = front_matter.split(text)
    assert found.present
    assert found.fields == fields
    assert found.body_line == body_line
    assert found.body.strip() in {"", "Body"}


@pytest.mark.parametrize(
    "text",
    [
        "Just text.",
        "",
        "---\n\nA rule, then text.\n\n---\n\nMore.",
        "Note: this is a heading\n---\n\nText",
        "{% note %}x{% endnote %}",
        "{{< figure >}}",
        "+++",
    ],
)
def test_no_head(text):
    found = front_matter.split(text)
    assert not found.present
    assert found.body == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\ntitle: a: b\n---\n", 2),
        ("---\ntitle: x\ntags: [a\n---\n", 3),
        ("\n---\ntitle: x\nt: 'y\n---\n", 4),
        ("---\ntitle: x\nBody", 1),
        ("---\na: \x01\n---\n", 2),
        ('{"title": }\n', 1),
        ('+++\ntitle = "x"\ndate =\n+++\n', 3),
        ("+++\ntitle = 1\n", 1),
        (';;;\n"a": 1,\n"b" 2\n;;;\n', 3),
        ("---\n" + "a: " + "[" * 5000 + "\n---\n", 2),
        ("---\n" + "a: " + "[" * 50 + "]" * 50 + "\n---\n", 2),
        ("---\na: &a [x,x,x,x,x,x,x,x,x]\n"
         + "".join(f"{y}: &{y} [{','.join(['*' + x] * 9)}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True))
         + "---\n", None),
        ("---\na: &a [*a]\n---\n", 2),
        ('---\na: "\\UFFFFFFFF"\n---\n', 2),
        ('{"a": ' + "[" * 100_000 + "\n", 1),
        ("+++\na = " + "[" * 100_000 + "\n+++\n", 2),
    ],
)  # fmt: skip
def test_broken_heads_name_their_line(text, line):
    with pytest.raises(Unreadable) as caught:
        front_matter.split(text)
    assert caught.value.line == line or line is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2018-7-24 23:31:06", datetime(2018, 7, 24, 23, 31, 6, tzinfo=SHANGHAI)),
        ("2018/7/24", datetime(2018, 7, 24, tzinfo=SHANGHAI)),
        ("2018.07.24 1:02", datetime(2018, 7, 24, 1, 2, tzinfo=SHANGHAI)),
        ("2018年7月24日 08:09", datetime(2018, 7, 24, 8, 9, tzinfo=SHANGHAI)),
        ("2018-07-24T23:31:06Z", datetime(2018, 7, 24, 23, 31, 6, tzinfo=UTC)),
        ("2018-07-24T23:31:06.5+08:00", datetime(2018, 7, 24, 15, 31, 6, 500000, tzinfo=UTC)),
        ("2018-07-24 23:31:06 -0330", datetime(2018, 7, 25, 3, 1, 6, tzinfo=UTC)),
        ("2018-07-24 11:31 PM", datetime(2018, 7, 24, 23, 31, tzinfo=SHANGHAI)),
        ("Tue, 24 Jul 2018 23:31:06 GMT", datetime(2018, 7, 24, 23, 31, 6, tzinfo=UTC)),
        ("1532475066", datetime(2018, 7, 24, 23, 31, 6, tzinfo=UTC)),
        (1532475066000, datetime(2018, 7, 24, 23, 31, 6, tzinfo=UTC)),
        (datetime(2018, 7, 24, tzinfo=timezone(timedelta(hours=1))), datetime(2018, 7, 23, 23, tzinfo=UTC)),
        (datetime(2018, 7, 24).date(), datetime(2018, 7, 24, tzinfo=SHANGHAI)),
    ],
)
def test_dates(value, expected):
    assert read_date(value, SHANGHAI) == expected


@pytest.mark.parametrize(
    "value", ["yesterday", "2018-13-01", "2018-02-30", "0001-01-01", "9999-12-31", "2018-01-01 25:00", "", True, 7, []]
)
def test_no_dates(value):
    with pytest.raises(ValueError, match="no date"):
        read_date(value, SHANGHAI)


def test_each_broken_file_is_named_with_its_line_and_the_rest_is_read(broken):
    found = {entry.origin: entry for entry in read_folder(broken, SHANGHAI)}
    assert isinstance(found.pop("good.md"), PostItem)
    assert {origin: (entry.line, entry.skipped) for origin, entry in found.items()} == {
        "date.md": (4, False),
        "json.md": (3, False),
        "latin1.md": (5, False),
        "map-title.md": (2, False),
        "nul.md": (2, False),
        "toml.md": (3, False),
        "unclosed.md": (1, False),
        "yaml.md": (2, False),
    }


def test_an_unreadable_file_is_its_own_failure():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for file, mode in (("a.md", 0), ("b.md", 0o644)):
            (root / file).write_text(f"# {file}")
            (root / file).chmod(mode)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root may read everything
        try:
            unreadable, readable = sorted(read_folder(root, SHANGHAI), key=lambda entry: entry.origin)
        finally:
            os.seteuid(user)
    assert isinstance(unreadable, Failure)
    assert "denied" in unreadable.reason
    assert isinstance(readable, PostItem)


def test_encodings(folder):
    with_mark = read_one(folder, "\ufefftitle: 标题\r\ndate: 2020-01-01\r\n---\r\n一\r\n二\r\n".encode())
    assert (with_mark.title, with_mark.body) == ("标题", "一\n二\n")
    chinese = read_one(folder, "---\ntitle: 数据库的故事\n---\n今天天气很好，我们去公园。\n".encode("gb18030"))
    assert chinese.title == "数据库的故事"
    assert chinese.warnings == ("not UTF-8, read as GB18030",)
    assert "UTF-16" in read_one(folder, "title".encode("utf-16")).reason
    with pytest.raises(Unreadable):
        decode("naïve café".encode("latin-1"))
    with pytest.raises(Unreadable, match="larger than"):
        decode(b"x" * (8 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("name", "text", "title", "body"),
    [
        ("a.md", "# The *title* of `it`\n\nText", "The *title* of it", "Text\n"),
        ("a.md", "Title\n=====\n\nText", "Title", "Text\n"),
        ("my-first_post.md", "Text\n\n# Later", "My first post", "Text\n\n# Later\n"),
        ("2020-01-02-my-post.md", "```\n# no\n```", "My post", "```\n# no\n```\n"),
        ("a.md", "---\ntitle: [Python]\n---\n# H", "[Python]", "# H\n"),
        ("a.md", "---\ntitle: 404\n---\n", "404", ""),
        ("a.md", "---\ntitle: >\n  two\n  lines\n---\n", "two lines", ""),
    ],
)
def test_titles(folder, name, text, title, body):
    item = read_one(folder, text, name)
    assert (item.title, item.body) == (title, body)


def test_the_date_of_a_file_without_one(folder):
    assert read_one(folder, "Text", "2020-01-02-x.md").published_at == datetime(2020, 1, 2, tzinfo=SHANGHAI)
    item = next(iter(read_folder(folder({"b.md": "Text"}, "other"), SHANGHAI)))
    assert not item.dated
    assert item.published_at is not None


@pytest.mark.parametrize(
    ("head", "tags"),
    [
        ("tags: one", ("one",)),
        ("tags: one two, three", ("one two", "three")),
        ("tags: 一、二，三", ("一", "二", "三")),
        ("tags: [a, 1, null, a, ' b ']", ("a", "1", "b")),
        ("tags: 7", ("7",)),
        ("tags:", ()),
        ("tag: x", ("x",)),
        ("tags: [[a, b], c]", ("a", "b", "c")),
        ("tags: {a: b}", ("a",)),
    ],
)
def test_tags(folder, head, tags):
    assert read_one(folder, f"---\n{head}\n---\n").tags == tags


@pytest.mark.parametrize(
    ("head", "paths"),
    [
        ("category: x", (("x",),)),
        ("categories: [a, b]", (("a", "b"),)),
        ("categories: [[a, b], [c], d]", (("a", "b"), ("c",), ("d",))),
        ("categories: {a: b, c: [d, e]}", (("a", "b"), ("c", "d", "e"))),
        ("categories:", ()),
    ],
)
def test_categories(folder, head, paths):
    assert read_one(folder, f"---\n{head}\n---\n").categories == paths


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("draft: true", "draft"),
        ("published: false", "draft"),
        ("published: true", "published"),
        ("draft: no", "published"),
        ("hidden: true", "unlisted"),
        ("layout: page", "published"),
    ],
)
def test_states(folder, head, status):
    assert read_one(folder, f"---\n{head}\n---\nText\n").status == status


@pytest.mark.parametrize(("head", "language"), [("lang: en", "en"), ("language: zh_CN", "zh-CN"), ("x: y", "")])
def test_languages(folder, head, language):
    assert read_one(folder, f"---\n{head}\n---\n").language == language
