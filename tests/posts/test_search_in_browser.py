"""Titles offered while typing, by keyboard and by mouse, and nothing of it where scripts are off."""

import re

import pytest

from tests.services import BROWSER

pytestmark = pytest.mark.page(locale="zh-CN", user_agent=BROWSER)
TITLE = "Markdown 排版示例"


def test_titles_are_offered_and_chosen_by_keyboard(page) -> None:
    page.goto("/search/")
    field = page.locator("#query")
    options = page.locator("#query + [role=listbox] [role=option]")
    assert field.get_attribute("role") == "combobox" and field.get_attribute("aria-expanded") == "false"
    field.press_sequentially("paiban")
    options.filter(has_text=TITLE).wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    field.press("ArrowDown")
    first = options.first
    assert first.get_attribute("aria-selected") == "true"
    assert field.get_attribute("aria-activedescendant") == first.get_attribute("id")
    field.press("Escape")
    assert not options.first.is_visible() and field.input_value() == "paiban"
    field.fill("排版")
    options.filter(has_text=TITLE).wait_for()
    field.press("ArrowUp")
    field.press("Enter")
    page.wait_for_url(re.compile("/article/"))


def test_titles_are_offered_under_the_navbar_and_chosen_by_mouse(page) -> None:
    page.goto("/search/")
    page.locator("#search").press_sequentially("mark")
    page.locator("#search + [role=listbox] [role=option]", has_text=TITLE).click()
    page.wait_for_url(re.compile("/article/"))


def test_enter_searches_when_nothing_is_chosen(page) -> None:
    page.goto("/search/?q=other")
    field = page.locator("#query")
    field.fill("排版")
    page.locator("#query + [role=listbox] [role=option]").first.wait_for()
    field.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q="))
    assert page.locator(".hit h2 mark").first.inner_text() == "排版"


def test_a_search_that_cannot_suggest_still_searches(page) -> None:
    page.route("**/search/suggest/*", lambda route: route.fulfill(status=204))
    page.goto("/search/")
    page.locator("#query").fill("排版")
    page.wait_for_timeout(400)
    page.locator("#query").press("Enter")
    page.get_by_role("link", name=TITLE).first.wait_for()


@pytest.mark.page(locale="zh-CN", user_agent=BROWSER, java_script_enabled=False)
def test_a_search_works_without_scripts(page) -> None:
    page.goto("/search/")
    page.locator("#query").fill("paiban")
    page.locator("#query").press("Enter")
    page.get_by_role("link", name=TITLE).first.wait_for()
