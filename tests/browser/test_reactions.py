"""Reactions as readers meet them, in Chromium."""

import re

import pytest

from tests.services import BROWSER, BlogServer

ENGLISH = {"language": "en", "user_agent": BROWSER}
pytestmark = pytest.mark.page(**ENGLISH)
POST = "/article/2/"


@pytest.fixture(scope="module")
def post(daphne_server: BlogServer) -> str:
    code = "from apps.posts.models import Post; from tests.factories import make_comment; make_comment(Post.objects.get(pk=2))"
    daphne_server.manage("shell", "--verbosity=0", "-c", code)
    return POST


def near(page) -> None:
    page.locator(".comments").scroll_into_view_if_needed()
    page.locator(".post-end .reactions button").first.wait_for()


def of_post(page, name: str):
    return page.locator(".post-end").get_by_role("group", name="Reactions").get_by_role("button", name=name)


def press(page, button) -> None:
    with page.expect_response(re.compile("/reactions/$")) as answer:
        button.click()
    assert answer.value.status == 200


def test_a_press_is_kept_and_seen_by_others(page, new_page, daphne_server: BlogServer, post: str) -> None:
    page.goto(post)
    near(page)
    like = of_post(page, "Like: 0")
    assert like.get_attribute("aria-pressed") == "false"
    press(page, like)
    of_post(page, "Like: 1").and_(page.locator("[aria-pressed=true]")).wait_for()
    page.reload()
    near(page)
    of_post(page, "Like: 1").and_(page.locator("[aria-pressed=true]")).wait_for()
    other = new_page(daphne_server.url, **ENGLISH)
    other.goto(post)
    near(other)
    theirs = of_post(other, "Like: 1").and_(other.locator("[aria-pressed=false]"))
    theirs.wait_for()
    press(other, theirs)
    of_post(other, "Like: 2").wait_for()
    press(page, of_post(page, "Like: 1"))  # takes it back, and hears of the other's
    of_post(page, "Like: 1").and_(page.locator("[aria-pressed=false]")).wait_for()


def test_by_keyboard_under_a_comment(page, post: str) -> None:
    page.goto(post)
    near(page)
    group = page.locator("#floor-1").get_by_role("group", name="Reactions")
    more = group.get_by_role("button", name="Add reaction", exact=True)
    assert not group.get_by_role("button", name="Hooray").is_visible()
    more.focus()
    page.keyboard.press("Enter")
    assert more.get_attribute("aria-expanded") == "true"
    hooray = group.get_by_role("button", name="Hooray: 0")
    hooray.focus()
    with page.expect_response(re.compile("/reactions/$")):
        page.keyboard.press("Space")
    group.get_by_role("button", name="Hooray: 1").wait_for()
    assert page.evaluate("() => document.activeElement.title") == "Hooray"
    more.click()
    assert group.get_by_role("button", name="Hooray: 1").is_visible()  # what stands there stays in sight


def test_a_comment_that_comes_later_takes_reactions_too(page, post: str) -> None:
    page.goto(post)
    near(page)
    page.evaluate("""() => {
      const later = document.querySelector("#floor-1").cloneNode(true);
      later.id = "floor-2";
      later.querySelector(".reactions").remove();
      document.querySelector(".comments ol").append(later);
    }""")
    page.locator("#floor-2").get_by_role("group", name="Reactions").wait_for()
    assert page.locator("#floor-1 .reactions").count() == 1


@pytest.mark.page(**ENGLISH, allow_console="ERR_FAILED|500")
def test_a_press_that_is_lost_is_said_so(page, post: str) -> None:
    page.goto(post)
    near(page)
    page.route("**/reactions/", lambda route: route.abort())
    of_post(page, "Smile: 0").click()
    page.locator(".post-end").get_by_text("Couldn't save your reaction.").wait_for()
    of_post(page, "Smile: 0").and_(page.locator("[aria-pressed=false]")).wait_for()


def test_nothing_is_asked_of_who_does_not_come_near(page, post: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(post, wait_until="networkidle")
    page.locator(".post-end .reactions button").first.wait_for(state="attached")  # of who stays the page makes ready
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if url.endswith("/reactions/")]


@pytest.mark.page(**ENGLISH, java_script_enabled=False)
def test_without_scripts_there_is_no_empty_row(page, post: str) -> None:
    page.goto(post)
    assert not page.locator(".reactions").first.is_visible()


@pytest.mark.page(**ENGLISH)
def test_where_storage_is_forbidden_a_press_lasts_as_long_as_the_page(page, post: str) -> None:
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })")
    page.goto(post)
    near(page)
    press(page, of_post(page, "Love: 0"))
    press(page, of_post(page, "Love: 1"))
    of_post(page, "Love: 0").wait_for()
