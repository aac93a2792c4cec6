"""A blog with everything on it, and the way to each type of page a reader can meet."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.browser import long_words as long
from tests.services import BlogServer

WELCOME = Path(__file__).resolve().parents[2] / "blog_xtg/welcome"
COMMENTS = 30


class Showcase(BlogServer):
    """The blog as `make run` starts it, filled before it starts; `visit` opens a type of page."""

    paths: dict[str, str]

    def start(self) -> None:
        self.manage("migrate", "--verbosity=0")
        printed = self.manage("shell", "--verbosity=0", "-c", "from tests.browser.showcase import fill; fill()")
        self.paths = json.loads(printed.splitlines()[-1])
        super().start()
        self.paths["setup"] = re.search(r"/setup/\?token=\S+", self.log)[0]

    def visit(self, page: Any, name: str) -> Any:
        """Open that page as a reader would come to it, with everything that scripts add; return the last response."""
        if name == "comment form with errors":
            page.goto(self.paths["comment form"])
            page.locator("#id_author_email").fill("a@b")  # good enough for the browser, not for the server
            page.locator("#id_author_name").fill("Ada")
            page.locator("#id_body").fill("A thought.")
            send = page.locator(".comment-form [type=submit]:not([formaction])")
            with page.expect_response(re.compile("/comment/")) as answer:  # of a script, or of the browser itself
                send.click()
            response = answer.value
            page.locator(".field-wrong").wait_for()
        elif name == "password refused":
            page.goto(self.paths["password"])
            page.locator("#password").fill("wrong")
            response = submit(page, ".panel [type=submit]")
        else:
            response = page.goto(self.paths[name])
        assert response.status == STATUS.get(name, 200), name
        if not page.locator(".theme-toggle:visible").count():
            return response  # no scripts here
        if page.locator("[data-reactions]").count():
            page.locator(".comments").scroll_into_view_if_needed()
            page.locator(".post-end .reactions button").first.wait_for()
        if page.locator("[data-form]").count():
            page.locator("[data-form]").scroll_into_view_if_needed()
            page.mouse.move(1, 1)  # a sign of life, where nothing had to be scrolled
            page.locator("[data-form] form").wait_for()
        if page.locator("[data-extras]").count():  # it comes when the form is used
            page.locator("[data-extras]").dispatch_event("focusin")
            page.locator("[data-extras] .emoji summary").wait_for()
            page.evaluate("() => scrollTo({ top: 0, behavior: 'instant' })")
        if page.locator("pre.mermaid").count():
            page.locator("pre.mermaid svg").last.wait_for()
        return response


STATUS = {"comment form with errors": 422, "password refused": 403, "mail, forged": 404, "404": 404}
PAGES = [
    "home",
    "home, page 2",
    "post",
    "post, page 2 of comments",
    "post without diagrams",
    "page",
    "post of long words",
    "category",
    "category of a long name",
    "source",
    "tag",
    "tag of a long name",
    "tags",
    "archive",
    "month",
    "links",
    "search",
    "search with results",
    "search for a long word",
    "search without results",
    "comment form",
    "comment form of a long title",
    "comment form with errors",
    "password",
    "password refused",
    "password of a long title",
    "mail, confirm",
    "mail, stop",
    "mail, forged",
    "404",
    "setup",
]


def submit(page: Any, button: str) -> Any:
    with page.expect_navigation() as navigation:
        page.locator(button).click()
    return navigation.value


def fill() -> None:
    """Runs inside the blog's own process; prints the path of each page as JSON."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Permission
    from django.core.files.base import ContentFile
    from django.urls import reverse
    from django.utils import timezone

    from apps.comments.mail.links import confirm_url, stop_url
    from apps.comments.models import Comment
    from apps.comments.verdict import Reason, Verdict
    from apps.components.models import Menu, MenuItem, Plugin, SiteIdentity
    from apps.exchange.importing import import_folder
    from apps.posts.models import Post
    from tests.factories import make_category, make_comment, make_post, make_posts

    SiteIdentity(
        title="Between the lines",
        signature=f"Notes on programs, books and long walks. {long.DIGEST}"[:200],
        language="en",
        footer=f'<a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a> {long.DIGEST}',
    ).save()
    import_folder(WELCOME)
    post = Post.objects.get(slug="markdown-showcase")
    words = re.sub(r"^---\n.*?\n---\n", "", (WELCOME / "markdown.md").read_text(), count=1, flags=re.DOTALL)
    picture = re.search(r"\]\((/media/\S+)", post.body)[1]
    words = re.sub(r"## Diagrams.*?(?=## Images)", "", words.replace("dusk.webp", picture), flags=re.DOTALL)
    chapters = [words.replace("[^1]", f"[^{number}]") for number in range(1, 5)]
    chapter = make_post(
        title="A long post", body="\n\n".join(chapters), tags=("Markdown", "Long"), category=post.category
    )
    chapter.cover.save("cover.webp", ContentFile((WELCOME / "dusk.webp").read_bytes()))
    for written in (post, chapter):
        for number in range(1, COMMENTS + 1):
            comment = make_comment(
                written,
                f"Thought **{number}**, with `code` and [a link](https://example.com/).\n\n> quoted\n\n- one\n- two",
                author_name=f"Reader {number}",
                author_email=f"reader{number}@example.com",
                author_site="https://example.com/" if number % 3 else "",
                reply_to_floor=number // 2 or None,
            )
            if number == 7:
                comment.by_administrator = True
            if number == 9:
                comment.state = Comment.State.HIDDEN
            if number in {7, 9}:
                comment.save()
    category = make_category("Essays", introduction="What did not fit\ninto one line.")
    MenuItem.objects.create(menu=Menu.objects.create(name="Writing"), category=category)
    make_category("Apart")
    shelf = make_category(long.NAME, introduction=f"{long.DIGEST}\n{long.CHINESE_TITLE}")
    MenuItem.objects.create(menu=Menu.objects.create(name=long.SHOUT), category=shelf)
    make_posts(25, category=category, tags=("Markdown", "Walks"), summary="One of many, with a few words about itself.")
    chinese = make_post(title="在路上", body="走路的时候，想法会自己来。", language="zh-Hans", tags=("随笔",))
    chinese.cover.save("path.webp", ContentFile((WELCOME / "dusk.webp").read_bytes()))
    make_post(title="First of all", body="Pinned.", pinned=True, original_url="https://example.com/first")
    wordy = make_post(
        title=long.TITLE, body=long.BODY, category=shelf, tags=(long.TAG, "Walks"), original_url=long.ADDRESS
    )
    make_post(title=long.CHINESE_TITLE, summary=long.DIGEST, category=shelf, tags=(long.TAG,), language="zh-Hans")
    hidden = make_post(title=long.TITLE, body="Secret.", password="open sesame")
    for number, name in enumerate((long.SHOUT, long.NAME, "Ada") * 4, start=1):
        fields = {"author_name": name, "author_email": f"{long.SHOUT}@example.com", "author_site": long.ADDRESS}
        make_comment(wordy, long.COMMENT, reply_to_floor=number - 1 or None, **fields)
    make_comment(wordy, long.COMMENT, verdict=Verdict("pending", 3, (Reason("links", 3, "5"),)), **fields)
    users = get_user_model()._default_manager  # no superuser: the set-up page is there as long as there is none
    moderator = users.create_user("moderator", password="a-long-password-of-tests", is_staff=True)
    moderator.user_permissions.set(Permission.objects.all())
    Comment.objects.filter(post=wordy, floor=2).update(by_administrator=True, edited_at=wordy.published_at)
    locked = make_post(title="Behind a password", body="Secret.", password="open sesame")
    about = make_post(title="About", body="## Who\n\nSomebody.", kind=Post.Kind.PAGE)
    make_post(title=long.TITLE[:80], kind=Post.Kind.PAGE)
    for order, (kind, content) in enumerate(
        [
            ("html", f"<p>A few words of my own, and <a href='https://example.com/'>a link</a>. {long.DIGEST}</p>"),
            ("recent_posts", ""),
            ("recent_comments", ""),
            ("hot_posts", ""),
            ("tags", ""),
            ("archive", ""),
            (
                "links",
                f"A friend https://example.com/friend\nAnother https://example.org/\n{long.SHOUT} {long.ADDRESS}",
            ),
        ],
        start=10,
    ):
        title = long.NAME if kind == "html" else f"Box {order}"
        Plugin.objects.create(title=title, kind=kind, content=content, order=order)
    month = f"{timezone.localtime(post.published_at):%Y/%m}"
    paths = {
        "home": "/",
        "home, page 2": "/?page=2",
        "post": post.get_absolute_url(),
        "post, page 2 of comments": f"{post.get_absolute_url()}?page=2",
        "post without diagrams": chapter.get_absolute_url(),
        "page": about.get_absolute_url(),
        "post of long words": wordy.get_absolute_url(),
        "category of a long name": shelf.get_absolute_url(),
        "tag of a long name": wordy.tags.get(name=long.TAG).get_absolute_url(),
        "search for a long word": f"/search/?q={long.TITLE[:100]}",
        "comment form of a long title": reverse("comments:add", args=[wordy.pk]),
        "password of a long title": hidden.get_absolute_url(),
        "category": category.get_absolute_url(),
        "source": reverse("posts:source", args=[post.source_id]),
        "tag": post.tags.get(name="Markdown").get_absolute_url(),
        "tags": "/tags/",
        "archive": "/archive/",
        "month": f"/archive/{month}/",
        "links": "/links/",
        "search": "/search/",
        "search with results": "/search/?q=Markdown",
        "search without results": "/search/?q=unfindable",
        "comment form": reverse("comments:add", args=[post.pk]),
        "password": locked.get_absolute_url(),
        "mail, confirm": confirm_url("0" * 32).removeprefix(settings.SITE_URL),
        "mail, stop": stop_url("0" * 32).removeprefix(settings.SITE_URL),
        "mail, forged": "/comments/mail/stop/forged/",
        "404": "/nowhere/",
    }
    json.dump(paths, sys.stdout)
    print()
