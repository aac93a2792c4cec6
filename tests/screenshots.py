"""`make screenshots`: every kind of page in docs/screenshots/, light and dark, 390 and 1280 pixels wide, as small WebP."""

import io
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.services import BROWSER, CHROMIUM_ARGS, BlogServer, program

FOLDER = Path(__file__).resolve().parent.parent / "docs/screenshots"
PAGES = {
    "home": "/",
    "post": "/article/1/",
    "category": "/category/2/",
    "archive": "/archive/",
    "tags": "/tags/",
    "search": "/search/?q=Markdown",
    "comment": "/article/1/comment/",
    "404": "/nowhere",
}
WIDTHS = {390: 844, 1280: 900}
SHOWN_WIDTH = {390: 390, 1280: 800}
QUALITY = 60


def write_comment(page: Page, url: str, name: str, text: str) -> None:
    page.goto(f"{url}/article/1/comment/")
    page.fill("[name=author_name]", name)
    page.fill("[name=author_email]", f"{name}@example.com")
    page.fill("[name=body]", text)
    page.locator(".comment-form [type=submit]:not([formaction])").click()
    page.wait_for_url("**/article/1/*/**")


def picture(page: Page, width: int) -> bytes:
    image = Image.open(io.BytesIO(page.screenshot()))
    small = SHOWN_WIDTH[width]
    image = image.convert("RGB").resize((small, image.height * small // image.width), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=6)
    return out.getvalue()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with BlogServer() as blog, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program("chromium", "chromium-browser"), args=list(CHROMIUM_ARGS)
        )
        common = {"locale": "zh-CN", "user_agent": BROWSER}
        with chromium.new_context(**common) as context:
            page = context.new_page()
            write_comment(page, blog.url, "lin", "排版真舒服，**代码块**和表格都清楚。")
            write_comment(page, blog.url, "chen", "> 表格都清楚\n\n同意，手机上也好看。")
        for (name, path), (width, height), scheme in product(PAGES.items(), WIDTHS.items(), ("light", "dark")):
            size = {"width": width, "height": height}
            with chromium.new_context(viewport=size, color_scheme=scheme, **common) as context:
                page = context.new_page()
                page.goto(blog.url + path, wait_until="networkidle")
                (FOLDER / f"{name}-{width}-{scheme}.webp").write_bytes(picture(page, width))
        chromium.close()
    print(f"{len(list(FOLDER.glob('*.webp')))} pictures in {FOLDER.relative_to(FOLDER.parent.parent)}")


if __name__ == "__main__":
    main()
