"""The blog as a reader meets it, in Chromium."""

import re
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.services import BROWSER, BlogServer

CHINESE = {"locale": "zh-CN", "user_agent": BROWSER}
pytestmark = pytest.mark.page(**CHINESE)


def write_comment(page, text: str) -> None:
    page.locator(".comment-write").scroll_into_view_if_needed()
    form = page.locator(".comment-form")
    form.get_by_label("昵称").fill("林小雨")
    form.get_by_label("邮箱：").fill("lin@example.com")
    form.get_by_label("评论：").fill(text)
    form.get_by_role("button", name="发表评论").click()


def open_post(page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Markdown 排版示例").first.click()


def test_read_a_post_and_be_counted(page) -> None:
    with page.expect_response(re.compile("/stats/view$")) as beacon:
        page.goto("/")
    before = int(beacon.value.json()["pv_today"])
    with page.expect_response(re.compile("/stats/view$")) as beacon:
        page.get_by_role("link", name="Markdown 排版示例").first.click()
    assert beacon.value.json() | {"pv_today": before + 1, "views": 1} == beacon.value.json()
    assert page.get_by_role("heading", level=1).inner_text() == "Markdown 排版示例"
    page.locator("[data-number=pv_today]", has_text=str(before + 1)).wait_for()
    assert page.locator(".prose math").count() > 0 and page.locator(".prose .highlight .k").count() > 0
    assert page.locator("pre.mermaid").count() == 1
    target = page.locator(".toc a").last
    target.click()
    assert page.evaluate("document.querySelector(':target') !== null")


def test_comment_and_reply(page) -> None:
    open_post(page)
    write_comment(page, "写得真**清楚**。")
    first = page.locator("#floor-1")
    assert first.locator("strong").inner_text() == "清楚" and "林小雨" in first.inner_text()
    first.get_by_role("link", name="回复").click()
    form = page.locator(".comment-form")
    assert "1" in form.locator("[data-reply]").inner_text()
    assert form.get_by_label("昵称").input_value() == "林小雨"  # remembered in this browser
    form.get_by_label("评论：").fill("同意楼上。")
    form.get_by_role("button", name="发表评论").click()
    assert page.locator("#floor-2").get_by_role("link", name="回复 1 楼").get_attribute("href") == "#floor-1"


def test_the_button_brings_the_form_and_its_only_token(page) -> None:
    open_post(page)
    page.wait_for_load_state()
    page.evaluate("() => document.querySelector('[data-form] a.button').click()")  # before the scroll loads it too
    page.locator(".comment-write").scroll_into_view_if_needed()
    form = page.locator(".comment-form")
    form.get_by_label("昵称").fill("首评")
    form.get_by_label("邮箱：").fill("first@example.com")
    form.get_by_label("评论：").fill("第一次来。")
    form.get_by_role("button", name="发表评论").click()
    page.locator(".comment", has_text="第一次来。").wait_for()


@pytest.mark.parametrize("character", ["x", "走", "🎉", "'"])
def test_a_search_for_ten_thousand_characters_is_answered(daphne_server: BlogServer, character: str) -> None:
    with urlopen(f"{daphne_server.url}/search/?q={quote(character * 10_000)}", timeout=20) as answer:
        assert answer.status == 200


@pytest.mark.page(**CHINESE, allow_console="WebSocket|404")
def test_a_socket_to_nowhere_is_closed(page, daphne_server: BlogServer) -> None:
    page.goto("/")
    code = page.evaluate("""() => new Promise((resolve) => {
      new WebSocket("/ws/nowhere/").addEventListener("close", (event) => resolve(event.code));
    })""")
    assert code in {1006, 4404} and "Traceback" not in daphne_server.log


@pytest.mark.page(**CHINESE, java_script_enabled=False)
def test_everything_works_without_scripts(page) -> None:
    with page.expect_response(re.compile(r"/stats/view\?post=")) as pixel:
        open_post(page)
    assert pixel.value.headers["content-type"] == "image/gif"
    page.get_by_role("link", name="写评论").click()
    page.get_by_label("昵称").fill("无脚本")
    page.get_by_label("邮箱：").fill("noscript@example.com")
    page.get_by_label("评论：").fill("没有 JavaScript 也行。")
    page.get_by_role("button", name="发表评论").click()
    assert re.search("#floor-[0-9]+$", page.url)
    page.get_by_text("没有 JavaScript 也行。").wait_for()
    page.get_by_role("searchbox").first.fill("排版")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Markdown 排版示例").first.wait_for()


@pytest.mark.page(**CHINESE, allow_console="422")
def test_a_refused_comment_keeps_its_text(page) -> None:
    open_post(page)
    page.locator(".comment-write").scroll_into_view_if_needed()
    form = page.locator(".comment-form")
    form.get_by_label("昵称").fill("甲")
    form.get_by_label("邮箱：").fill("a@b")  # good enough for the browser, not for the server
    form.get_by_label("评论：").fill("不要丢掉我。")
    form.get_by_role("button", name="发表评论").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("评论：").input_value() == "不要丢掉我。"


@pytest.mark.page(language="en", user_agent=BROWSER, viewport={"width": 390, "height": 800})
def test_a_phone_shows_everything_without_scrolling_sideways(page) -> None:
    for path in ("/", "/archive/", "/search/?q=Markdown"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.get_by_role("link", name="Markdown showcase").first.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    guides = page.locator("header nav").get_by_text("Guides")
    assert not guides.is_visible()
    page.get_by_label("Menu", exact=True).click()
    guides.click()
    assert page.get_by_role("heading", level=1).inner_text() == "Guides"
