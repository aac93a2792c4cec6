"""Every type of page from 320 to 1920 px, with words, names, numbers and formulas that have no place to break at."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import long_words
from tests.browser.showcase import PAGES, Showcase

WIDTHS = (320, 360, 390, 640, 768, 900, 1024, 1280, 1920)
HEIGHT = 800

# Elements that stick out of the window, or that a box without a scroll bar cuts off. A glimpse of an answered comment ends in "…";
# the whole stands behind a button.
JUDGE = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} px wide`);
  const shown = (element) => element.checkVisibility({ visibilityProperty: true })
    && !element.closest(".visually-hidden, .quoted, .skip:not(:focus), dialog, svg");
  const told = (element) => element.outerHTML.slice(0, 120);
  for (const element of document.body.querySelectorAll("*")) {
    if (!shown(element)) continue;
    const { overflowX, overflowY } = getComputedStyle(element);
    const cuts = (overflow) => overflow === "hidden" || overflow === "clip";
    if (!element.textContent.trim() || element.matches("option, select, textarea, input")) continue;
    if (cuts(overflowX) && element.scrollWidth > element.clientWidth + 1) found.push(`cut off at its side: ${told(element)}`);
    if (cuts(overflowY) && element.scrollHeight > element.clientHeight + 1) found.push(`cut off below: ${told(element)}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    const text = texts.currentNode;
    const place = text.parentElement;
    if (!text.data.trim() || !shown(place)) continue;
    let scrolls = false;
    for (let box = place; box !== document.body && !scrolls; box = box.parentElement) {
      scrolls = getComputedStyle(box).overflowX === "auto";
    }
    if (scrolls) continue;
    range.selectNodeContents(text);
    for (const { left, right } of range.getClientRects()) {
      if (left < -1 || right > innerWidth + 1) {
        found.push(`sticks out: ${told(place)}`);
        break;
      }
    }
  }
  return [...new Set(found)];
}"""


WIDER = "() => document.documentElement.scrollWidth <= innerWidth ? [] : [`the page is ${document.documentElement.scrollWidth} px wide`]"
SCHEMES = {"light": JUDGE, "dark": WIDER}


def judge(page: Any, name: str, found: dict[str, list[str]]) -> None:
    for scheme, look in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            for problem in page.evaluate(look):
                found.setdefault(problem, []).append(f"{name} ({width} px, {scheme})")


def report(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{problem}\n  on {', '.join(pages)}" for problem, pages in found.items())


@pytest.mark.parametrize("language, pages", [
    ("en", PAGES[: len(PAGES) // 2]), ("en", PAGES[len(PAGES) // 2 :]),
    ("zh-hans", ["home", "post of long words", "comment form of a long title", "search for a long word", "404"]),
], ids=["one half", "the other half", "in Chinese"])  # fmt: skip
def test_no_page_is_wider_than_its_window(show: Callable, showcase: Showcase, language: str, pages: list[str]) -> None:
    page = show(language=language, viewport={"width": 1280, "height": HEIGHT})
    found: dict[str, list[str]] = {}
    for name in pages:
        page.set_viewport_size({"width": 1280, "height": HEIGHT})
        showcase.visit(page, name)
        judge(page, name, found)
    assert not found, report(found)


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1280])
def test_what_unfolds_is_no_wider_either(show: Callable, showcase: Showcase, width: int) -> None:
    page = show(viewport={"width": width, "height": HEIGHT})
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        for problem in page.evaluate(JUDGE):
            found.setdefault(problem, []).append(state)

    showcase.visit(page, "post of long words")
    if page.locator(".burger summary").is_visible():
        page.locator(".burger summary").click()
    for menu in page.locator(".navbar nav summary").all():
        menu.click()
        look("an open menu")
    page.locator(".toc").evaluate("toc => (toc.open = true)")
    look("the contents")
    page.locator(".threads").click()
    page.locator(".answers .answers .answers").first.wait_for()
    page.locator(".comment-body > .reply-to button").last.click()
    page.locator("blockquote.answered").wait_for()
    look("threads and an answered comment")
    page.locator("a.reply").last.click()
    page.locator(".comment-form #id_body").fill(long_words.COMMENT)
    page.locator("[data-preview-button]").click()
    page.locator(".comment-preview code").first.wait_for()
    look("a reply and its preview")
    search = page.locator("#search")
    if not search.is_visible():
        page.locator(".burger summary").click()
    search.fill("springframework")
    page.locator(".suggestions [role=option]").first.wait_for()
    look("suggestions")
    assert not found, report(found)


def test_what_staff_sees_is_no_wider_either(show: Callable, showcase: Showcase) -> None:
    page = show(viewport={"width": 1280, "height": HEIGHT})
    found: dict[str, list[str]] = {}
    page.goto("/admin/login/")
    judge(page, "sign-in", found)
    page.fill("#id_username", "moderator")
    page.fill("#id_password", "a-long-password-of-tests")
    page.press("#id_password", "Enter")
    page.locator("#user-tools").wait_for()
    page.goto("/admin/stats/dailyviews/")
    judge(page, "statistics", found)
    page.goto(showcase.paths["post of long words"])
    page.locator("#moderation .comment").first.wait_for()
    judge(page, "moderation", found)
    page.goto("/comments/mine/")
    judge(page, "my comments", found)
    assert not found, report(found)


def test_columns_of_chinese_stay_readable_on_a_telephone(show: Callable, showcase: Showcase) -> None:
    page = show(viewport={"width": 390, "height": HEIGHT})
    page.goto(showcase.paths["post of long words"])
    cells = page.locator(".prose tbody tr").first.locator("td").evaluate_all(
        "cells => cells.map((cell) => [cell.textContent, cell.clientWidth, cell.clientHeight])"
    )  # fmt: skip
    assert len(cells) == 5
    for text, width, height in cells:
        assert width >= 4 * 16.5, text  # four characters at least
        assert height <= 8 * 28, text
    lines = "(cell) => { const range = document.createRange(); range.selectNodeContents(cell);" \
        " return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size }"  # fmt: skip
    for row in range(2):
        assert page.locator(".prose tbody tr").nth(row).locator("td").nth(3).evaluate(lines) == 1  # 38 MB in one piece
