"""Moderating from the post page, in Chromium: what waits is approved, spam goes, Undo brings it back, readers see none of it."""

import re

import pytest

from tests.services import BROWSER, BlogServer

pytestmark = pytest.mark.page(language="en", user_agent=BROWSER)

FILL = """
from apps.posts.models import Post
from tests.factories import make_administrator, make_comment, make_post
make_administrator(username="owner", password="correct-horse-9")
print(make_post(title="To be discussed").get_absolute_url())
"""


def write(page, path: str, text: str, name: str = "Ada") -> None:
    page.goto(path)
    page.locator("[data-form]").scroll_into_view_if_needed()
    page.locator("#id_author_name").fill(name)
    page.locator("#id_author_email").fill(f"{name.lower()}@example.com")
    page.locator("#id_body").fill(text)
    page.get_by_role("button", name="Post comment").click()


def test_from_the_held_comment_to_the_undone_mark(page, new_page, daphne_server: BlogServer) -> None:
    path = daphne_server.manage("shell", "--verbosity=0", "-c", FILL).splitlines()[-1]
    reader = new_page(daphne_server.url, language="en", user_agent=BROWSER)
    write(reader, path, "A fine thought.")
    reader.locator("#floor-1", has_text="A fine thought.").wait_for()
    box = reader.locator("div:has(> #id_topic)").bounding_box()  # None: not shown at all
    assert box is None or box["width"] <= 1
    assert reader.get_by_role("textbox", name="Leave this field blank").count() == 0
    write(reader, path, "Win free spins tonight: https://lucky.example/", "Bob")
    reader.get_by_text("Your comment will appear once it is approved.").wait_for()
    reader.goto(f"{path.rpartition('/')[0].rpartition('/')[0]}/comment/held/")
    reader.get_by_role("heading", name="Your comment is awaiting approval").wait_for()
    reader.get_by_role("link", name="Back to post").click()
    reader.wait_for_url(f"**{path}")
    assert reader.locator("#floor-2").count() == 0 and reader.locator(".moderate").count() == 0

    page.goto("/admin/login/")
    page.locator("#id_username").fill("owner")
    page.locator("#id_password").fill("correct-horse-9")
    page.locator("[type=submit]").click()
    page.wait_for_url("**/admin/")
    page.goto(path)
    waiting = page.locator(".moderation .comment", has_text="Win free spins")
    assert "advertising phrases" in waiting.inner_text()
    waiting.get_by_role("button", name="Approve").click()
    page.locator(".moderation", has_text="1 comment approved.").wait_for()
    reader.goto(path)
    reader.locator("#floor-2", has_text="Win free spins").wait_for()

    page.locator("#floor-2").get_by_role("button", name="Mark as spam").click()
    page.locator(".moderation", has_text="1 comment marked as spam.").wait_for()
    assert page.locator("#floor-2").count() == 0
    reader.goto(path)
    reader.locator("#floor-1").wait_for()
    assert reader.locator("#floor-2").count() == 0
    page.get_by_role("button", name="Undo").click()
    page.locator(".moderation", has_text="1 comment restored.").wait_for()
    page.locator("#floor-2").wait_for()

    page.goto("/admin/comments/comment/")
    row = page.locator("#result_list tr", has_text="A fine thought.")
    row.locator("summary").click()
    row.locator("textarea").fill("So it is.")
    row.get_by_role("button", name="Send reply").click()
    page.get_by_role("link", name=re.compile(r"Your reply was posted as #\d")).click()
    page.locator("#floor-3", has_text="So it is.").wait_for()
