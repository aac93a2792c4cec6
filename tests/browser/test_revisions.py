"""Two pages on one post, and its history, in Chromium."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_accessibility import JUDGE, report
from tests.services import BROWSER, BlogServer

PASSWORD = "a-long-password-of-tests"
BODY = "第一段。\\n\\n第二段。\\n\\n第三段。"
MAKE = f"""
from django.contrib.auth import get_user_model
from apps.posts.models import Post
from apps.posts.writing.revisions import record
post = Post(title="两个窗口", body="{BODY}", status="published")
post.save()
record(post, get_user_model().objects.first())
print(post.pk)
"""


@pytest.fixture(scope="module")
def post(daphne_server: BlogServer) -> str:
    daphne_server.env["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    daphne_server.manage("createsuperuser", "--noinput", "--username=owner", "--email=o@example.com")
    return daphne_server.manage("shell", "--no-imports", "-c", MAKE).split()[-1]


def sign_in(page: Any, address: str) -> None:
    page.goto(f"/admin/login/?next={address}")
    page.fill("#id_username", "owner")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url(f"**{address}")


def test_two_pages_on_different_paragraphs_keep_both(
    new_page: Callable[..., Any], daphne_server: BlogServer, post: str
) -> None:
    address = f"/admin/posts/post/{post}/change/"
    first, second = (new_page(daphne_server.url, language="zh-hans", user_agent=BROWSER) for _ in range(2))
    for page in (first, second):
        sign_in(page, address)
        page.wait_for_selector("#id_body[data-markdownx-init]")
    for page, old, new in ((first, "第一段", "改过的第一段"), (second, "第二段", "改过的第二段")):
        body = page.locator("#id_body")
        body.fill(body.input_value().replace(old, new))
        page.locator("[name=_continue]").click()
        page.locator(".messagelist .success").wait_for()
    assert "已合并 owner" in second.locator(".messagelist").inner_text()
    assert second.locator("#id_body").input_value().strip() == "改过的第一段。\n\n改过的第二段。\n\n第三段。"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_history_has_no_barrier_and_leads_back(
    new_page: Callable[..., Any], daphne_server: BlogServer, post: str, axe: str, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 900}
    page = new_page(daphne_server.url, language="en", user_agent=BROWSER, viewport=size, color_scheme=scheme)
    sign_in(page, f"/admin/posts/post/{post}/change/")
    page.locator("#id_title").fill(f"Two windows, {scheme} {width}")
    page.locator("[name=_continue]").click()
    page.locator(".messagelist .success").wait_for()
    page.goto(f"/admin/posts/post/{post}/history/")
    found: dict[str, list[str]] = {}
    for state in ("history", "comparison"):
        page.evaluate(axe)
        for problem in page.evaluate(JUDGE, None):
            found.setdefault(problem, []).append(state)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if state == "history":
            page.locator(".revisions tbody th a").nth(1).click()
            page.locator(".revision h2").wait_for()
    assert not found, report(found)
    page.get_by_role("button", name="Restore this version").click()
    page.get_by_text("is back").wait_for()
