"""What a writer has typed outlives the server: it is offered again until it is stored."""

import signal
from typing import Any

import pytest

from tests.services import BROWSER, BlogServer

PASSWORD = "a-long-password-of-tests"
# The editor logs nothing, as an error, when it gets no preview.
pytestmark = pytest.mark.page(allow_console="404|ERR_|Failed to load|^$", language="en", user_agent=BROWSER)


@pytest.fixture(scope="module")
def owned(daphne_server: BlogServer) -> BlogServer:
    daphne_server.env["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    daphne_server.manage("createsuperuser", "--noinput", "--username=owner", "--email=o@example.com")
    return daphne_server


@pytest.fixture
def writing(owned: BlogServer, page: Any) -> Any:
    page.goto("/admin/login/?next=/admin/posts/post/add/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_selector("#id_body[data-markdownx-init]")
    return page


def drafts(page: Any) -> list[str]:
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('blog-draft:'))")


def until_kept(page: Any, text: str) -> None:
    page.wait_for_function("(text) => Object.values(localStorage).some((kept) => kept.includes(text))", arg=text)


def test_text_survives_a_server_that_dies_and_is_forgotten_when_saved(writing: Any, owned: BlogServer) -> None:
    page = writing
    page.fill("#id_title", "长文 🎉")
    page.fill("#id_body", "Written for **hours**.")
    until_kept(page, "hours")
    owned.stop(signal.SIGKILL)
    page.locator("input[name=_save]").first.click()
    page.wait_for_url("chrome-error://**")
    owned.start()

    page.goto("/admin/posts/post/add/")
    offer = page.locator(".draft")
    assert "text of" in offer.inner_text() and page.input_value("#id_body") == ""
    offer.get_by_role("button", name="Put it back").click()
    assert page.input_value("#id_title") == "长文 🎉" and page.input_value("#id_body") == "Written for **hours**."
    page.locator(".markdownx-preview strong").wait_for()
    # Refused by the server for another reason: the text stands in the form, and nothing is offered.
    page.evaluate("document.querySelector('#id_title').required = false")
    page.fill("#id_title", " ")
    page.locator("input[name=_save]").first.click()
    page.wait_for_selector(".errornote")
    assert page.input_value("#id_body") == "Written for **hours**." and offer.count() == 0
    page.fill("#id_title", "Long text")
    page.locator("input[name=_continue]").first.click()
    page.wait_for_selector(".messagelist .success")
    assert drafts(page) == []
    page.goto("/admin/posts/post/add/")
    page.wait_for_selector("#id_body[data-markdownx-init]")
    assert offer.count() == 0


def test_each_post_has_its_own_and_it_can_be_thrown_away(writing: Any) -> None:
    page = writing
    page.fill("#id_title", "First")
    page.fill("#id_body", "Stored text.")
    page.locator("input[name=_continue]").first.click()
    page.wait_for_selector(".messagelist .success")
    page.fill("#id_body", "Stored text, changed.")
    until_kept(page, "changed")
    address = page.url
    page.goto("/admin/posts/post/add/")
    page.wait_for_selector("#id_body[data-markdownx-init]")
    assert page.locator(".draft").count() == 0
    page.goto(address)
    page.get_by_role("button", name="Throw it away").click()
    assert page.input_value("#id_body") == "Stored text." and drafts(page) == []
    page.reload()
    page.wait_for_selector("#id_body[data-markdownx-init]")
    assert page.locator(".draft").count() == 0
