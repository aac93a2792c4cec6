"""The discussion under a post as readers see it who have it open at the same time."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import need
from tests.services import BROWSER, BlogServer, Redis

pytestmark = [pytest.mark.redis, pytest.mark.chromium]
ENGLISH = {"language": "en", "user_agent": BROWSER}
# Posts by what happens to them: how many comments they begin with, and which floor answers which.
POSTS: dict[str, tuple[int, dict[int, int]]] = {
    "empty": (0, {}),
    "rush": (3, {}),
    "two pages": (25, {}),
    "moderated": (5, {}),
    "outage": (1, {}),
    "threads": (5, {3: 1, 4: 3, 5: 2}),
    "answers": (23, {5: 2, 22: 21, 23: 3}),
    "three pages": (45, {}),
    "locked": (1, {}),
}
FILL = f"""
import json
from tests.factories import make_comment, make_post
paths = {{}}
for name, (comments, answers) in {POSTS!r}.items():
    post = make_post(title=name)
    paths[name] = post.get_absolute_url()
    for number in range(1, comments + 1):
        make_comment(post, f"Thought {{number}}.", author_name=f"Reader {{number}}", reply_to_floor=answers.get(number))
print(json.dumps(paths))
"""
GO_ON = """
from apps.comments.models import Comment
from apps.posts.models import Post
from tests.factories import make_comment
post = Post.objects.get(pk={post})
comment = lambda floor: Comment.objects.get(post=post, floor=floor)
{code}
"""


class Blog(BlogServer):
    """One of two processes: what `do` changes, the other has to tell its open pages."""

    paths: dict[str, str]

    def start(self) -> None:
        if not hasattr(self, "paths"):
            self.manage("migrate", "--verbosity=0")
            self.paths = json.loads(self.manage("shell", "--verbosity=0", "-c", FILL).splitlines()[-1])
        super().start()

    def do(self, post: str, code: str) -> None:
        self.manage("shell", "--verbosity=0", "-c", GO_ON.format(post=post.split("/")[2], code=code))


@pytest.fixture(scope="module")
def blog() -> Iterator[Blog]:
    need("redis")
    need("chromium")
    with Redis() as redis, Blog(REDIS_URL=redis.url) as server:
        yield server


@pytest.fixture
def window(blog: Blog, new_page: Callable) -> Callable:
    """window(path) opens the path in a browser of its own and waits until it listens."""

    def open_window(path: str, **options: Any) -> Any:
        page = new_page(blog.url, **{**ENGLISH, **options})
        page.goto(path)
        page.locator("#comments").scroll_into_view_if_needed()
        page.get_by_text("reading now").wait_for()
        return page

    return open_window


def floors(page: Any) -> list[int]:
    return [
        int(name.removeprefix("floor-")) for name in page.locator(".comment").evaluate_all("all => all.map(c => c.id)")
    ]


def test_what_one_writes_the_other_sees(blog: Blog, window: Callable) -> None:
    path = blog.paths["empty"]
    one, other = window(path), window(path)
    other.get_by_text("2 reading now").wait_for()
    form = one.locator(".comment-form")
    form.get_by_label("Name").fill("Ada")
    form.get_by_label("Email:").fill("ada@example.com")
    form.get_by_label("Comment:").fill("Just **written**.")
    form.get_by_role("button", name="Post comment").click()
    other.locator("#floor-1 strong").wait_for()
    assert other.locator("[role=status][data-announced]").inner_text() == "New comment #1 by Ada."
    assert not other.get_by_text("No comments yet.").is_visible() and not other.locator(".newcomers").is_visible()
    other.locator("#floor-1").get_by_role("link", name="Reply").click()
    assert "1" in other.locator(".comment-form [data-reply]").inner_text()
    one.context.close()
    other.get_by_text("1 reading now").wait_for()


def test_many_come_in_order_and_once(blog: Blog, window: Callable) -> None:
    path = blog.paths["rush"]
    page = window(path)
    blog.do(path, "for number in range(30): make_comment(post, 'More.')")
    page.locator("#floor-33").wait_for()
    assert floors(page) == list(range(1, 34))
    page.locator("#floor-33 .floor").click()  # its permanent address is on the second page
    page.wait_for_url(re.compile(r"\?page=2#floor-33$"))
    assert floors(page) == list(range(21, 34))


def test_an_earlier_page_shows_the_way(blog: Blog, window: Callable) -> None:
    path = blog.paths["two pages"]
    page = window(path)
    blog.do(path, "make_comment(post, 'The newest.')")
    link = page.get_by_role("link", name="Show new comments")
    link.wait_for()
    assert floors(page) == list(range(1, 21))
    link.click()
    page.get_by_text("The newest.").wait_for()
    assert page.url.endswith("?page=2#floor-26")


def test_what_an_administrator_does_is_seen(blog: Blog, window: Callable) -> None:
    path = blog.paths["moderated"]
    page = window(path)
    blog.do(path, "Comment.objects.by_ids([comment(2).pk, comment(4).pk]).set_state('screened')")
    page.locator("#floor-2", has_text="has been hidden").wait_for()
    page.locator("#floor-4", has_text="has been hidden").wait_for()
    blog.do(path, "comment(3).delete(); c = comment(5); c.body = 'Put right.'; c.save()")
    page.get_by_text("Put right.").wait_for()
    page.locator("#floor-3").wait_for(state="detached")
    blog.do(path, "comment(2).delete(); Comment.objects.by_ids([comment(4).pk]).set_state('visible')")
    page.get_by_text("Thought 4.").wait_for()
    page.locator("#floor-2").wait_for(state="detached")
    assert floors(page) == [1, 4, 5]
    blog.do(path, "Comment.objects.by_ids([comment(4).pk]).set_state('pending')")
    page.locator("#floor-4").wait_for(state="detached")
    blog.do(path, "Comment.objects.by_ids([comment(4).pk]).set_state('visible')")
    page.locator("#floor-4").wait_for()
    assert floors(page) == [1, 4, 5]


def test_after_an_outage_nothing_is_missing(blog: Blog, window: Callable) -> None:
    path = blog.paths["outage"]
    page = window(path, allow_console="WebSocket|ERR_CONNECTION_REFUSED|502")
    blog.stop()
    blog.do(path, "make_comment(post, 'While you were out.'); make_comment(post, 'This, too.')")
    blog.start()
    page.get_by_text("This, too.").wait_for(timeout=30_000)
    assert floors(page) == [1, 2, 3]


def test_threads_are_a_matter_of_taste(blog: Blog, window: Callable) -> None:
    path = blog.paths["threads"]
    page = window(path)
    assert floors(page) == [1, 2, 3, 4, 5]
    switch = page.get_by_role("button", name="Threaded view")
    switch.click()
    assert floors(page) == [1, 3, 4, 2, 5] and page.locator("#floor-1 #floor-3 #floor-4").count() == 1
    blog.do(path, "make_comment(post, 'An answer.', reply_to_floor=4)")
    page.locator("#floor-4 #floor-6").wait_for()
    page.reload()
    page.locator("#floor-4 #floor-6").wait_for()
    assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    assert floors(page) == [1, 2, 3, 4, 5, 6]


def test_what_is_answered_can_be_read_there(blog: Blog, window: Callable) -> None:
    path = blog.paths["answers"]
    page = window(path)
    reply = page.locator("#floor-5")
    assert "Reader 2: Thought 2." in reply.locator(".reply-to").inner_text()
    reply.get_by_role("button", name="Show comment").click()
    assert reply.locator(".answered").inner_text() == "Thought 2."
    reply.get_by_role("button", name="Hide comment").click()
    assert reply.locator(".answered").count() == 0
    page = window(f"{path}?page=2")
    reply = page.locator("#floor-23")
    with page.expect_request(re.compile("after=2&to=3")):
        reply.get_by_role("button", name="Show comment").click()
    reply.locator(".answered", has_text="Thought 3.").wait_for()


def test_a_floor_is_found_from_the_address_without_a_page(blog: Blog, window: Callable) -> None:
    path = blog.paths["three pages"]
    page = window(f"{path}#floor-33")
    assert page.url.endswith(f"{path}?page=2#floor-33")
    assert page.locator("#floor-33").evaluate("element => element.matches(':target')")
    page.goto(f"{path}#floor-99")
    assert page.url.endswith(f"{path}#floor-99")


def test_a_locked_post_tells_only_numbers(blog: Blog, window: Callable, new_page: Callable) -> None:
    path = blog.paths["locked"]
    blog.do(path, "post.password = 'open sesame'; post.save()")
    stranger = new_page(blog.url, **ENGLISH, allow_console="WebSocket|404")
    stranger.goto("/")
    number = path.split("/")[2]
    code = stranger.evaluate(f"""() => new Promise((resolve) => {{
      new WebSocket("/ws/article/{number}/").addEventListener("close", (event) => resolve(event.code));
    }})""")
    assert code in {1006, 4404}
    assert (
        stranger.evaluate(f"() => fetch('/article/{number}/comment/floors/?after=0&to=1').then(a => a.status)") == 404
    )
    friend = new_page(blog.url, **ENGLISH)
    friend.goto(path)
    friend.locator("#password").fill("open sesame")
    told: list[str] = []
    friend.on("websocket", lambda socket: socket.on("framereceived", lambda told_now: told.append(told_now)))
    friend.locator(".panel [type=submit]").click()
    friend.locator("#comments").scroll_into_view_if_needed()
    friend.get_by_text("reading now").wait_for()
    blog.do(path, "make_comment(post, 'Among friends.')")
    friend.get_by_text("Among friends.").wait_for()
    assert told and all(set(json.loads(message)) <= {"floor", "readers", "changed", "edition"} for message in told)
