"""The form around a post in Chromium: Enter publishes nothing, errors are seen, and the buttons say what they do."""

from typing import Any

import pytest

from tests.services import BROWSER, BlogServer

PASSWORD = "a-long-password-of-tests"
pytestmark = pytest.mark.page(allow_console="404", locale="zh-CN", user_agent=BROWSER)
ADD = "/admin/posts/post/add/"
FOCUSED = "document.activeElement.id"


@pytest.fixture(scope="module")
def owned(daphne_server: BlogServer) -> BlogServer:
    daphne_server.env["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    daphne_server.manage("createsuperuser", "--noinput", "--username=owner", "--email=o@example.com")
    return daphne_server


@pytest.fixture(scope="module")
def cookies() -> list[Any]:
    return []


@pytest.fixture
def adding(owned: BlogServer, page: Any, cookies: list[Any]) -> Any:
    if cookies:
        page.context.add_cookies(cookies)
        page.goto(ADD)
    else:
        page.goto(f"/admin/login/?next={ADD}")
        page.fill("#id_username", "owner")
        page.fill("#id_password", PASSWORD)
        page.press("#id_password", "Enter")
        page.wait_for_url(f"**{ADD}")
        cookies.extend(page.context.cookies())
    page.wait_for_load_state("load")
    return page


def unfold(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")


def test_a_title_and_enter_and_the_text(adding: Any) -> None:
    page = adding
    page.wait_for_function(f"() => {FOCUSED} === 'id_title'")
    page.keyboard.type("关于 我")
    page.keyboard.press("Enter")
    page.keyboard.type("正文")
    assert page.input_value("#id_title") == "关于 我" and page.input_value("#id_body") == "正文"
    assert page.url.endswith(ADD)


def test_the_enter_that_ends_a_composition_does_nothing_else(adding: Any) -> None:
    page = adding
    page.wait_for_selector("#id_body[data-markdownx-init]")
    page.focus("#id_title")
    ime = page.context.new_cdp_session(page)
    ime.send("Input.imeSetComposition", {"text": "github", "selectionStart": 6, "selectionEnd": 6})
    ime.send(
        "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    )
    ime.send("Input.insertText", {"text": "github"})
    page.wait_for_timeout(300)
    assert page.evaluate(FOCUSED) == "id_title" and page.input_value("#id_title") == "github" and page.url.endswith(ADD)


@pytest.mark.parametrize("scripts", [True, False])
def test_enter_in_any_line_saves_nothing(adding: Any, new_page: Any, owned: BlogServer, scripts: bool) -> None:
    page = adding
    if not scripts:
        cookies = page.context.cookies()
        page = new_page(owned.url, java_script_enabled=False, locale="zh-CN", user_agent=BROWSER, allow_console="404")
        page.context.add_cookies(cookies)
        page.goto(ADD)
        for fold in page.locator("#post_form summary").all():
            fold.click()
    else:
        unfold(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    names = ["title", "published_at_0", "published_at_1", "summary", "original_url", "slug", "password"]
    for name in names:
        page.fill(f"#id_{name}", "x")
        page.press(f"#id_{name}", "Enter")
    if scripts:
        for name in ("pinned", "comments_open", "status", "language"):
            page.press(f"#id_{name}", "Enter")
    page.wait_for_timeout(500)
    assert [address for address in asked if "/editor/" not in address] == [] and page.url.endswith(ADD)


def test_an_error_takes_the_focus_and_is_linked(adding: Any) -> None:
    page = adding
    page.fill("#id_title", "Errors")
    page.fill("#id_body", "text")
    page.evaluate("document.querySelector('#id_language').append(new Option('x', 'english please'))")
    unfold(page)
    page.select_option("#id_language", "english please")
    page.fill("#id_password", "x")
    page.evaluate("document.querySelector('#id_password').removeAttribute('maxlength')")
    page.fill("#id_password", "x" * 65)
    page.click("input[name=_draft]")
    page.wait_for_selector(".faulty-fields a")
    page.wait_for_function(f"() => {FOCUSED} === 'id_language'")
    assert page.is_visible(".field-language .errorlist") and page.locator(".faulty-fields li").count() == 2
    page.click(".faulty-fields a:has-text('密码')")
    assert page.evaluate(FOCUSED) == "id_password" and page.is_visible(".field-password .errorlist")


def test_the_button_says_what_it_will_do(adding: Any) -> None:
    page = adding
    button = page.locator(".submit-row .default")
    assert button.input_value() == "发布"
    page.fill("#id_published_at_0", "2099/12/01")
    page.fill("#id_published_at_1", "09:00")
    page.wait_for_function("() => document.querySelector('.submit-row .default').value === '定时发布 2099/12/01 09:00'")
    page.click(".field-published_at .datetimeshortcuts a >> nth=0")  # today
    page.wait_for_function("() => !document.querySelector('.submit-row .default').value.includes('2099')")
    page.fill("#id_published_at_0", "")
    page.fill("#id_published_at_1", "")
    for status, label in {"private": "存为私密", "unlisted": "发布（仅凭链接可见）", "draft": "发布"}.items():
        page.select_option("#id_status", status)
        page.wait_for_function("(label) => document.querySelector('.submit-row .default').value === label", arg=label)
    page.fill("#id_title", "Out")
    page.fill("#id_body", "text")
    button.click()
    page.locator(".messagelist .success a", has_text="Out").click()
    page.wait_for_selector(".prose:has-text('text')")


def test_both_versions_are_shown_and_the_overwritten_one_is_kept(adding: Any) -> None:
    page = adding
    page.fill("#id_title", "两个标签页")
    page.fill("#id_body", "第一行\n最后一行")
    page.click("input[name=_draft]")
    page.wait_for_selector(".messagelist .success")
    other = page.context.new_page()
    other.goto(page.url)
    page.fill("#id_body", "第一行\n写了两小时的新段落\n最后一行")
    page.click("input[name=_draft]")
    page.wait_for_selector(".messagelist .success")
    other.fill("#id_body", "第一行，改了个错字\n最后一行")
    other.click("input[name=_draft]")
    other.wait_for_selector(".conflict")
    assert "写了两小时的新段落" in other.inner_text(".comparison")
    assert not other.is_visible(".faulty-fields")  # no field is at fault
    assert other.input_value("#id_body") == "第一行，改了个错字\n最后一行"
    other.wait_for_function("() => document.querySelector('.copy-state')")
    other.check("[name=overwrite]")
    other.wait_for_timeout(500)
    other.click("input[name=_draft]")
    other.wait_for_selector(".messagelist .success")
    other.locator("#copies").get_by_role("button", name="对比").click()
    shown = [area.input_value() for area in other.locator("#copies textarea").all()]
    assert "第一行\n写了两小时的新段落\n最后一行" in shown


def test_a_double_click_makes_one_post(adding: Any) -> None:
    page = adding
    page.fill("#id_title", "双击按钮")
    page.fill("#id_body", "text")
    page.locator(".submit-row .default").dblclick()
    page.wait_for_selector(".messagelist .success")
    page.goto("/admin/posts/post/?q=双击按钮")
    assert page.locator("#result_list tbody tr").count() == 1
