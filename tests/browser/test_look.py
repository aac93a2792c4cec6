"""The additions of scripts to a page, and the colours the reader chose."""

import pytest

from tests.services import BROWSER

ENGLISH = {"language": "en", "user_agent": BROWSER}
SHOWCASE = "/article/2/"
PAPER = "() => getComputedStyle(document.body).backgroundColor"


@pytest.mark.page(**ENGLISH, color_scheme="light")
def test_the_toggle_is_remembered_and_the_first_paint_is_right(page) -> None:
    page.goto("/")
    light = page.evaluate(PAPER)
    page.get_by_role("button", name="Dark mode").click()
    dark = page.evaluate(PAPER)
    assert light != dark
    page.goto(SHOWCASE, wait_until="commit")
    page.locator("main").wait_for()
    assert page.evaluate(PAPER) == dark
    page.get_by_role("button", name="Dark mode").click()
    assert page.evaluate(PAPER) == light


@pytest.mark.page(**ENGLISH, color_scheme="dark")
def test_the_system_decides_until_the_reader_does(page) -> None:
    page.goto("/")
    red, green, blue = (int(part) for part in page.evaluate(PAPER)[4:-1].split(","))
    assert max(red, green, blue) < 64


@pytest.mark.page(**ENGLISH, permissions=["clipboard-read", "clipboard-write"])
def test_code_can_be_copied_and_wrapped(page) -> None:
    page.goto(SHOWCASE)
    block = page.locator(".prose .code").first
    block.get_by_role("button", name="Copy").click()
    block.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == block.locator("code").text_content()
    wrap = block.get_by_role("button", name="Wrap")
    wrap.click()
    assert wrap.get_attribute("aria-pressed") == "true"
    assert block.locator("pre").evaluate("pre => getComputedStyle(pre).whiteSpace").startswith("pre-wrap")


@pytest.mark.page(**ENGLISH)
def test_a_picture_is_enlarged_by_mouse_and_by_keyboard(page) -> None:
    page.goto(SHOWCASE)
    picture = page.locator(".prose img").first
    assert picture.get_attribute("width") and picture.get_attribute("height")
    picture.click()
    page.locator("dialog[open] img").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    picture.focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()


@pytest.mark.page(**ENGLISH)
def test_diagrams_are_drawn_from_our_own_files(page) -> None:
    page.goto("/")
    assert "mermaid" not in page.content()
    page.goto(SHOWCASE)
    diagram = page.locator("pre.mermaid svg")
    diagram.wait_for()
    assert "Worth it?" in diagram.text_content()
    page.get_by_role("button", name="Dark mode").click()
    page.locator("pre.mermaid[data-drawn=dark] svg").wait_for()
    assert diagram.evaluate("(svg) => getComputedStyle(svg).filter") == "none"
    page.emulate_media(media="print")  # ink, not paper, is dark
    assert "invert(1)" in diagram.evaluate("(svg) => getComputedStyle(svg).filter")


@pytest.mark.page(**ENGLISH)
def test_a_nested_list_stands_closer_than_a_paragraph(page) -> None:
    page.goto(SHOWCASE)
    margins = [page.locator(place).first.evaluate("(element) => parseFloat(getComputedStyle(element).marginBottom)")
               for place in (".prose li > ul", ".prose > p")]  # fmt: skip
    assert 0 < margins[0] < margins[1] / 2


@pytest.mark.page(**ENGLISH, viewport={"width": 1280, "height": 800})
def test_the_contents_stand_beside_the_text_and_follow_the_reader(page) -> None:
    page.goto(SHOWCASE)
    toc = page.locator(".toc")
    assert toc.evaluate("toc => toc.open")
    assert toc.bounding_box()["x"] > page.locator(".prose").first.bounding_box()["x"] + 400
    page.locator("#h-tables").scroll_into_view_if_needed()
    page.evaluate("() => document.getElementById('h-tables').scrollIntoView({ behavior: 'instant' })")
    page.locator(".toc [aria-current]", has_text="Tables").wait_for()
    page.get_by_role("link", name="Back to top").click()
    page.wait_for_function("() => scrollY === 0")


JUMPS = {
    "in the middle": ("scrollTo(0, document.querySelector('#h-tables').offsetTop - 10)", "Tables"),
    "to the end": ("scrollTo(0, document.documentElement.scrollHeight)", None),
    "to the comments": ("document.querySelector('#comments').scrollIntoView()", None),
    "back to the top": ("scrollTo(0, 0)", ""),
    "by an address": ("location.hash = 'h-tables'", "Tables"),
}


# Chromium glides to where a key leads, and a jump on the way there may be lost.
STANDS_STILL = """() => {
    if (scrollY !== window.seenY) [window.seenY, window.seenAt] = [scrollY, performance.now()];
    return performance.now() - window.seenAt > 500;
}"""
# Where exactly a page stands again, after a reload or back in the history, is the browser's affair.
MARKED_IS_IN_VIEW = """() => {
    const links = [...document.querySelectorAll('.toc a')];
    const tops = links.map((link) => document.querySelector(link.hash).getBoundingClientRect().top);
    const marked = links.findIndex((link) => link.hasAttribute('aria-current'));
    return (tops[marked] < innerHeight / 2 || marked === 0) && tops[marked + 1] > 0;
}"""


@pytest.mark.page(**ENGLISH, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
def test_the_contents_follow_any_jump(page) -> None:
    page.goto(SHOWCASE)
    sections = page.locator(".toc a").all_text_contents()
    marked = "(name) => document.querySelector('.toc [aria-current]')?.textContent === name"
    page.wait_for_function(marked, arg=sections[0])
    for jump, (script, section) in JUMPS.items():
        page.evaluate(f"() => {{ {script} }}")
        wanted = sections[-1] if section is None else section or sections[0]
        page.wait_for_function(marked, arg=wanted)
        assert page.locator(".toc [aria-current]").count() == 1, jump
    page.go_back()
    page.wait_for_function(MARKED_IS_IN_VIEW)
    for key, section in {"End": sections[-1], "Home": sections[0]}.items():
        page.keyboard.press(key)
        page.wait_for_function(marked, arg=section)
        page.wait_for_function(STANDS_STILL)
    page.evaluate("() => scrollTo(0, document.querySelector('#h-tables').offsetTop - 10)")
    page.wait_for_function(marked, arg="Tables")
    page.evaluate("() => { document.querySelector('.prose').style.paddingTop = '3000px' }")  # a picture that comes late
    page.wait_for_function(marked, arg=sections[0])
    page.evaluate("() => { document.querySelector('.prose').style.paddingTop = '' }")
    page.wait_for_function(marked, arg="Tables")
    page.reload()
    page.wait_for_function("() => scrollY > 1000")
    page.wait_for_function(MARKED_IS_IN_VIEW)


@pytest.mark.page(**ENGLISH, viewport={"width": 390, "height": 800})
def test_on_a_telephone_the_contents_are_folded(page) -> None:
    page.goto(SHOWCASE)
    assert not page.locator(".toc").evaluate("toc => toc.open")
    page.locator(".toc summary").click()
    page.locator(".toc a", has_text="Tables").click()
    assert page.evaluate("() => document.querySelector(':target').id") == "h-tables"


@pytest.mark.page(**ENGLISH, java_script_enabled=False)
def test_without_scripts_the_sources_stay(page) -> None:
    page.goto(SHOWCASE)
    assert "graph LR" in page.locator("pre.mermaid").inner_text()
    assert page.get_by_role("button", name="Dark mode").count() == 0
