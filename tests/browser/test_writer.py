"""The first day of a new owner, in Chromium: become administrator, write a post with a picture, see it public."""

import base64
import io
import re

import pytest
from PIL import Image

from tests.services import BROWSER, BlogServer

pytestmark = pytest.mark.page(locale="zh-CN", user_agent=BROWSER)

DROP = """([encoded, name, type]) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  document.querySelector(".markdownx-editor").dispatchEvent(
    new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def drop(page, data: bytes, name: str, kind: str) -> None:
    page.evaluate(DROP, [base64.b64encode(data).decode(), name, kind])


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 200), "#c0ffee").save(file, "PNG")
    return file.getvalue()


@pytest.mark.page(locale="zh-CN", user_agent=BROWSER, allow_console="40[04]")
def test_from_the_setup_link_to_a_public_post(page, new_page, daphne_server: BlogServer) -> None:
    link = re.search(r"http\S+/setup/\?token=\S+", daphne_server.log)[0]
    page.goto(link)
    page.get_by_label("用户名").fill("站长")
    page.get_by_label("密码", exact=True).or_(page.locator("#id_password1")).first.fill("correct-horse-9")
    page.locator("#id_password2").fill("correct-horse-9")
    page.get_by_role("button", name="创建账号").click()
    page.wait_for_url("**/admin/")
    assert page.goto(link).status == 404

    page.goto("/admin/posts/post/add/")
    page.locator("#id_title").fill("第一篇 🎉")
    page.locator("#id_body").fill("# 开始\n\n**你好**，世界。\n\n")
    page.locator("#id_body").press("ControlOrMeta+End")
    drop(page, b"<svg onload=alert(1)>", "evil.png", "image/png")
    page.locator("[role=alert] .errornote").wait_for()
    drop(page, png(), "picture.png", "image/png")
    page.wait_for_function("() => document.querySelector('#id_body').value.includes('![picture](/media/uploads/')")
    preview = page.locator(".markdownx-preview")
    preview.locator("strong", has_text="你好").wait_for()
    preview.locator("img").wait_for()
    page.locator("input[name=_publish]").first.click()
    page.wait_for_url("**/admin/posts/post/")

    reader = new_page(daphne_server.url, locale="zh-CN", user_agent=BROWSER)
    reader.goto("/")
    reader.get_by_role("link", name="第一篇 🎉").first.click()
    reader.locator(".prose strong", has_text="你好").wait_for()
    assert (
        reader.locator(".prose img").evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") == 320
    )


def test_the_editor_is_closed_to_strangers(page) -> None:
    for path in ("/admin/editor/preview/", "/admin/editor/upload/"):
        assert page.request.post(path, form={"content": "x"}).status == 403
    page.goto("/admin/")
    assert "/admin/login/" in page.url
