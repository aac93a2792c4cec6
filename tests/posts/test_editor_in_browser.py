"""The editor as a writer meets it: preview, pasted and dropped pictures, and what is said when one is refused."""

import base64
import re
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from tests.services import BlogServer

# The admin's pages name no icon, so the browser asks for /favicon.ico.
pytestmark = pytest.mark.page(allow_console="404")

GIVE = """([type, files]) => {
    const data = new DataTransfer();
    for (const [name, base64] of files) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], name));
    }
    const options = { bubbles: true, cancelable: true };
    const event = type === "paste"
        ? new ClipboardEvent(type, { ...options, clipboardData: data })
        : new DragEvent(type, { ...options, dataTransfer: data });
    document.querySelector("#id_body").dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def owner(daphne_server: BlogServer) -> None:
    daphne_server.env["DJANGO_SUPERUSER_PASSWORD"] = "a-long-password-of-tests"
    daphne_server.manage("createsuperuser", "--noinput", "--username=owner", "--email=o@example.com")


@pytest.fixture(scope="module")
def cookies() -> list[Any]:
    """Those of the owner's session, once somebody has signed in."""
    return []


@pytest.fixture
def editing(page: Any, owner: None, cookies: list[Any]) -> Any:
    if cookies:
        page.context.add_cookies(cookies)
        page.goto("/admin/posts/post/add/")
    else:
        page.goto("/admin/login/?next=/admin/posts/post/add/")
        page.fill("#id_username", "owner")
        page.fill("#id_password", "a-long-password-of-tests")
        page.press("#id_password", "Enter")
        page.wait_for_url("**/add/")
        cookies.extend(page.context.cookies())
    page.wait_for_selector("#id_body[data-markdownx-init]")
    return page


def picture(color: str, kind: str = "PNG") -> str:
    file = BytesIO()
    Image.new("RGB", (30, 20), color).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def test_the_preview_follows_the_text(editing: Any) -> None:
    editing.fill("#id_body", "# 标题\n\n**strong**")
    editing.wait_for_selector(".markdownx-preview .prose strong")
    assert editing.inner_text(".markdownx-preview h1").startswith("标题")


def test_pasted_and_dropped_pictures_land_in_the_text_in_order(editing: Any) -> None:
    editing.fill("#id_body", "before after")
    editing.evaluate("document.querySelector('#id_body').setSelectionRange(7, 7)")
    editing.evaluate(GIVE, ["paste", [["one.png", picture("red")], ["two.gif", picture("blue", "GIF")]]])
    editing.wait_for_selector(".markdownx-preview img >> nth=1")
    editing.evaluate(GIVE, ["drop", [["three.bin", picture("green", "WEBP")]]])
    editing.wait_for_selector(".markdownx-preview img >> nth=2")
    images = r"!\[one\]\(\S+\.png\)\n\n!\[two\]\(\S+\.gif\)\n\n!\[three\]\(\S+\.webp\)"
    assert re.fullmatch(rf"before \n\n{images}\n\nafter", editing.input_value("#id_body"))
    assert editing.evaluate(
        "[...document.querySelectorAll('.markdownx-preview img')].every((image) => image.naturalWidth)"
    )
    assert not editing.is_visible(".markdownx progress") and not editing.query_selector(".markdownx .errornote")


@pytest.mark.page(allow_console="400|403|404")
def test_a_refusal_is_shown_and_the_text_stays_as_it_was(editing: Any) -> None:
    editing.fill("#id_body", "mine")
    html = base64.b64encode(b"<html>").decode()
    editing.evaluate(GIVE, ["drop", [["<b>evil</b>.html", html], ["good.png", picture("red")]]])
    editing.wait_for_selector(".markdownx-preview img")
    assert "<b>evil</b>.html: " in editing.inner_text(".markdownx .errornote")
    assert re.fullmatch(r"mine\n\n!\[good\]\(\S+\)\n\n", editing.input_value("#id_body"))
    # Signed out in another window.
    editing.context.clear_cookies()
    editing.evaluate(GIVE, ["paste", [["late.png", picture("blue")]]])
    editing.wait_for_selector(".markdownx .errornote:has-text('late.png')")
    assert re.fullmatch(r"mine\n\n!\[good\]\(\S+\)\n\n", editing.input_value("#id_body"))
    assert editing.eval_on_selector("#id_body", "editor => getComputedStyle(editor).opacity") == "1"


def test_lists_of_the_preview_are_indented_as_in_the_post(editing: Any) -> None:
    editing.fill("#id_body", "text\n\n1. one\n   - two")
    editing.wait_for_selector(".markdownx-preview li li")
    lefts = editing.evaluate(
        "['.prose', 'ol > li', 'ul > li'].map((part) => "
        "document.querySelector(`.markdownx-preview ${part}`).getBoundingClientRect().left)"
    )
    assert 10 < lefts[1] - lefts[0] < 40 and 10 < lefts[2] - lefts[1] < 40, lefts


def test_a_wide_picture_fits_into_the_preview(editing: Any) -> None:
    editing.fill("#id_body", "")
    wide = BytesIO()
    Image.new("RGB", (1200, 600), "red").save(wide, "PNG")
    editing.evaluate(GIVE, ["paste", [["wide.png", base64.b64encode(wide.getvalue()).decode()]]])
    editing.wait_for_function(
        """() => {
            const picture = document.querySelector(".markdownx-preview img");
            if (!picture?.naturalWidth) return false;
            const room = picture.closest(".prose").getBoundingClientRect();
            const { right, width, height } = picture.getBoundingClientRect();
            return right <= room.right && Math.abs(width / height - 2) < 0.02;
        }"""
    )


def test_text_is_pasted_as_text_even_with_a_picture_of_it(editing: Any) -> None:
    uploads: list[str] = []
    editing.on("request", lambda request: uploads.append(request.url) if "upload" in request.url else None)
    editing.evaluate(
        """(base64) => {
            const data = new DataTransfer();
            data.items.add("words", "text/plain");
            data.items.add("<p>words</p>", "text/html");
            data.items.add(new File([atob(base64)], "image.png"));
            const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data });
            document.querySelector("#id_body").dispatchEvent(event);
            if (event.defaultPrevented) throw new Error("the text was not let through");
        }""",
        picture("red"),
    )
    editing.wait_for_timeout(300)
    assert not uploads


def test_the_keyboard_can_leave_the_editor(editing: Any) -> None:
    editing.focus("#id_body")
    editing.keyboard.press("Tab")
    assert editing.input_value("#id_body") == "\t"
    editing.keyboard.press("Escape")
    editing.keyboard.press("Tab")
    assert editing.evaluate("document.activeElement.id") != "id_body"


# -- Pictures while somebody writes -------------------------------------------------------------------------------


@pytest.fixture
def uploads(editing: Any) -> Any:
    """Uploads wait until `release()`."""
    held: list[Any] = []
    released: list[bool] = []

    def answer(route: Any) -> None:
        if released:
            route.continue_()
        else:
            held.append(route)

    def release() -> None:
        released.append(True)
        for route in held:
            route.continue_()

    editing.route("**/editor/upload/", answer)
    return SimpleNamespace(release=release)


def put_caret(page: Any, start: int, end: int | None = None) -> None:
    page.evaluate("([a, b]) => { id_body.focus(); id_body.setSelectionRange(a, b); }", [start, end or start])


def paste(page: Any, *names: str) -> None:
    page.evaluate(GIVE, ["paste", [[name, picture("red")] for name in names]])


def until_text(page: Any, pattern: str) -> None:
    try:
        page.wait_for_function("(pattern) => new RegExp(pattern).test(id_body.value)", arg=pattern)
    except Exception:
        raise AssertionError(page.input_value("#id_body")) from None


def test_a_picture_stands_on_lines_of_its_own(editing: Any) -> None:
    for text, caret, expected in (
        ("", 0, "PIC\n\n"),
        ("## 流程", 0, "PIC\n\n## 流程"),
        ("前文## 流程", 2, "前文\n\nPIC\n\n## 流程"),
        ("前文\n", 3, "前文\n\nPIC\n\n"),
        ("前文\n\n\n后文", 4, "前文\n\nPIC\n\n\n后文"),
        ("> 引文", 4, "> 引文\n>\n> PIC\n>\n> "),
        ("- 一\n- 二", 3, "- 一\n\n  PIC\n\n  \n- 二"),
        ("| a | b |\n|---|---|\n| 图 |  |", 23, "| a | b |\n|---|---|\n| 图PIC |  |"),
    ):
        editing.fill("#id_body", text)
        put_caret(editing, caret)
        paste(editing, "x.png")
        until_text(editing, r"!\[x\]\(/media")
        assert re.sub(r"!\[x\]\(\S+\)", "PIC", editing.input_value("#id_body")) == expected


def test_a_heading_behind_a_picture_stays_one(editing: Any) -> None:
    editing.fill("#id_body", "## 流程")
    put_caret(editing, 0)
    paste(editing, "x.png")
    editing.wait_for_selector(".markdownx-preview img")
    assert editing.inner_text(".markdownx-preview h2").startswith("流程")


def test_a_placeholder_holds_the_place_while_the_writer_goes_on(editing: Any, uploads: Any) -> None:
    editing.fill("#id_body", "one two")
    put_caret(editing, 3)
    paste(editing, "a.png", "b.png")
    until_text(editing, r"^one\n\n!\[上传中 a… #1\]\(\)\n\n!\[上传中 b… #2\]\(\)\n\n two$")
    editing.keyboard.press("ControlOrMeta+End")
    editing.keyboard.type(" three")
    put_caret(editing, 0, 3)  # selected text isn't replaced
    uploads.release()
    until_text(editing, r"^one\n\n!\[a\]\(\S+\)\n\n!\[b\]\(\S+\)\n\n two three$")
    assert editing.evaluate("[id_body.selectionStart, id_body.selectionEnd]") == [0, 3]


@pytest.mark.page(allow_console="400|404")
def test_a_picture_that_is_refused_leaves_the_text_as_it_was(editing: Any) -> None:
    editing.fill("#id_body", "one two")
    put_caret(editing, 3)
    html = base64.b64encode(b"<html>").decode()
    editing.evaluate(GIVE, ["paste", [["a.png", html], ["b.png", html]]])
    editing.wait_for_selector(".markdownx .errornote >> nth=1")
    assert editing.input_value("#id_body") == "one two"
    # It is said above the text, and stays in sight in a long one.
    editing.fill("#id_body", "line\n\n" * 200)
    assert editing.evaluate(
        """() => {
            const note = document.querySelector(".markdownx .errornote").getBoundingClientRect();
            return note.top < document.querySelector("#id_body").getBoundingClientRect().top;
        }"""
    )


def test_every_change_can_be_undone(editing: Any) -> None:
    editing.click("#id_body")
    editing.keyboard.type("hello world")
    editing.keyboard.press("Tab")
    editing.keyboard.type("abc")
    paste(editing, "x.png")
    until_text(editing, r"abc\n\n!\[x\]\(/media")
    editing.keyboard.type("later")
    for _ in range(40):
        editing.keyboard.press("ControlOrMeta+z")
    assert editing.input_value("#id_body") == ""


def test_lines_are_indented_and_back(editing: Any) -> None:
    editing.fill("#id_body", "one\ntwo\nthree")
    put_caret(editing, 1, 6)
    editing.keyboard.press("Tab")
    assert editing.input_value("#id_body") == "\tone\n\ttwo\nthree"
    editing.keyboard.press("Shift+Tab")
    assert editing.input_value("#id_body") == "one\ntwo\nthree"
    editing.keyboard.press("Control+]")
    editing.keyboard.press("Control+d")  # which bookmarks, and doubles nothing
    assert editing.input_value("#id_body") == "\tone\n\ttwo\nthree"


def compose(driver: Any, text: str) -> None:
    driver.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


@pytest.fixture
def ime(editing: Any) -> Any:
    return editing.context.new_cdp_session(editing)


def test_an_upload_tears_no_composition(editing: Any, uploads: Any, ime: Any) -> None:
    editing.fill("#id_body", "正文：")
    put_caret(editing, 3)
    paste(editing, "x.png")
    until_text(editing, r"上传中 x… #1\]\(\)\n\n$")
    for part in ("z", "zh", "zho"):
        compose(ime, part)
    uploads.release()
    editing.wait_for_timeout(1500)  # the picture is there by now, and waits
    assert editing.input_value("#id_body").endswith("\n\nzho")
    compose(ime, "zhong")
    ime.send("Input.insertText", {"text": "中文"})
    until_text(editing, r"^正文：\n\n!\[x\]\(/media/\S+\)\n\n中文$")


def test_no_preview_is_asked_for_while_composing(editing: Any, ime: Any) -> None:
    asked: list[str] = []
    editing.focus("#id_body")
    editing.wait_for_timeout(700)
    editing.on("request", lambda request: asked.append(request.post_data) if "preview" in request.url else None)
    for part in ("n", "ni", "ni'h", "ni'hao"):
        compose(ime, part)
        editing.wait_for_timeout(600)
    assert asked == []
    ime.send("Input.insertText", {"text": "你好"})
    editing.wait_for_selector(".markdownx-preview :text('你好')")
    assert len(asked) == 1


def test_tab_leaves_a_composition_alone(editing: Any, ime: Any) -> None:
    editing.focus("#id_body")
    compose(ime, "ni")
    editing.evaluate(
        "id_body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Tab', isComposing: true, bubbles: true }))"
    )
    ime.send("Input.insertText", {"text": "你"})
    assert editing.input_value("#id_body") == "你"


def test_saving_waits_for_pictures(editing: Any, uploads: Any) -> None:
    editing.fill("#id_title", "With pictures")
    editing.fill("#id_body", "图：")
    paste(editing, "a.png", "b.png")
    until_text(editing, "#2")
    editing.click("input[name=_draft]")
    assert editing.input_value("input[name=_draft]") == "等待图片上传…"
    editing.wait_for_timeout(300)
    assert editing.url.endswith("/add/")
    uploads.release()
    editing.wait_for_selector(".messagelist .success")
    body = editing.input_value("#id_body").replace("\r", "")
    assert re.fullmatch(r"图：\n\n!\[a\]\(/media\S+\)\n\n!\[b\]\(/media\S+\)\s*", body)


@pytest.mark.page(allow_console="404")
def test_a_placeholder_is_never_saved(editing: Any, uploads: Any) -> None:
    """Undo may bring one back after its picture has come, or after the writer took it out."""
    editing.fill("#id_title", "Undone")
    editing.fill("#id_body", "图：")
    paste(editing, "a.png")
    until_text(editing, "#1")
    uploads.release()
    until_text(editing, r"!\[a\]\(/media")
    editing.focus("#id_body")
    editing.keyboard.press("ControlOrMeta+z")
    until_text(editing, r"上传中 a… #1")
    editing.click("input[name=_draft]")
    editing.wait_for_selector(".messagelist .success")
    assert re.fullmatch(r"图：\s+!\[a\]\(/media\S+\)\s*", editing.input_value("#id_body"))


@pytest.mark.page(allow_console="400|404")
def test_a_refusal_keeps_the_page_that_says_so(editing: Any, uploads: Any) -> None:
    editing.fill("#id_title", "Refused")
    editing.fill("#id_body", "图：")
    editing.evaluate(GIVE, ["paste", [["a.png", base64.b64encode(b"<html>").decode()]]])
    until_text(editing, "#1")
    editing.click("input[name=_draft]")
    uploads.release()
    editing.wait_for_selector(".markdownx .errornote:has-text('a.png')")
    editing.wait_for_timeout(300)
    assert editing.url.endswith("/add/") and editing.input_value("#id_body") == "图："
    assert editing.input_value("input[name=_draft]") == "存为草稿"
    editing.click("input[name=_draft]")
    editing.wait_for_selector(".messagelist .success")


def test_a_server_that_never_answers_does_not_hold_up_saving(editing: Any, uploads: Any) -> None:
    editing.clock.install()
    editing.fill("#id_title", "Hanging")
    editing.fill("#id_body", "图：")
    paste(editing, "a.png")
    until_text(editing, "#1")
    editing.click("input[name=_draft]")
    editing.clock.fast_forward(50_000)
    editing.wait_for_timeout(300)
    assert editing.input_value("input[name=_draft]") == "等待图片上传…"
    editing.clock.fast_forward(15_000)
    editing.wait_for_selector(".markdownx .errornote:has-text('a.png: 图片上传失败')")
    until_text(editing, "^图：$")
    assert editing.url.endswith("/add/") and not editing.is_visible(".markdownx progress")
    editing.wait_for_selector("input[name=_draft][value=存为草稿]")


@pytest.mark.page(allow_console="404|429")
def test_too_many_in_a_minute_are_sent_later_by_themselves(editing: Any) -> None:
    refused: list[str] = []

    def answer(route: Any) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            headers = {"Retry-After": "1"}
            route.fulfill(status=429, headers=headers, content_type="application/json", body='{"error": "too many"}')

    editing.route("**/editor/upload/", answer)
    editing.fill("#id_body", "图：")
    paste(editing, "a.png")
    editing.wait_for_selector(".markdownx .errornote:has-text('1 秒后自动继续')")
    until_text(editing, r"!\[a\]\(/media")
    assert editing.query_selector(".markdownx .errornote") is None
