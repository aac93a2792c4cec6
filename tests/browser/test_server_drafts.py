"""A text reaches the server while it is written: it is there on another computer, and after signing in again."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.services import BROWSER, BlogServer

from .test_draft import ADD, PASSWORD, cookies, offers, open_form, owned, processes_of, save_draft, sign_in, writing

__all__ = ["cookies", "owned", "writing"]

pytestmark = pytest.mark.page(allow_console="40[349]|422|429|ERR_|Failed to load", locale="zh-CN", user_agent=BROWSER)
TIMES = int(os.environ.get("KILLS", "1"))  # how often each part is killed


def until_saved(page: Any) -> None:
    page.wait_for_function("() => document.querySelector('.copy-state').textContent.startsWith('已保存')")


@pytest.fixture
def elsewhere(writing: Any, browser: Any, owned: BlogServer) -> Iterator[Any]:
    """Another computer of the same account."""
    context = browser.new_context(base_url=owned.url, locale="zh-CN", user_agent=BROWSER)
    context.add_cookies(writing.context.cookies())
    yield context.new_page()
    context.close()


def forget_session(owned: BlogServer, cookies: list[Any]) -> None:
    cookies.clear()  # the next test signs in anew
    owned.manage("shell", "-c", "from django.contrib.sessions.models import Session; Session.objects.all().delete()")


def test_what_is_typed_here_is_offered_on_another_computer_until_it_is_saved(writing: Any, elsewhere: Any) -> None:
    page, other = writing, elsewhere
    page.fill("#id_title", "两台电脑")
    page.fill("#id_body", "第一行\n最后一行")
    until_saved(page)
    other.goto("/admin/posts/post/")
    other.wait_for_selector("#copies li:has-text('最后一行')")
    open_form(other)
    offers(other).filter(has_text="两台电脑").get_by_role("button", name="恢复").click()
    other.wait_for_function("() => id_body.value === '第一行\\n最后一行'")
    other.type("#id_body", "。另一台")
    until_saved(other)
    # The first page goes on in a draft of its own, and both are there.
    page.type("#id_body", "，这一台")
    page.wait_for_timeout(1000)
    until_saved(page)
    page.wait_for_timeout(6000)
    third = page.context.new_page()
    open_form(third)
    offers(third).filter(has_text="两台电脑").first.wait_for()
    save_draft(other)
    open_form(other)
    offers(other).filter(has_text="两台电脑").get_by_role("button", name="恢复").first.click()
    other.wait_for_function("() => id_body.value.includes('，这一台')")
    save_draft(page)


def test_a_draft_of_another_computer_is_compared_with_a_newer_text(
    writing: Any, elsewhere: Any, owned: BlogServer
) -> None:
    page, other = writing, elsewhere
    page.fill("#id_title", "比较")
    page.fill("#id_body", "第一版")
    address = save_draft(page)
    open_form(page, address)
    page.fill("#id_body", "旧电脑上的一句")
    until_saved(page)
    number = address.rstrip("/").split("/")[-2]
    owned.manage("shell", "-c", "from apps.posts.models import Post\n"
                 f"post = Post.objects.get(pk={number}); post.body = '新结尾'; post.save()")  # fmt: skip
    open_form(other, address)
    other.get_by_role("button", name="对比").click()
    both = other.locator("#copies textarea")
    assert [both.nth(place).input_value() for place in (0, 1)] == ["旧电脑上的一句", "新结尾"]
    assert other.input_value("#id_body") == "新结尾"


def test_a_session_that_ends_in_mid_edit_is_renewed_on_the_page(
    writing: Any, owned: BlogServer, cookies: list[Any]
) -> None:
    page = writing
    page.fill("#id_title", "会话过期")
    page.fill("#id_body", "还在写")
    until_saved(page)
    forget_session(owned, cookies)
    page.type("#id_body", "，一直写")
    page.wait_for_selector(".copy-state[role=alert]:has-text('登录已失效')")
    page.locator(".copy-state").get_by_role("button", name="登录").click()
    page.fill("#sign-in-password", "wrong")
    page.press("#sign-in-password", "Enter")
    page.wait_for_function("() => document.querySelector('.sign-in-problem').textContent")
    page.fill("#sign-in-password", PASSWORD)
    page.press("#sign-in-password", "Enter")
    page.wait_for_selector("#sign-in", state="hidden")
    until_saved(page)
    # Once more, and straight to the button: the form waits for the dialog, and is sent whole.
    forget_session(owned, cookies)
    page.type("#id_body", "，写完")
    page.click("input[name=_draft]")
    page.fill("#sign-in-password", PASSWORD)
    page.press("#sign-in-password", "Enter")
    page.wait_for_selector(".messagelist .success")
    assert page.input_value("#id_body") == "还在写，一直写，写完"


def test_a_dialog_that_is_closed_leaves_the_text(writing: Any, owned: BlogServer, cookies: list[Any]) -> None:
    page = writing
    page.fill("#id_title", "取消")
    page.fill("#id_body", "正文")
    forget_session(owned, cookies)
    page.click("input[name=_draft]")
    page.locator("#sign-in").get_by_role("button", name="取消").click()
    page.wait_for_selector(".copy-state:has-text('登录已失效')")
    assert page.input_value("#id_body") == "正文" and page.url.endswith(ADD)


def test_a_server_that_dies_while_one_types_gets_it_when_it_is_back(writing: Any, owned: BlogServer) -> None:
    page = writing
    page.fill("#id_title", "停机")
    for number in range(TIMES):
        page.type("#id_body", f"前{number}")
        until_saved(page)
        owned.stop(signal.SIGKILL)
        page.type("#id_body", f"后{number}")
        page.wait_for_selector(".copy-state[role=alert]:has-text('连接不上服务器')")
        began = time.monotonic()
        owned.start()
        page.wait_for_function(
            "() => document.querySelector('.copy-state').textContent.startsWith('已保存')", timeout=60_000
        )
        print(f"kill {number}: 0 characters lost, saved {time.monotonic() - began:.1f} s after the restart began")
    body = page.input_value("#id_body")
    kept = owned.manage("shell", "-c", "from apps.posts.models import Draft\n"
                        "print(Draft.objects.get(title='停机').content)")  # fmt: skip
    assert body == "".join(f"前{number}后{number}" for number in range(TIMES)) and body in str(kept)


@pytest.mark.chromium
def test_a_killed_browser_s_text_is_on_another_computer(owned: BlogServer, tmp_path: Path, browser: Any) -> None:
    for number in range(TIMES):
        profile = tmp_path / str(number)
        context = browser.browser_type.launch_persistent_context(
            str(profile),
            executable_path=services.program("chromium", "chromium-browser"),
            args=list(services.CHROMIUM_ARGS),
            base_url=owned.url,
            locale="zh-CN",
        )
        page = context.new_page()
        sign_in(page)
        page.wait_for_selector(".copy-state", state="attached")
        page.fill("#id_title", f"Kill {number}")
        page.focus("#id_body")
        typed = []
        for place in range(10):
            typed.append((time.monotonic(), f"[{place}]"))
            page.keyboard.type(typed[-1][1])
            page.wait_for_timeout(1000)
        killed = time.monotonic()
        for pid in processes_of(profile):
            os.kill(pid, signal.SIGKILL)
        other = browser.new_context(base_url=owned.url, locale="zh-CN")
        page = other.new_page()
        sign_in(page)
        offers(page).filter(has_text=f"Kill {number}").get_by_role("button", name="恢复").click()
        page.wait_for_function("() => id_body.value")
        kept = page.input_value("#id_body")
        lost = [text for _at, text in typed if text not in kept]
        print(f"kill {number}: {len(''.join(lost))} characters lost, of the last {len(lost)} s")
        other.close()
        assert all(text in kept for at, text in typed if at < killed - 5), (kept, typed)
