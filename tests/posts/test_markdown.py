"""Posts and comments written in Markdown, as a reader sees them."""

import json
import re

import pytest

from apps.posts.rendering.comment_markdown import MAX_COMMENT_CHARACTERS, render_comment
from apps.posts.rendering.highlighting import read_info
from apps.posts.rendering.markdown import MAX_SOURCE_CHARACTERS, render


def _html(source: str) -> str:
    return render(source).html.strip()


# Text


def test_ordinary_markdown() -> None:
    assert _html("# A\n\ntext *em* **strong** `code`\n\n> q\n\n1. x\n2. y").split("\n", 1)[1] == (
        "<p>text <em>em</em> <strong>strong</strong> <code>code</code></p>\n"
        "<blockquote>\n<p>q</p>\n</blockquote>\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>"
    )


def test_html_of_the_author_is_kept_and_cleaned() -> None:
    assert _html("a <kbd>Ctrl</kbd> <script>x</script>") == "<p>a <kbd>Ctrl</kbd> </p>"


def test_strikethrough_takes_two_tildes() -> None:
    assert _html("~~gone~~ 3~5天，7~9天") == "<p><del>gone</del> 3~5天，7~9天</p>"


def test_a_table_scrolls_and_keeps_its_alignment() -> None:
    html = _html("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert html.startswith('<div class="table" tabindex="0"><table>')
    assert '<th class="center">a</th>' in html
    assert '<td class="right">2</td>' in html


def test_task_lists() -> None:
    html = _html("- [ ] open\n- [x] done\n- other")
    boxes = re.findall(r"<input[^>]*>", html)
    assert len(boxes) == 2
    assert all('type="checkbox"' in box and "disabled" in box for box in boxes)
    assert [("checked" in box) for box in boxes] == [False, True]
    assert 'class="contains-task-list"' in html


def test_footnotes_lead_there_and_back() -> None:
    html = _html("One[^a] two[^b] again[^a].\n\n[^b]: Second.\n[^a]: First.")
    assert '<a href="#fn-1" id="fnref-1">[1]</a>' in html
    assert '<li id="fn-1" class="footnote-item"><p>First.' in html
    assert '<a href="#fnref-1" class="footnote-backref">' in html
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets <= set(re.findall(r'id="([^"]+)"', html))


# Chinese, Japanese, Korean


@pytest.mark.parametrize(
    "source, strong",
    [
        ("**中文（强调）**文字", "中文（强调）"),
        ("前文**“引用”**后文", "“引用”"),
        ("这是**《书名》**。", "《书名》"),
        ("**重要：**请看", "重要："),
        ("**この文。**次の文", "この文。"),
        ("これは**「重要」**です", "「重要」"),
        ("**이 용어(This term)**를 강조", "이 용어(This term)"),
        ("我可以强调这个**`code`**吗", "<code>code</code>"),
        ("__中文（强调）__，文字", "中文（强调）"),
    ],
)
def test_emphasis_closes_next_to_chinese(source: str, strong: str) -> None:
    assert f"<strong>{strong}</strong>" in _html(source)


@pytest.mark.parametrize(
    "source, html",
    [
        ("~~旧（价）~~新", "<p><del>旧（价）</del>新</p>"),
        ('a**"b"**c', '<p>a**"b"**c</p>'),
        ("a * b * c", "<p>a * b * c</p>"),
        ("snake_case_name", "<p>snake_case_name</p>"),
        ("**bold**text", "<p><strong>bold</strong>text</p>"),
        ("***a** b*", "<p><em><strong>a</strong> b</em></p>"),
        ("🎉**(x)**y", "<p>🎉**(x)**y</p>"),  # an emoji is a symbol, and `y` a letter: nothing can close here
    ],
)
def test_emphasis_elsewhere_is_as_commonmark_says(source: str, html: str) -> None:
    assert _html(source) == html


# Links


@pytest.mark.parametrize(
    "source, address, rest",
    [
        ("见 https://example.com/a，后文", "https://example.com/a", "，后文"),
        ("见https://example.com。后文", "https://example.com", "。后文"),
        ("（https://example.com/a）", "https://example.com/a", "）"),
        ("“https://example.com/a”后", "https://example.com/a", "”后"),
        ("https://example.com/a后文", "https://example.com/a", "后文"),
        ("https://example.com访问", "https://example.com", "访问"),
        ("https://example.com/路径/页，后文", "https://example.com/路径/页", "，后文"),
        ("https://example.com/?q=词&p=1！", "https://example.com/?q=词&amp;p=1", "！"),
        ("https://example.com/a. Next", "https://example.com/a", ". Next"),
        ("(https://example.com/a_(b))", "https://example.com/a_(b)", ")"),
        ("**https://example.com/a**", "https://example.com/a", "</strong>"),
        ("HTTP://Example.com:8000/a?b=c#d, e", "HTTP://Example.com:8000/a?b=c#d", ", e"),
    ],
)
def test_bare_links_end_where_the_address_does(source: str, address: str, rest: str) -> None:
    assert f">{address}</a>{rest}" in _html(source)


@pytest.mark.parametrize(
    "source", ["README.md", "git@github.com:a/b.git", "xhttps://a.example", "https://", "`https://a.example`"]
)
def test_what_is_no_link(source: str) -> None:
    assert "<a " not in _html(source)


def test_an_address_in_the_text_of_a_link_is_no_second_link() -> None:
    html = _html("[见 https://a.example](https://b.example) <a href='/x'>https://c.example</a>")
    assert re.findall(r'href="([^"]+)"', html) == ["https://b.example", "/x"]


# Headings


def test_headings_have_ids_of_their_own_and_make_the_contents() -> None:
    rendered = render("# 安装 `pip`\n\n## 安装\n\n## 安装\n\n##### deep\n\n> ## quoted\n\n## $x^2$ & *more*\n\n# !!!")
    assert rendered.toc == [
        {"level": 1, "id": "h-安装-pip", "text": "安装 pip"},
        {"level": 2, "id": "h-安装", "text": "安装"},
        {"level": 2, "id": "h-安装-1", "text": "安装"},
        {"level": 2, "id": "h-x2-more", "text": "x^2 & more"},
        {"level": 1, "id": "h-section", "text": "!!!"},
    ]
    assert json.loads(json.dumps(rendered.toc)) == rendered.toc
    ids = re.findall(r'id="([^"]+)"', rendered.html)
    assert len(ids) == len(set(ids)) == 7
    assert '<a class="anchor" href="#h-安装-1"' in rendered.html
    assert rendered.text == "安装 pip 安装 安装 deep quoted x^2 & more !!!"


def test_a_numbered_twin_does_not_take_a_taken_id() -> None:
    assert [entry["id"] for entry in render("# a\n\n# a-1\n\n# a\n\n# a").toc] == ["h-a", "h-a-1", "h-a-2", "h-a-3"]


def test_a_link_by_the_plain_name_finds_the_heading() -> None:
    assert 'href="#h-安装"' in _html("[去](#安装)\n\n## 安装")


# Code


def test_code_is_coloured_by_classes() -> None:
    html = _html("```python\ndef f():\n    return '<b>'  # c\n```")
    assert html.startswith('<div class="code" data-lang="python"><pre class="highlight" tabindex="0">')
    assert '<code class="language-python"><span class="k">def</span> <span class="nf">f</span>' in html
    assert "&lt;b&gt;" in html
    assert '<span class="c"># c</span>' in html


@pytest.mark.parametrize(
    "info, language, title",
    [
        ("", "", ""),
        ("python", "python", ""),
        ('Python {1,3} title="x y.py"', "python", "x y.py"),
        ("python{1,3}", "python", ""),
        ("js:app.js", "js", "app.js"),
        (" plain", "plain", ""),
        ("{.rust .numberLines}", "rust", ""),
        ("c++", "c++", ""),
        ('title="only"', "", "only"),
        ('"><b>', "", ""),
    ],
)
def test_info_strings(info: str, language: str, title: str) -> None:
    assert read_info(info) == (language, title)
    assert "x = 1" in render(f"```{info}\nx = 1\n```").text


def test_code_of_no_known_language_is_plain() -> None:
    html = _html("```nosuchlang\na < b\n```")
    assert '<code class="language-nosuchlang">a &lt; b\n</code>' in html


def test_very_long_code_is_shown_without_colours() -> None:
    html = _html("```python\n" + "x = 1\n" * 20_000 + "```")
    assert "<span" not in html
    assert html.count("x = 1") == 20_000


def test_code_keeps_its_blank_lines_and_indents() -> None:
    assert "\n\n    a\n\n</code>" in _html("```python\n\n    a\n\n```").replace('<code class="language-python">', "\n")


def test_diagrams_are_left_to_the_browser() -> None:
    assert _html("```mermaid\ngraph TD; A-->B\n```") == ('<pre class="mermaid"><code>graph TD; A--&gt;B\n</code></pre>')


# Formulas


def test_inline_and_display_formulas() -> None:
    html = _html(r"设 $x < y$，则" + "\n\n$$\n\\frac{a}{b}\n$$\n\n```math\nz^2\n```")
    assert 'display="inline" alttext="x &lt; y"' in html
    assert "<mo>&lt;</mo>" in html
    assert '<div class="math"><math display="block" alttext="\\frac{a}{b}">' in html
    assert "<msup><mi>z</mi><mn>2</mn></msup>" in html


def test_aligned_equations_become_a_table() -> None:
    html = _html("$$\n\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}\n$$")
    assert html.count("<mtr>") == 2
    assert "<mi>&amp;</mi>" not in html


@pytest.mark.parametrize(
    "text",
    ["$5 and $10", "100$和200$", "a $ b $ c", "costs $20, or $30", r"\$x\$", "$", "$$", "$x", "echo $HOME and $PATH"],
)
def test_dollars_that_are_no_formula(text: str) -> None:
    html = _html(text)
    assert "<math" not in html
    assert html == f"<p>{text.replace(chr(92), '')}</p>"


def test_a_formula_at_the_start_of_a_line_ending_in_a_digit() -> None:
    assert "<math" in _html("$x$ is 5")


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac",
        "{" * 500,
        r"\begin{matrix} a",
        r"\def\a{\b\b}\a",
        "x" * 1999 + r"\frac",
        "_" * 1000,
        r"\left( x",
        "a^b^c",
    ],
)
def test_a_formula_that_cannot_be_set_shows_its_source(latex: str) -> None:
    assert f'<code class="math-error">{latex}</code>' in _html(f"$${latex}$$")


# Images


def test_images_load_late() -> None:
    assert _html("a ![*alt*](/a.png)") == '<p>a <img loading="lazy" decoding="async" src="/a.png" alt="alt"></p>'


def test_a_lone_image_with_a_title_is_a_figure() -> None:
    assert _html('![alt](/a.png "A <b> title")') == (
        '<figure><img loading="lazy" decoding="async" src="/a.png" alt="alt">'
        "<figcaption>A &lt;b&gt; title</figcaption></figure>"
    )
    assert "<figure>" not in _html("![alt](/a.png)")
    assert "<figure>" not in _html('text ![alt](/a.png "t")')


# Plain text and excerpt


def test_words_of_neighbouring_blocks_are_not_glued() -> None:
    rendered = render(
        "# One\ntwo\n\n- three\n- four\n\n|five|six|\n|-|-|\n|seven|eight|\n\nnine  \nten\n\n> eleven\n\n"
        "<p>twelve</p><p>thirteen</p><dl><dt>a</dt><dd>b</dd></dl>"
    )
    assert rendered.text == "One two three four five six seven eight nine ten eleven twelve thirteen a b"


def test_words_are_not_torn_by_markup() -> None:
    assert render("中**文**字 w<b>or</b>d &amp; &lt;b&gt;").text == "中文字 word & <b>"


def test_the_text_holds_formulas_by_their_source_and_no_diagram_or_mark() -> None:
    text = render(
        "设 $x^2$ 为[^1]\n\n$$\\frac$$\n\n```mermaid\ngraph\n```\n\n<ruby>漢<rt>かん</rt></ruby>\n\n[^1]: 注"
    ).text
    assert text == "设 x^2 为 \\frac 漢 注"


def test_the_excerpt_counts_a_chinese_character_as_one() -> None:
    assert render("字" * 120).excerpt == "字" * 120
    assert render("字" * 121).excerpt == "字" * 120 + "…"


def test_the_excerpt_does_not_end_within_a_word() -> None:
    excerpt = render("internationalization " * 10).excerpt
    assert excerpt == "internationalization " * 4 + "internationalization…"
    assert render("a" * 200).excerpt == "a" * 120 + "…"


def test_the_excerpt_does_not_cut_an_emoji() -> None:
    family = "👩‍👩‍👧‍👦"
    assert render("字" * 119 + family + "后").excerpt == "字" * 119 + family + "…"
    assert render("字" * 119 + "🇨🇳🇯🇵").excerpt == "字" * 119 + "🇨🇳…"
    assert render("字" * 119 + "👍🏽后").excerpt == "字" * 119 + "👍🏽…"
    assert render("字" * 119 + "e\u0301后").excerpt == "字" * 119 + "e\u0301…"


@pytest.mark.parametrize("more", ["<!-- more -->", "<!--more-->", "  <!-- MORE -->  "])
def test_the_author_says_where_the_excerpt_ends(more: str) -> None:
    rendered = render(f"# Title\n\nBefore **it**.\n{more}\nAfter.\n\n<!-- more -->\n\nEnd.")
    assert rendered.excerpt == "Title Before it."
    assert rendered.text == "Title Before it. After. End."
    assert "more" not in rendered.html.lower()
    assert "<p>Before <strong>it</strong>.</p>" in rendered.html


def test_the_authors_excerpt_is_bounded() -> None:
    assert render("字" * 500 + "\n\n<!-- more -->\n\n后").excerpt == "字" * 400 + "…"


def test_more_at_the_very_top_says_nothing() -> None:
    assert render("<!-- more -->\n\nText.").excerpt == "Text."


def test_more_in_code_is_code() -> None:
    rendered = render("a\n\n```html\n<!-- more -->\n```\n\nb")
    assert "more" in rendered.html
    assert rendered.excerpt == "a <!-- more --> b"


def test_nothing_is_nothing() -> None:
    rendered = render("")
    assert (rendered.html, rendered.toc, rendered.text, rendered.excerpt) == ("", [], "", "")


# Comments


def test_a_comment_says_what_it_may() -> None:
    assert render_comment("*a* **b** `d`\nnext https://a.example，后\n\n> q\n\n- x\n\n```py\n1 < 2\n```") == (
        "<p><em>a</em> <strong>b</strong> <code>d</code><br>\n"
        'next <a href="https://a.example" rel="nofollow ugc noopener">https://a.example</a>，后</p>\n'
        "<blockquote>\n<p>q</p>\n</blockquote>\n<ul>\n<li>x</li>\n</ul>\n<pre><code>1 &lt; 2\n</code></pre>\n"
    )


@pytest.mark.parametrize(
    "typed", ["~~x~~", "x\n===", "<b>x</b>", "<script>x</script>", "| a |\n|---|", "---", "$x$", "[^1]"]
)
def test_a_comment_shows_the_rest_as_typed(typed: str) -> None:
    html = render_comment(typed)
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "br"}
    shown = re.sub(r"<[^>]+>", "", html).replace("&lt;", "<").replace("&gt;", ">")
    assert shown.split() == typed.split()


def test_a_comment_holds_no_image() -> None:
    assert "<img" not in render_comment("![x](https://a.example/x.png) <img src=x>")
    link = '<a href="https://a.example/x.png" rel="nofollow ugc noopener">%s</a>'
    assert render_comment("![a *cat*](https://a.example/x.png)") == f"<p>{link % 'a cat'}</p>\n"
    assert render_comment("![](https://a.example/x.png)") == f"<p>{link % 'https://a.example/x.png'}</p>\n"
    assert render_comment("[![a cat](x.png)](https://a.example/x.png)") == f"<p>{link % 'a cat'}</p>\n"
    assert render_comment("![a cat](data:image/png;base64,xx)") == "<p>a cat</p>\n"


def test_a_heading_in_a_comment_is_a_bold_paragraph() -> None:
    assert render_comment("# x\n## *y*\n####### z") == (
        "<p><strong>x</strong></p>\n<p><strong><em>y</em></strong></p>\n<p>####### z</p>\n"
    )
    assert render_comment("#") == "<p><strong>#</strong></p>\n"


@pytest.mark.parametrize("mark", [">" * 1000, "> " * 1000, "- " * 1000, "> - " * 500])
def test_a_comment_nested_too_deep_loses_no_word(mark: str) -> None:
    assert render_comment(f"{mark}words").endswith("words</p>")


@pytest.mark.parametrize("typed", ["\u202eabc\u2066", "&#x202e;abc&#8294;", "[\u202eabc](https://a.example)"])
def test_a_comment_turns_no_line_around(typed: str) -> None:
    html = render_comment(typed)
    assert "abc" in html and not re.search("[\u202a-\u202e\u2066-\u2069]", html)


def test_what_cannot_be_seen_makes_no_flood() -> None:
    assert render_comment("a\u200b" * 3_000) == f"<p>{'a' * 3_000}</p>\n"
    assert render_comment("\u200b\n\u2800\n" * 2_000 + "a") == "<p>a</p>\n"
    assert len(render_comment("a" + "\u0301" * 5_000)) < 30
    assert len(render_comment("a" + "&#x301;" * 1_000)) < 30
    for fine in (
        "👩\u200d👩\u200d👧",
        "می\u200cخواهم",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "x̂̃",
    ):
        assert fine in render_comment(fine)


def test_an_overlong_comment_is_shown_as_typed() -> None:
    html = render_comment("*a*\n" * MAX_COMMENT_CHARACTERS)
    assert html.startswith("<p>*a*<br>*a*<br>")


# Any input

HOSTILE = {
    "quotes": ">" * 10_000,
    "brackets": "[" * 100_000,
    "links": "[a](" * 25_000,
    "images": "![" * 50_000,
    "stars": "*" * 100_000,
    "openers": "*a **b " * 15_000,
    "closers": "a** " * 25_000,
    "mixed": "*_" * 50_000,
    "dollar": "$" * 99_999,
    "dollars": "$a " * 30_000,
    "display": "$$x\n" * 25_000,
    "formulas": " ".join(f"$a_{{{n}}}$" for n in range(10_000)),
    "deep list": "\n".join("  " * n + "- x" for n in range(300)),
    "list line": "- " * 10_000,
    "backticks": "`" * 100_000,
    "fences": "```\n" * 25_000,
    "tags": "<a " * 30_000,
    "divs": "<div>" * 20_000,
    "comments": "<!-- " * 20_000,
    "schemes": "http://" * 15_000,
    "parentheses": "http://a.b/" + "(" * 50_000 + ")" * 50_000,
    "footnote": "[^a]: x\n\n" + "[^" * 50_000,
    "footnotes": "[^a]: " * 15_000,
    "definitions": "[a]: <\n" * 15_000,
    "table": "|a" * 20_000 + "\n" + "|-" * 20_000 + "\n|x",
    "tables": ("|a" * 100 + "\n" + "|-" * 100 + "\n" + "|x\n" * 500 + "\n") * 50,
    "bracket paragraphs": ("![" * 2_200 + "\n\n") * 20,
    "headings": "# a\n" * 25_000,
    "slow lexer": "```perl\n" + "m{(\n" * 24_000 + "```",
    "nul": "\x00" * 100_000,
    "accents": "a" + "\u0301" * 100_000,
    "lone surrogates": "\ud800\udfff" * 10_000,
    "noncharacters": "\ufdd0\ufffe" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources_are_rendered(name: str) -> None:
    rendered = render(HOSTILE[name])
    assert len(rendered.excerpt) < 5_000
    rendered.html.encode()
    rendered.text.encode()
    render_comment(HOSTILE[name][:MAX_COMMENT_CHARACTERS]).encode()


def test_line_ends_and_nul() -> None:
    assert _html("a\r\nb\rc") == "<p>a\nb\nc</p>"
    assert _html("a\x00b\x08c\x0cd") == "<p>a\ufffdbc d</p>"


def test_a_paragraph_without_end_keeps_its_words() -> None:
    assert render("*word* " * 20_000).text.count("word") == 20_000


def test_a_paragraph_of_many_links_keeps_them() -> None:
    assert render("[tag](/tag/x/) " * 1_000).html.count("<a ") == 1_000


def test_a_long_table_keeps_its_rows() -> None:
    assert render("|a|b|\n|-|-|\n" + "|1|2|\n" * 5_000).html.count("<tr>") == 5_001


def test_a_source_without_end_is_shown_as_typed() -> None:
    rendered = render("*a* <b>\n" * (MAX_SOURCE_CHARACTERS // 8 + 1))
    assert rendered.html.startswith("<pre>*a* &lt;b&gt;\n")
    assert rendered.excerpt.startswith("*a* <b> *a*")


def test_the_same_source_renders_the_same() -> None:
    source = '![a](/b.png "c")\n\n<video src="/v.mp4"></video>\n\n- [x] d\n\n$x$'
    assert len({render(source).html for _ in range(10)}) == 1
