"""Every type of page, judged by axe-core in both colour schemes and two widths, and walked through by keyboard."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.showcase import PAGES, Showcase

TELEPHONE = {"width": 390, "height": 800}
DESKTOP = {"width": 1280, "height": 800}

# All rules for everybody and the good practices; target sizes are WCAG 2.2, which axe leaves out unless asked.
JUDGE = """async (only) => {
  const { violations } = await axe.run(document, {
    resultTypes: ["violations"],
    ...(only ? { runOnly: only } : { rules: { "target-size": { enabled: true } } }),
  });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary, html }) =>
    `${id} (${help})\\n  ${target.join(" ")}\\n  ${html.slice(0, 200)}\\n  ${failureSummary.split("\\n").slice(1).join("; ")}`));
}"""

# The rules by which another colour scheme can make a difference.
OF_COLOUR = ["color-contrast", "link-in-text-block"]

# The stops of the Tab key, in the order of the document, each with words to know it by.
STATIONS = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, audio[controls], video[controls], [tabindex]")]
  .filter((element) => element.tabIndex >= 0 && !element.disabled && element.type !== "hidden"
    && element.checkVisibility({ visibilityProperty: true }))
  .map((element) => element.dataset.station)"""
NUMBER = """() => {
  let number = 0;
  for (const element of document.querySelectorAll("*")) element.dataset.station = `${number++} ${element.outerHTML.slice(0, 90)}`;
}"""
TO_THE_TOP = """() => {
  const start = document.createElement("span");
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus();
  start.remove();
}"""
FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body || !element.dataset.station) return null;
  const style = getComputedStyle(element);
  const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
  return {
    station: element.dataset.station,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
      && !/, 0\\)$/.test(style.outlineColor),
    seen: width > 1 && height > 1 && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
  };
}"""


def test_no_page_has_a_barrier(show: Callable, showcase: Showcase, axe: str) -> None:
    page = show(viewport=DESKTOP)
    found: dict[str, list[str]] = {}
    for name in PAGES:
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")
        showcase.visit(page, name)
        page.evaluate(axe)
        for viewport, scheme, rules in (
            (DESKTOP, "light", None),
            (DESKTOP, "dark", OF_COLOUR),
            (TELEPHONE, "dark", OF_COLOUR),
            (TELEPHONE, "light", None),
        ):
            page.set_viewport_size(viewport)
            wear(page, scheme)
            for problem in page.evaluate(JUDGE, rules):
                found.setdefault(problem, []).append(f"{name} ({viewport['width']} px, {scheme})")
        # WCAG 1.4.10: 1280 px at 400 % are 320 px, in which only code and tables may scroll sideways.
        page.set_viewport_size({"width": 320, "height": 640})
        if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
            found.setdefault("scrolls sideways", []).append(name)
    assert not found, report(found)


def wear(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    theme = {"light": "default", "dark": "dark"}[scheme]
    page.wait_for_function(
        "theme => [...document.querySelectorAll('pre.mermaid')].every(({ dataset }) => dataset.drawn === theme)",
        arg=theme,
    )


def report(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{problem}\n  on {', '.join(pages)}" for problem, pages in found.items())


@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["desktop", "telephone"])
def test_what_unfolds_has_no_barrier_either(show: Callable, showcase: Showcase, axe: str, viewport: dict) -> None:
    page = show(viewport=viewport)
    found: dict[str, list[str]] = {}

    def judge(state: str) -> None:
        for problem in page.evaluate(JUDGE, None):
            found.setdefault(problem, []).append(state)

    showcase.visit(page, "post")
    page.evaluate(axe)
    if viewport is TELEPHONE:
        page.get_by_label("Menu", exact=True).click()
    page.locator(".navbar nav summary").first.click()
    judge("open menu")
    page.locator(".toc").evaluate("toc => (toc.open = true)")
    page.locator("a.reply").first.click()
    page.locator("[data-reply]").wait_for()
    form = page.locator(".comment-form")
    form.locator("[name=body]").fill("A **thought**.")
    form.locator(".emoji summary").click()
    form.locator("[data-preview-button]").click()
    form.locator(".comment-preview strong").wait_for()
    judge("a reply, its preview, emoji")
    page.evaluate("() => scrollTo({ top: 2000, behavior: 'instant' })")
    page.locator(".to-top").wait_for()
    judge("half-way down")
    page.locator(".prose .code button").first.click()
    page.locator(".prose img").first.click()
    page.locator("dialog[open] img").wait_for()
    judge("an enlarged picture")
    assert not found, report(found)


# One of each template.
WALKED = ["home", "post", "page", "archive", "tags", "links", "search with results", "comment form with errors"]
WALKED += ["password refused", "404", "setup"]


@pytest.mark.parametrize(
    "viewport, pages", [(DESKTOP, WALKED), (TELEPHONE, ["home", "post", "archive"])], ids=["desktop", "telephone"]
)
def test_tab_comes_by_everything_in_order_and_shows_where_it_is(
    show: Callable, showcase: Showcase, viewport: dict, pages: list[str]
) -> None:
    page = show(viewport=viewport, reduced_motion="reduce")
    for name in pages:
        showcase.visit(page, name)
        page.evaluate(NUMBER)
        walked = walk(page, name)
        wanted = page.evaluate(STATIONS)
        # A browser lets Tab stop at what scrolls, too.
        assert [station for station in walked if station in set(wanted)] == wanted, name
        assert wanted[0] == walked[0] and 'class="skip"' in walked[0], name


def walk(page: Any, name: str) -> list[str]:
    """Press Tab until it leaves the page or comes round; return the stations. Each must be seen and outlined."""
    walked: list[str] = []
    page.evaluate(TO_THE_TOP)
    while True:
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused["station"] in walked:
            assert focused is None or focused["station"] == walked[0], f"{name}: Tab is caught at {focused}"
            return walked
        assert focused["outlined"] and focused["seen"], f"{name}: {focused}"
        walked.append(focused["station"])


def test_the_skip_link_skips(show: Callable, showcase: Showcase) -> None:
    page = show()
    for name in ("home", "post", "404"):
        showcase.visit(page, name)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("() => location.hash") == "#content"
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.closest('main') !== null"), name


def test_a_menu_is_opened_and_left_by_keyboard(show: Callable, showcase: Showcase) -> None:
    page = show(viewport=DESKTOP)
    showcase.visit(page, "home")
    menu = page.locator(".navbar nav details").first
    is_open = lambda: menu.evaluate("menu => menu.open")  # noqa: E731
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    assert is_open()
    page.keyboard.press("Tab")
    assert menu.locator("a").first.evaluate("link => link === document.activeElement")
    page.keyboard.press("Escape")
    assert not is_open()
    assert menu.locator("summary").evaluate("summary => summary === document.activeElement")
    page.keyboard.press("Enter")
    for _ in range(1 + menu.locator("a").count()):
        assert is_open()
        page.keyboard.press("Tab")
    assert not is_open()  # left behind, it would cover what is focused next
    menu.locator("summary").click()
    page.locator("h1").click()
    assert not is_open()
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/category/**")


def test_the_telephones_menu_is_closed_by_escape(show: Callable, showcase: Showcase) -> None:
    page = show(viewport=TELEPHONE)
    showcase.visit(page, "home")
    burger = page.locator(".burger")
    burger.locator("summary").focus()
    page.keyboard.press("Enter")
    page.locator(".navbar nav").get_by_role("link", name="Archive").focus()
    page.keyboard.press("Escape")
    assert not burger.evaluate("menu => menu.open")
    assert burger.locator("summary").evaluate("summary => summary === document.activeElement")


def test_an_enlarged_picture_gives_the_focus_back(show: Callable, showcase: Showcase) -> None:
    page = show()
    showcase.visit(page, "post")
    picture = page.locator(".prose img").first
    picture.focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open] img").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert picture.evaluate("picture => picture === document.activeElement")
