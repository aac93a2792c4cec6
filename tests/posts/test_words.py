"""No word a writer typed is lost: it is kept as an element, shown as typed, or named as left out."""

import random
import re
from html import unescape
from time import process_time

import pytest
from django.utils.translation import override

from apps.posts.rendering.left_out import MAX_KINDS, in_words
from apps.posts.rendering.markdown import Rendered, render
from apps.posts.rendering.raw_html import left_out_of


def _shown(rendered: Rendered) -> str:
    """Return the text that a reader sees, images by their alternative text."""
    spoken = re.sub(r'<img[^>]* alt="([^"]*)"[^>]*>', r"\1", rendered.html)
    return unescape(re.sub(r"<[a-z/][^>]*>", "", spoken))


def _left_out(source: str) -> list[str]:
    with override("en"):
        return [str(one) for one in render(source).left_out]


# Angle brackets

NAMED = [
    *(
        "<title>",
        "<script>",
        "<select>",
        "<path>",
        "<head>",
        "<iframe>",
        "<style>",
        "<template>",
        "<textarea>",
        "<xmp>",
    ),
    *(
        "<noscript>",
        "<plaintext>",
        "<svg>",
        "<math>",
        "<mi>",
        "<ms>",
        "<none>",
        "<annotation-xml>",
        "<object>",
        "<embed>",
    ),
    *("</div>", "</script>", "<!DOCTYPE html>", "<![CDATA[ x ]]>", "<?xml version='1.0'?>", "<my-element>", "<TITLE>"),
    *("List<String>", "Map<String, Object>", "vector<int>", "vector<a>", "Foo<i>", "map<a, b>", "<T extends Base>"),
    *(
        "<T>泛型</T>",
        "List<? super T>",
        "<file>",
        "<Table columns={x} />",
        "<Details>",
        '<iframe src="https://a.example">',
    ),
    *(
        "<b>",
        "<div>",
        "<table>",
        "<td>",
        "<li>",
        "<p>",
        "<video>",
        "<img>",
        "<source>",
        "<input>",
        "<pre>",
        "<a>",
        "<h1>",
    ),
    *("<!-- 没有结束", '<a href="没有结束>', "<div> 和 </div>", "<head>和</head>", "<script> 与 </script>", "<b></b>"),
    *("<style></style>", "<button>按</button>", "a <- b", "a < b && c > d", "<3", "<=>", "cat <<EOF"),
]
PLACES = {
    "prose": "前 %s 后",
    "beginning": "%s 前后",
    "within a paragraph": "上一行\n%s 前后\n下一行",
    "list": "- %s 前后\n- 二",
    "heading": "# 前 %s 后",
    "link": "[前 %s 后](/u)",
    "emphasis": "**前 %s 后**",
    "quotation": "> %s 前后",
    "footnote": "x[^1]\n\n[^1]: 前 %s 后",
    "table": "| 前 %s 后 | b |\n|-|-|\n| c | d |",
    "HTML block": "<div>\n前 %s 后\n</div>",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("typed", NAMED)
def test_what_stands_in_angle_brackets_is_shown_as_typed(typed: str, place: str) -> None:
    if place == "HTML block" and typed in ("<p>", "<b></b>"):
        return  # there these are HTML
    rendered = render(PLACES[place] % typed + "\n\n## 第二节\n\n后面的每一段都在。")
    for text in (_shown(rendered), rendered.text):
        assert typed in text
        assert "后面的每一段都在。" in text
        assert "第二节" in text
    assert rendered.toc[-1]["text"] == "第二节"
    assert "前" in rendered.excerpt
    assert not rendered.left_out
    if place == "heading":
        assert rendered.toc[0]["text"] == f"前 {typed} 后"


def test_markdown_beside_a_name_in_a_list_is_markdown() -> None:
    html = render("- <div> 是**块级**\n- <span> 是`行内`").html
    assert "<li>&lt;div&gt; 是<strong>块级</strong></li>" in html
    assert "<li>&lt;span&gt; 是<code>行内</code></li>" in html


@pytest.mark.parametrize(
    "source, html",
    [
        ("H<sub>2</sub>O <B>b</B> a<br/>b", "<p>H<sub>2</sub>O <b>b</b> a<br>b</p>"),
        ("<b><i>x</b></i>", "<p><b><i>x</i></b></p>"),
        ('<a name="x"/>y', '<p><a name="h-x" rel="noopener"></a>y</p>'),
        ('<a title="a>b" href="/u">y</a>', '<p><a title="a&gt;b" href="/u" rel="noopener">y</a></p>'),
        ("甲<b>或</b>乙", "<p>甲<b>或</b>乙</p>"),
        ("<ul><li>一<li>二</ul>", "<ul><li>一</li><li>二</li></ul>"),
        ("<dl><dt>a<dd>b</dl>", "<dl><dt>a</dt><dd>b</dd></dl>"),
        ("<ruby>漢<rt>かん</ruby>", "<p><ruby>漢<rt>かん</rt></ruby></p>"),
        ("<div><p>一<p>二</div>", "<div><p>一</p><p>二</p></div>"),
        ("<pre>\nvector<int> v;\n\n<b>x</b>\n</pre>", "<pre>vector&lt;int&gt; v;\n\n<b>x</b>\n</pre>"),
        ("<table>\n<tr><td>a\n\n<tr><td>b\n</table>", "<table>\n<tbody><tr><td>a\n</td></tr><tr><td>b\n</td></tr></tbody></table>"),
        ("<picture><source srcset=x><img src=/a.png></picture>", '<p><img loading="lazy" decoding="async" src="/a.png"></p>'),
        ("<math><mi>x</mi><annotation encoding=t>x</annotation></math>", "<p><math><mi>x</mi></math></p>"),
    ],
)  # fmt: skip
def test_what_is_html_stays_html(source: str, html: str) -> None:
    assert render(source).html.strip() == html


@pytest.mark.parametrize("indent", ["", "  "])
def test_an_element_may_reach_over_markdown_within_its_container(indent: str) -> None:
    source = "<details>\n<summary>标题 <T></summary>\n\n**内** List<String>\n\n</details>"
    html = render(("- " if indent else "") + source.replace("\n", "\n" + indent)).html
    assert (
        "<details>\n<summary>标题 &lt;T&gt;</summary>\n<p><strong>内</strong> List&lt;String&gt;</p>\n</details>"
        in html
    )


def test_an_element_that_a_list_item_leaves_open_is_text() -> None:
    assert "<div>" not in render("- <div> a\n\nb\n\n</div>").html


def test_comments_say_nothing() -> None:
    rendered = render("a <!-- x --> b\n\n<!-- y\n\nz -->\n\nc")
    assert rendered.text == "a b c" and "--" not in rendered.html and not rendered.left_out


def test_more_within_a_line_ends_the_excerpt() -> None:
    rendered = render("导语。<!--more--> 后面。\n\n再后面。")
    assert (rendered.excerpt, rendered.text) == ("导语。", "导语。 后面。 再后面。")


def test_a_name_without_an_end_does_not_stop_bare_links() -> None:
    assert 'href="https://a.example"' in render("<a> 见 https://a.example").html


# Any mix

_NAMES = (
    "title script select path vector div span b i a p table td li ul details summary iframe style template textarea xmp"
    " noscript plaintext svg math mi object embed T String file head body font center br hr img input source video pre"
    " h1 option form noembed ruby rt my-tag Table annotation-xml"
).split()
_MARKS = (
    "$ $$ 中 文 ， < & { } ( = \\ / <! <? ]]> <![CDATA[ --> $a 1$ \n * ** _ ~~ [ ] ![ ](u) ` ^ ' \" ; ” ?> | <!DOCTYPE"
).split(" ")


class _Mix:
    """A random text, and the words that stand outside of its tags."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0
        self.source = "\n\n".join(self._block() for _ in range(self._random.randint(1, 6)))
        self.words = re.findall(r"w\d+q", self.source)

    def _word(self) -> str:
        self._count += 1
        return f"w{self._count}q"

    def _tag(self) -> str:
        name = self._random.choice(_NAMES)
        ways = ["<{}>"] * 4 + ["</{}>"] * 3 + ["<{} x>", "<{} a='1' b=\">\">", "<{}/>", "<{}", "&lt;{}>", "<{0}, {0}>"]
        return self._random.choice([*ways, "<{0}<{0}>>"]).format(name)

    def _line(self) -> str:
        makers = [self._word] * 9 + [self._tag] * 6 + [lambda: self._random.choice(_MARKS)] * 5
        return "".join(
            self._random.choice(makers)() + self._random.choice(["", " "]) for _ in range(self._random.randint(1, 9))
        )

    def _block(self) -> str:
        line = self._line()
        flat = line.replace("\n", " ").replace("|", "")
        return self._random.choice(
            [line, f"## {flat}", f"- {line}\n- {self._line()}", "> " + line.replace("\n", "\n> ")]
            + [f"|{flat}|b|\n|-|-|\n|c|d|", f"{self._tag()}\n{line}", f"1. x\n\n   {self._tag()}{flat}"]
        )


@pytest.mark.parametrize("start", range(0, 1000, 100))
def test_every_word_of_any_mix_is_there(start: int) -> None:
    for seed in range(start, start + 100):
        mix = _Mix(seed)
        rendered = render(mix.source)
        if not rendered.left_out:
            shown = _shown(rendered)
            assert [word for word in mix.words if word not in shown] == [], mix.source


# Elements left out are named


@pytest.mark.parametrize(
    "source, named",
    [
        ('<iframe src="//player.bilibili.com/player.html?bvid=1" width="6"></iframe>', "<iframe> of player.bilibili.com"),
        ("前 <script>alert(1)</script> 后", "<script>"),
        ("<script>\nvar a = '<b>';\n\nalert(a)\n</script>", "<script>"),
        ("<style>.a{}\n\n.b{}</style>", "<style>"),
        ('<svg width="1"><path d="M0"/>\n\n<circle/></svg>', "<svg>"),
        ('<object data="https://a.example/x.swf"></object>', "<object> of a.example"),
        ('<font color="red">x</font>', "<font>"),
        ("<center>x</center>", "<center>"),
        ('<span style="color:red">x</span>', "style=…"),
        ('<img src="/a.png" onclick="x()">', "onclick=…"),
        ('<div align="center">\n\nx\n\n</div>', "align=…"),
        ("![x](data:image/png;base64,AAAA)", "data:…"),
        ('<img src="data:image/png;base64,AAAA" alt="x">', "data:…"),
        ("[x](magnet:?xt=1)", "magnet:…"),
    ],
)  # fmt: skip
def test_what_is_left_out_is_named(source: str, named: str) -> None:
    rendered = render(f"前\n\n{source}\n\n后")
    assert _left_out(f"前\n\n{source}\n\n后") == [named]
    assert rendered.text.startswith("前") and rendered.text.endswith("后")
    assert "alert" not in rendered.html and "base64" not in rendered.html


def test_what_is_left_out_is_counted_and_bounded() -> None:
    assert _left_out("<script>x</script> <script>y</script>") == ["<script> (2×)"]
    many = render(" ".join(f"<b on{n}=1>x</b>" for n in range(500))).left_out
    assert len(many) == MAX_KINDS + 1 and sum(one.count for one in many) == 500
    assert in_words([]) == ""
    with override("zh-hans"):
        words = in_words(render("<iframe src=//a.example></iframe> <iframe src=//a.example></iframe>").left_out)
    assert words == "页面上不会显示：a.example 的 <iframe>（2 处）"


@pytest.mark.parametrize("line", ["<div>\n", "word\n"])
def test_lines_that_go_on_with_many_quotations_take_no_long_time(line: str) -> None:
    lines = 100_000 // len(line)
    started = process_time()
    rendered = render("> " * 25 + line * lines)
    assert process_time() - started < 3
    assert rendered.text.count(line.strip()) == lines


def test_a_quotation_in_a_quotation_goes_on_without_its_marks() -> None:
    assert render("> > a\nb\nc").html == "<blockquote>\n<blockquote>\n<p>a\nb\nc</p>\n</blockquote>\n</blockquote>\n"


def test_a_picture_in_the_text_itself_is_its_words_however_large() -> None:
    rendered = render("前\n\n![字](data:image/png;base64," + "A" * 300_000 + ")\n\n后")
    assert rendered.html == "<p>前</p>\n<p>字</p>\n<p>后</p>\n"
    assert len(rendered.left_out) == 1


def test_what_a_fragment_loses_is_named() -> None:
    html = '<p onclick="x">a</p><iframe src="https://a.example/x"></iframe><blink>b</blink>'
    assert [one.what for one in left_out_of(html)] == ["onclick=…", "<iframe>", "<blink>"]
    assert left_out_of('<p class="x">a <b>b</b><br></p>') == []


def test_html_that_is_hostile_takes_no_long_time() -> None:
    units = [
        "<script>\n",
        "<script>x ",
        "<iframe a>\n\n",
        "<div>\n\n",
        "<!-- \n\n",
        "<? \n\n",
        "<b>",
        "![<b>](x) <script> ",
    ]
    for unit in units:
        for end in ("", "</script></iframe></div> x"):
            started = process_time()
            render(unit * (20_000 // len(unit)) + end)
            assert process_time() - started < 5


# Formulas


@pytest.mark.parametrize(
    "text",
    [
        "把 $HOME和$PATH 都写进配置",
        "Set $LLM_KEY/$LLM_URL before you start",
        "PHP 里 $a和$b 是两个变量",
        "=SUM($A$1:$B$10) $A$1",
        "$5 和 $10，$5到$10，US$5和US$10，100$到$ 200",
        "${HOME}和${PATH}，${X}/bin:$PATH",
        "$(pwd)/$(date) $HOME$(date)",
        "$1和$2，$@和$#，$?/$!，$<和$^",
        "$a = $b; $a=$b; $x=1;$y=2;",
        '"$a.$b" $this->a($b, $c) $_GET["a"].$_POST["b"] "$a$b"',
        "PATH=$PATH:/a/b:$HOME/bin $USER:$GROUP $USER@$HOST",
        "$$ 是当前进程号，父进程号用 $$",
        "$$HOME and $$PATH; echo $$; kill $$",
        '$("#a")和$(".b") $scope和$http',
        "$速度$",
    ],
)
def test_variables_and_prices_are_text(text: str) -> None:
    rendered = render(text)
    assert (rendered.html, rendered.text) == (f"<p>{_escaped(text)}</p>\n", text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_code_spans_bind_tighter_than_dollars() -> None:
    assert render("`a $x` b$ 和 $y `z$` c").html == "<p><code>a $x</code> b$ 和 $y <code>z$</code> c</p>\n"


@pytest.mark.parametrize(
    "source, formulas",
    [
        ("当$x$时，函数$f(x)=x^2$，令$n=$ 5", ["x", "f(x)=x^2", "n="]),
        (r"$\alpha$和$\beta$，$S_{阴影}$，$速度=路程/时间$", [r"\alpha", r"\beta", "S_{阴影}", "速度=路程/时间"]),
        (r"the $n$th, $k$NN, $\theta$s, $x$(注), $i$-th", ["n", "k", r"\theta", "x", "i"]),
        (r"$(x, y)$ $\{1,2\}$，$-1$，$|x|$，$a<b$且$b>c$", ["(x, y)", r"\{1,2\}", "-1", "|x|", "a<b", "b>c"]),
        (r"$O(n\log n)$算法，$100$元，$10^5$个", [r"O(n\log n)", "100", "10^5"]),
        ("$$x$$ 与 $$\ny=1\n$$", ["x", "y=1"]),
        ("$$\ny=1\n$$", ["y=1"]),
    ],
)
def test_formulas_are_formulas(source: str, formulas: list[str]) -> None:
    rendered = render(source)
    assert [unescape(found).strip() for found in re.findall(r'alttext="([^"]*)"', rendered.html)] == formulas
    for formula in formulas:
        assert formula in rendered.text and formula in rendered.excerpt


# Line ends


@pytest.mark.parametrize(
    "source, text",
    [
        ("中文\n中文", "中文中文"),
        ("中文，\n“引”\n中", "中文，“引”中"),
        ("**中**\n文 [链\n接](u)\n*尾*", "中文 链接尾"),
        ("ひら\nカナ\n漢字。\n「引」", "ひらカナ漢字。「引」"),
        ("中文\nword\n中文", "中文 word 中文"),
        ("one\ntwo", "one two"),
        ("한국어\n한국어", "한국어 한국어"),
        ("🎉\n中", "🎉 中"),
        ("`码`\n中", "码中"),
        ("> 中\n文", "中文"),
        ("<div>中\n文</div>", "中文"),
    ],
)
def test_a_line_end_between_chinese_characters_leaves_nothing(source: str, text: str) -> None:
    rendered = render(source)
    assert (rendered.text, rendered.excerpt) == (text, text)
    # The HTML has no characters elsewhere either that a browser would show as a space.
    assert " ".join(_shown(rendered).split()) == text


def test_a_line_end_in_a_heading_and_a_footnote_leaves_nothing() -> None:
    rendered = render("标\n题\n===\n\n正[^1]\n文\n\n[^1]: 脚\n    注")
    assert rendered.toc[0]["text"] == "标题"
    assert rendered.text == "标题 正文 脚注"


def test_a_hard_line_end_stays() -> None:
    assert "<br>" in render("中  \n文").html and render("中  \n文").text == "中 文"


def test_lines_of_code_stay() -> None:
    assert "中\n文" in render("```\n中\n文\n```").html
    assert "中\n文" in render("<pre>\n中\n文\n</pre>").html
