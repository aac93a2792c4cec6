"""Markup that passes the sanitizer does nothing in a real browser."""

from typing import Any

import pytest

from apps.posts.rendering.markdown import render
from tests.posts.test_sanitize import HOSTILE, HOSTILE_MARKDOWN

POKE = """() => {
    for (const element of document.body.querySelectorAll("*")) {
        for (const type of ["click", "focus", "mouseover", "toggle", "load", "error"]) {
            if (!(element instanceof HTMLAnchorElement)) element.dispatchEvent(new Event(type, { bubbles: true }));
        }
    }
    return [...window.ran];
}"""


@pytest.fixture
def bare_page(browser: Any) -> Any:
    """A page that notes what runs in it and asks nobody for anything."""
    context = browser.new_context()
    asked: list[str] = []

    def refuse(route: Any) -> None:
        asked.append(route.request.url)
        route.abort()

    context.route("**/*", refuse)
    context.add_init_script("window.ran = []; window.alert = window.msgbox = (what) => window.ran.push(String(what));")
    page = context.new_page()
    page.asked = asked
    yield page
    context.close()


@pytest.mark.parametrize(
    "wrapping", ["{}", "<div>\n\n{}\n\n</div>", "text {} text", "# {}\n\n| {} |\n|-|", "<table><tr><td>\n{}"]
)
def test_nothing_runs(bare_page: Any, wrapping: str) -> None:
    bare_page.set_content("<img src=x onerror=alert(1)>")
    bare_page.wait_for_function("window.ran.length === 1")
    bare_page.evaluate("window.ran.length = 0")
    for hostile in HOSTILE + HOSTILE_MARKDOWN:
        html = render(wrapping.replace("{}", hostile)).html
        bare_page.set_content(f"<!DOCTYPE html><body>{html}</body>")
        assert bare_page.evaluate(POKE) == [], hostile
        assert "script" not in [
            name.lower() for name in bare_page.evaluate("[...document.body.querySelectorAll('*')].map(e => e.tagName)")
        ]
    bare_page.wait_for_timeout(300)
    assert bare_page.evaluate("window.ran") == []
    assert not [url for url in bare_page.asked if "evil.example" in url]
