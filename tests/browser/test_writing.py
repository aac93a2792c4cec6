"""Writing a comment in Chromium: nothing that was typed is lost, and the page stays where it is."""

import re
from collections.abc import Callable

import pytest

from tests.services import BROWSER, BlogServer

ENGLISH = {"language": "en", "user_agent": BROWSER}
pytestmark = pytest.mark.page(**ENGLISH)
REFUSED = r"\b(?:403|422)\b"


def open_post(page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Markdown showcase").first.click()
    page.wait_for_load_state("load")


def form_of(page):
    page.locator(".comment-write").scroll_into_view_if_needed()
    return page.locator(".comment-form")


def fill(form, text: str, name: str = "Lin") -> None:
    form.get_by_label("Name").fill(name)
    form.get_by_label("Email:").fill("lin@example.com")
    form.get_by_label("Comment:").fill(text)


def send(form) -> None:
    form.get_by_role("button", name="Post comment").click()


def write(page, text: str):
    form = form_of(page)
    fill(form, text)
    send(form)
    comment = page.locator(".comment", has_text=text)
    comment.wait_for()
    page.get_by_role("status").filter(has_text="Posted as #").wait_for()
    return comment


def test_a_comment_is_sent_without_leaving_the_page(page) -> None:
    open_post(page)
    page.evaluate("() => (window.stayed = true)")
    before = page.url
    write(page, "First one.")
    assert page.url == before and page.evaluate("() => window.stayed")
    form = form_of(page)
    assert form.get_by_label("Comment:").input_value() == "" and form.get_by_label("Name").input_value() == "Lin"
    write(page, "Second one.")  # the form has a key of its own again
    page.reload()
    assert page.locator(".comment", has_text="Second one.").count() == 1


def test_a_double_click_sends_one_comment(page) -> None:
    open_post(page)
    form = form_of(page)
    fill(form, "Only once.")
    form.get_by_role("button", name="Post comment").dblclick()
    page.locator(".comment", has_text="Only once.").wait_for()
    page.reload()
    assert page.locator(".comment", has_text="Only once.").count() == 1


@pytest.mark.page(**ENGLISH, allow_console="ERR_|Failed to load")
def test_an_answer_that_is_lost_is_asked_for_again(page) -> None:
    open_post(page)
    form = form_of(page)
    fill(form, "Stored, and the answer lost.")
    lost = []

    def lose(route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"/comment/\?part$"), lose)
    send(form)
    page.locator(".comment", has_text="Stored, and the answer lost.").wait_for()
    assert lost == [201]
    page.reload()
    assert page.locator(".comment", has_text="Stored, and the answer lost.").count() == 1


@pytest.mark.page(**ENGLISH)
def test_nothing_moves_when_help_for_writing_arrives(page) -> None:
    """It comes when the form is first touched, be it by pressing Send, which must still be there when it is let go."""
    open_post(page)
    form = form_of(page)
    button = form.get_by_role("button", name="Post comment")
    before = button.bounding_box()
    form.get_by_label("Comment:").focus()
    form.locator(".emoji summary").wait_for()
    assert button.bounding_box() == before


@pytest.mark.page(**ENGLISH, allow_console="ERR_|Failed to load")
def test_a_draft_survives_an_outage_and_a_reload(page) -> None:
    open_post(page)
    form = form_of(page)
    fill(form, "Not to be lost.")
    key = form.locator("[name=submission]").input_value()
    page.route(re.compile(r"/comment/\?part$"), lambda route: route.abort())
    send(form)
    page.get_by_role("status").filter(has_text="Couldn't send. Your text is still here").wait_for()
    assert form.get_by_label("Comment:").input_value() == "Not to be lost."
    page.unroute_all()
    page.reload()
    form = form_of(page)
    assert form.get_by_label("Comment:").input_value() == "Not to be lost."
    assert form.locator("[name=submission]").input_value() == key  # had it been stored, it would not be twice
    send(form)
    page.locator(".comment", has_text="Not to be lost.").wait_for()
    page.reload()
    assert form_of(page).get_by_label("Comment:").input_value() == ""


@pytest.mark.page(**ENGLISH, allow_console=REFUSED)
def test_an_expired_form_keeps_the_text_and_is_sent_by_a_second_click(page) -> None:
    open_post(page)
    form = form_of(page)
    fill(form, "Slowly thought over.")
    page.context.clear_cookies(name="csrftoken")
    send(form)
    form.get_by_role("alert").filter(has_text="This form has expired.").wait_for()
    assert form.get_by_label("Comment:").input_value() == "Slowly thought over."
    send(form)
    page.locator(".comment", has_text="Slowly thought over.").wait_for()


@pytest.mark.page(**ENGLISH, allow_console=REFUSED)
def test_what_is_wrong_is_said_where_it_is_and_takes_the_focus(page) -> None:
    open_post(page)
    form = form_of(page)
    fill(form, "Kept all the same.")
    form.get_by_label("Email:").fill("a@b")  # good enough for the browser, not for the server
    send(form)
    form.get_by_role("alert").wait_for()
    email = form.get_by_label("Email:")
    assert email.evaluate("field => field === document.activeElement")
    described = email.get_attribute("aria-describedby").split()
    words = " ".join(page.locator(f"#{name}").inner_text() for name in described)
    assert "valid email" in words and email.get_attribute("aria-invalid") == "true"
    email.fill("a@example.com")
    page.keyboard.press("Enter")
    page.locator(".comment", has_text="Kept all the same.").wait_for()


def test_by_keyboard_alone(page) -> None:
    open_post(page)
    form = form_of(page)
    form.get_by_label("Name").focus()
    for typed in ("Kim", "kim@example.com", "", "Typed, never clicked."):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.tagName") == "SUMMARY"  # of the emoji
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert not form.locator(".emoji").evaluate("picker => picker.open")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    comment = page.locator(".comment", has_text="Typed, never clicked.😀")
    comment.wait_for()
    page.get_by_role("status").filter(has_text="Posted as #").wait_for()
    assert page.evaluate("() => document.activeElement.closest('[role=status]') !== null")


def test_a_reply_is_written_under_what_it_answers(page) -> None:
    open_post(page)
    comment = write(page, "Answer me.")
    floor = comment.get_attribute("id").removeprefix("floor-")
    comment.get_by_role("link", name="Reply", exact=True).click()
    form = comment.locator(".comment-form")
    form.get_by_label("Comment:").fill("I do.")
    form.get_by_role("button", name="Cancel reply").click()
    assert page.locator(".comment-write > .comment-form").get_by_label("Comment:").input_value() == "I do."
    comment.get_by_role("link", name="Reply", exact=True).click()
    send(form)
    page.locator(".comment", has_text="I do.").get_by_role("link", name=f"In reply to #{floor}").wait_for()
    assert page.locator(".comment-write > .comment-form").count() == 1


def test_a_selection_is_quoted(page) -> None:
    open_post(page)
    comment = write(page, "Words worth quoting.")
    form_of(page).get_by_label("Comment:").fill("Well:")
    comment.locator(".prose p").select_text()
    page.get_by_role("button", name="Quote").click()
    text = comment.locator(".comment-form").get_by_label("Comment:")
    assert text.input_value() == "Well:\n\n> Words worth quoting.\n\n"
    assert text.evaluate("field => field === document.activeElement")
    page.locator(".post .prose p").first.select_text()
    page.get_by_role("button", name="Quote").click()
    page.wait_for_function(
        "() => document.querySelector('.comment-form [name=body]').value.match(/^> /gm).length === 2"
    )
    send(page.locator(".comment-form"))
    page.locator(".comment blockquote").first.wait_for()
    assert page.get_by_role("button", name="Quote").count() == 0


def test_a_preview_follows_the_typing(page) -> None:
    open_post(page)
    form = form_of(page)
    fill(form, "A **bold** word.")
    button = form.get_by_role("button", name="Preview")
    button.click()
    preview = form.get_by_role("region", name="Preview")
    preview.locator("strong", has_text="bold").wait_for()
    form.get_by_label("Comment:").fill("- now a list")
    preview.locator("li", has_text="now a list").wait_for()
    button.click()
    assert not preview.is_visible() and button.get_attribute("aria-expanded") == "false"


def test_one_edits_and_deletes_ones_own(page, new_page: Callable, daphne_server: BlogServer) -> None:
    open_post(page)
    comment = write(page, "Full of erors.")
    comment.get_by_role("link", name="Edit").click()
    page.get_by_label("Comment:").fill("Free of errors.")
    page.get_by_role("button", name="Save").click()
    comment = page.locator(".comment", has_text="Free of errors.")
    assert "edited" in comment.locator(".comment-head").inner_text()
    other = new_page(daphne_server.url, **ENGLISH)
    other.goto(page.url)
    form_of(other).wait_for()
    assert other.locator(".comment", has_text="Free of errors.").count() == 1
    assert other.get_by_role("link", name="Edit").count() == 0
    form_of(page).wait_for()  # it comes with what one may change
    comment.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(re.compile("#comments$"))
    assert page.locator(".comment", has_text="Free of errors.").count() == 0


@pytest.mark.page(**ENGLISH, java_script_enabled=False, allow_console=REFUSED)
def test_all_of_it_without_scripts(page) -> None:
    open_post(page)
    page.get_by_role("link", name="Write a comment").click()
    fill(page.locator(".comment-form"), "Without *scripts*.")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("region", name="Preview").locator("em", has_text="scripts").wait_for()
    page.get_by_label("Email:").fill("a@b")
    send(page)
    email = page.get_by_label("Email:")
    assert email.evaluate("field => field === document.activeElement")
    email.fill("a@example.com")
    send(page)
    assert re.search("#floor-[0-9]+$", page.url)
    page.locator(".comment", has_text="Without scripts.").wait_for()
    page.get_by_role("link", name="Write a comment").click()
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Comment:").fill("Changed without scripts.")
    page.get_by_role("button", name="Save").click()
    page.locator(".comment", has_text="Changed without scripts.").wait_for()
    page.get_by_role("link", name="Write a comment").click()
    page.get_by_role("link", name="Delete").first.click()
    page.get_by_role("button", name="Delete").click()
    assert page.locator(".comment", has_text="Changed without scripts.").count() == 0
