"""A writer's text outlives the server, the tab and the browser, and never takes a newer text's place unseen."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.services import BROWSER, BlogServer

PASSWORD = "a-long-password-of-tests"
pytestmark = pytest.mark.page(allow_console="404|ERR_|Failed to load", locale="zh-CN", user_agent=BROWSER)
ADD = "/admin/posts/post/add/"
COPIES = """async () => {
    const database = await new Promise((resolve) => {
        const request = indexedDB.open("blog-copies", 1);
        request.onupgradeneeded = () => request.result.createObjectStore("copies", { keyPath: "slot" });
        request.onsuccess = () => resolve(request.result);
    });
    const copies = await new Promise((resolve) => {
        const request = database.transaction("copies").objectStore("copies").getAll();
        request.onsuccess = () => resolve(request.result);
    });
    database.close();
    return copies;
}"""

# Drafts that the server keeps from the test before: all tests use one account.
THROW_AWAY = """async () => {
    const { drafts, token } = await (await fetch("/admin/editor/drafts/")).json();
    for (const { slot } of drafts) {
        await fetch(`/admin/editor/draft/${slot}/`, { method: "DELETE", headers: { "X-CSRFToken": token } });
    }
}"""


@pytest.fixture(scope="module")
def owned(daphne_server: BlogServer) -> BlogServer:
    daphne_server.env["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    daphne_server.manage("createsuperuser", "--noinput", "--username=owner", "--email=o@example.com")
    return daphne_server


@pytest.fixture(scope="module")
def cookies() -> list[Any]:
    return []


@pytest.fixture
def writing(owned: BlogServer, page: Any, cookies: list[Any]) -> Any:
    if cookies:
        page.context.add_cookies(cookies)
    else:
        sign_in(page)
        cookies.extend(page.context.cookies())
    open_form(page).evaluate(THROW_AWAY)
    return open_form(page)


def sign_in(page: Any) -> None:
    page.goto(f"/admin/login/?next={ADD}")
    page.fill("#id_username", "owner")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url(f"**{ADD}")


def open_form(page: Any, address: str = ADD) -> Any:
    page.goto(address)
    page.wait_for_selector("#id_body[data-markdownx-init]")
    page.wait_for_function("() => document.querySelector('.copy-state')")
    return page


def copies(page: Any) -> list[dict[str, Any]]:
    return page.evaluate(COPIES)


def until_kept(page: Any, text: str) -> None:
    end = time.monotonic() + 10
    while not any(text in str(copy["values"]) for copy in copies(page)):
        assert time.monotonic() < end, copies(page)
        page.wait_for_timeout(100)


def save_draft(page: Any) -> str:
    page.click("input[name=_draft]")
    page.wait_for_selector(".messagelist .success")
    return page.url


def offers(page: Any) -> Any:
    return page.locator("#copies li")


def test_text_survives_a_server_that_dies_and_is_forgotten_when_saved(writing: Any, owned: BlogServer) -> None:
    page = writing
    page.fill("#id_title", "长文 🎉")
    page.fill("#id_body", "Written for **hours**.")
    page.wait_for_selector(".copy-state:has-text('本机已保存')")
    until_kept(page, "hours")
    owned.stop(signal.SIGKILL)
    page.click("input[name=_draft]")
    # No page of an error takes the text's place.
    page.wait_for_selector(".copy-state[role=alert]:has-text('连接不上服务器')")
    assert page.input_value("#id_body") == "Written for **hours**."
    page.goto("about:blank")
    owned.start()

    open_form(page)
    offer = offers(page)
    offer.wait_for()
    assert "长文 🎉" in offer.inner_text() and "22 字" in offer.inner_text() and page.input_value("#id_body") == ""
    offer.get_by_role("button", name="恢复").click()
    page.wait_for_function("() => id_body.value")
    assert page.input_value("#id_title") == "长文 🎉" and page.input_value("#id_body") == "Written for **hours**."
    page.locator(".markdownx-preview strong").wait_for()
    # Refused by the server for another reason: the text stands in the form, and nothing is offered.
    page.fill("#id_title", " ")
    page.click("input[name=_draft]")
    page.wait_for_selector(".errornote")
    page.wait_for_selector(".copy-state", state="attached")
    assert page.input_value("#id_body") == "Written for **hours**." and offer.count() == 0
    page.fill("#id_title", "Long text")
    save_draft(page)
    page.wait_for_function("() => document.querySelector('.copy-state')")
    assert copies(page) == []
    open_form(page)
    assert offer.count() == 0


def test_each_post_has_its_own_and_it_can_be_thrown_away(writing: Any) -> None:
    page = writing
    page.fill("#id_title", "First")
    page.fill("#id_body", "Stored text.")
    address = save_draft(page)
    page.fill("#id_body", "Stored text, changed.")
    until_kept(page, "changed")
    open_form(page)
    assert offers(page).count() == 0
    page.goto("/admin/posts/post/")
    page.locator("#copies a", has_text="打开").wait_for()
    open_form(page, address)
    page.get_by_role("button", name="放弃").click()
    page.wait_for_selector("#copies:has-text('已放弃《First》')")
    assert page.input_value("#id_body") == "Stored text." and copies(page) == [] and offers(page).count() == 0
    page.get_by_role("button", name="撤销").click()
    page.get_by_role("button", name="恢复").click()
    page.wait_for_function("() => id_body.value === 'Stored text, changed.'")


def test_text_is_kept_though_the_server_has_not_answered_yet(writing: Any) -> None:
    page = writing
    page.route("**/admin/editor/drafts/", lambda route: None)  # as a line that hangs
    page.goto(ADD)
    page.wait_for_selector("#id_body[data-markdownx-init]")
    page.fill("#id_title", "Typed at once")
    until_kept(page, "Typed at once")
    page.unroute("**/admin/editor/drafts/")
    open_form(page)
    offers(page).get_by_role("button", name="恢复").click()
    page.wait_for_function("() => id_title.value === 'Typed at once'")


def test_everything_comes_back_and_a_file_is_named(writing: Any, tmp_path: Path) -> None:
    page = writing
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    page.evaluate("id_tags.append(new Option('新标签', '1')); id_tags.options[0].selected = true")
    for name, value in {
        "title": "全部字段", "body": "正文", "summary": "摘要", "slug": "all-of-it", "password": "geheim",
        "original_url": "https://example.com/", "published_at_0": "2030/01/02", "published_at_1": "09:00",
    }.items():  # fmt: skip
        page.fill(f"#id_{name}", value)
    for name, value in {"status": "private", "kind": "page", "language": "ja"}.items():
        page.select_option(f"#id_{name}", value)
    page.check("#id_pinned")
    page.uncheck("#id_comments_open")
    cover = tmp_path / "封面.png"
    cover.write_bytes(b"\x89PNG")
    page.set_input_files("#id_cover", str(cover))
    until_kept(page, "geheim")
    page.wait_for_timeout(1000)
    before = next(copy for copy in copies(page) if copy["values"]["title"] == "全部字段")
    assert before["files"] == {"cover": "封面.png"}
    open_form(page)
    offers(page).get_by_role("button", name="恢复").click()
    page.wait_for_selector(".copies-told:has-text('封面.png')")
    page.wait_for_timeout(1000)
    after = next(copy for copy in copies(page) if copy["slot"] == before["slot"])
    assert after["values"] == before["values"]
    assert page.input_value("#id_status") == "private" and page.input_value("#id_password") == "geheim"
    page.evaluate("document.querySelectorAll('#copies button').forEach((button) => button.click())")


def test_two_new_posts_never_share_a_copy(writing: Any) -> None:
    first = writing
    first.fill("#id_title", "甲")
    first.fill("#id_body", "甲的长文")
    until_kept(first, "甲的长文")
    second = first.context.new_page()
    open_form(second)
    assert offers(second).count() == 0  # it stands open in the first one
    second.fill("#id_title", "乙")
    second.fill("#id_body", "乙的短文")
    save_draft(second)
    assert [copy["values"]["title"] for copy in copies(second)] == ["甲"]
    first.close()
    open_form(second)
    assert "甲" in offers(second).inner_text()
    # Typing past the offer overwrites nothing.
    second.fill("#id_body", "丙，另一篇")
    until_kept(second, "丙")
    open_form(second)
    offers(second).nth(1).wait_for()
    assert sorted(copy["values"]["body"] for copy in copies(second)) == ["丙，另一篇", "甲的长文"]
    # Put back over something else that was typed, it takes nothing away either.
    second.fill("#id_body", "丁")
    offers(second).filter(has_text="甲").get_by_role("button", name="恢复").click()
    second.wait_for_function("() => id_body.value === '甲的长文'")
    assert {copy["values"]["body"] for copy in copies(second)} == {"丁", "丙，另一篇", "甲的长文"}


def test_an_older_copy_is_compared_before_it_takes_a_newer_text_s_place(writing: Any, owned: BlogServer) -> None:
    page = writing
    page.fill("#id_title", "两处")
    page.fill("#id_body", "第一版")
    address = save_draft(page)
    page.fill("#id_body", "旧电脑上的一句")
    until_kept(page, "旧电脑")
    page.goto("about:blank")
    number = address.rstrip("/").split("/")[-2]
    owned.manage("shell", "-c", "from apps.posts.models import Post\n"
                 f"post = Post.objects.get(pk={number}); post.body = '三千字新结尾'; post.save()")  # fmt: skip
    open_form(page, address)
    assert page.input_value("#id_body") == "三千字新结尾"
    page.get_by_role("button", name="对比").click()
    both = page.locator("#copies textarea")
    assert "在别处改过" in page.inner_text("#copies")
    assert [both.nth(place).input_value() for place in (0, 1)] == ["旧电脑上的一句", "三千字新结尾"]
    page.get_by_role("button", name="用副本").click()
    page.wait_for_function("() => id_body.value === '旧电脑上的一句'")
    save_draft(page)
    # The newer one can still be had.
    page.locator("#copies").get_by_role("button", name="对比").click()
    page.get_by_role("button", name="用副本").click()
    page.wait_for_function("() => id_body.value === '三千字新结尾'")


def test_a_copy_never_opens_what_was_closed_since(writing: Any, owned: BlogServer) -> None:
    page = writing
    page.fill("#id_title", "关上的")
    page.fill("#id_body", "正文")
    address = save_draft(page)
    page.select_option("#id_status", "published")
    page.fill("#id_body", "正文，改了")
    until_kept(page, "改了")
    page.goto("about:blank")
    number = address.rstrip("/").split("/")[-2]
    owned.manage("shell", "-c", "from apps.posts.models import Post\n"
                 f"Post.objects.filter(pk={number}).update(status='private', password='zu')")  # fmt: skip
    open_form(page, address)
    page.get_by_role("button", name="对比").click()
    page.get_by_role("button", name="用副本").click()
    page.wait_for_function("() => id_body.value === '正文，改了'")
    assert page.input_value("#id_status") == "private" and page.input_value("#id_password") == "zu"
    assert "为免误公开" in page.inner_text("#copies")


def test_copies_of_an_earlier_release_are_taken_over(writing: Any) -> None:
    page = writing
    page.evaluate(
        """(path) => localStorage.setItem(`blog-draft:${path}`, JSON.stringify(
            { at: Date.now() - 5000, values: { title: "旧版", body: "旧版的正文", summary: "" } }))""",
        ADD,
    )
    open_form(page)
    offers(page).filter(has_text="旧版").get_by_role("button", name="恢复").click()
    page.wait_for_function("() => id_body.value === '旧版的正文'")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('blog-draft:'))") == []


@pytest.mark.page(allow_console="404", locale="zh-CN", user_agent=BROWSER)
def test_a_browser_that_keeps_nothing_says_so(writing: Any) -> None:
    page = writing
    page.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('no room', 'QuotaExceededError') }"
    )
    page.goto(ADD)
    page.wait_for_selector("#id_body[data-markdownx-init]")
    page.wait_for_selector("#copies:has-text('no room')")
    page.fill("#id_title", "Without")
    page.fill("#id_body", "a copy")
    save_draft(page)


@pytest.mark.chromium
def test_a_killed_browser_loses_three_seconds_at_most(owned: BlogServer, tmp_path: Path, browser: Any) -> None:
    """A sentence a second, then SIGKILL: what was typed three seconds before is on the disk."""
    options = {
        "executable_path": services.program("chromium", "chromium-browser"),
        "args": list(services.CHROMIUM_ARGS),
        "base_url": owned.url,
        "locale": "zh-CN",
    }
    launch = browser.browser_type.launch_persistent_context
    context = launch(str(tmp_path), **options)
    page = context.new_page()
    sign_in(page)
    page.wait_for_selector("#id_body[data-markdownx-init]")
    page.fill("#id_title", "Crash")
    page.focus("#id_body")
    typed = []
    for number in range(8):
        typed.append((time.monotonic(), f"[{number}]"))
        page.keyboard.type(typed[-1][1])
        page.wait_for_timeout(1000)
    killed = time.monotonic()
    for pid in processes_of(tmp_path):
        os.kill(pid, signal.SIGKILL)
    (tmp_path / "SingletonLock").unlink(missing_ok=True)
    context = launch(str(tmp_path), **options)
    page = context.new_page()
    sign_in(page)
    offers(page).filter(has_text="Crash").get_by_role("button", name="恢复").click()
    page.wait_for_function("() => id_body.value")
    kept = page.input_value("#id_body")
    context.close()
    assert all(text in kept for at, text in typed if at < killed - 3), (kept, typed, killed)


def processes_of(profile: Path) -> list[int]:
    found = subprocess.run(["pgrep", "-f", f"user-data-dir={profile}"], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def test_the_text_of_a_post_that_was_deleted_meanwhile_is_not_lost(writing: Any, owned: BlogServer) -> None:
    page = writing
    page.fill("#id_title", "删掉的")
    page.fill("#id_body", "正文")
    address = save_draft(page)
    number = address.rstrip("/").split("/")[-2]
    page.fill("#id_body", "正文，还在写")
    owned.manage("shell", "-c", f"from apps.posts.models import Post\nPost.objects.filter(pk={number}).delete()")
    page.click("input[name=_draft]")
    page.wait_for_url("**/admin/posts/post/")
    offers(page).filter(has_text="删掉的").get_by_role("link", name="作为新文章").click()
    page.wait_for_selector("#id_body[data-markdownx-init]")
    offers(page).filter(has_text="删掉的").get_by_role("button", name="恢复").click()
    page.wait_for_function("() => id_body.value === '正文，还在写'")
