"""The editor as a writer meets it: preview, pasted and dropped pictures, and what is said when one is refused."""

import base64
import re
from io import BytesIO
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


@pytest.fixture
def editing(page: Any, owner: None) -> Any:
    page.goto("/admin/login/?next=/admin/posts/post/add/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", "a-long-password-of-tests")
    page.press("#id_password", "Enter")
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
    images = r"!\[one\]\(\S+\.png\)\n!\[two\]\(\S+\.gif\)!\[three\]\(\S+\.webp\)"
    assert re.fullmatch(rf"before {images}after", editing.input_value("#id_body"))
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
    assert re.fullmatch(r"mine!\[good\]\(\S+\)", editing.input_value("#id_body"))
    # Signed out in another window.
    editing.context.clear_cookies()
    editing.evaluate(GIVE, ["paste", [["late.png", picture("blue")]]])
    editing.wait_for_selector(".markdownx .errornote:has-text('late.png')")
    assert re.fullmatch(r"mine!\[good\]\(\S+\)", editing.input_value("#id_body"))
    assert editing.eval_on_selector("#id_body", "editor => getComputedStyle(editor).opacity") == "1"


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
