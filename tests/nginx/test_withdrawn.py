"""Withdrawn content is shown to nobody: not in any encoding, list or feed, and not while the app is in trouble."""

import gzip
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import brotli
import pytest

from tests.nginx.asking import FRESH_SECONDS, ask, cache
from tests.proxy import BlogNginx
from tests.services import GunicornServer, wait_until

pytestmark = [pytest.mark.nginx, pytest.mark.gunicorn, pytest.mark.mariadb, pytest.mark.redis]

SECRET = "geheimwort"  # in title and text of what is withdrawn
FILL = f"""
from tests.factories import make_comment, make_post
from apps.posts.models import Category, Post
shelf, _made = Category.objects.get_or_create(name="Shelf")
for kind in ("draft", "private", "password", "deleted", "scheduled"):
    post = make_post(title="{SECRET} " + kind, body="{SECRET}", category=shelf, tags=["tagged"])
    print(post.get_absolute_url(), f"/article/{{post.pk}}/card.png", f"/article/{{post.pk}}/comments/feed/")
post = make_post(title="Discussed", category=shelf)
for state in ("screened", "spam", "pending", "deleted"):
    make_comment(post, "{SECRET}", author_name="{SECRET} " + state)
print(post.get_absolute_url(), f"/article/{{post.pk}}/comments/feed/", shelf.get_absolute_url())
"""
WITHDRAW = f"""
import datetime
from django.utils import timezone
from apps.comments.models import Comment
from apps.posts.models import Category, Post
def post(kind):
    return Post.objects.filter(title="{SECRET} " + kind).latest("pk")
post("draft").unpublish()
for kind, changed in (
    ("private", dict(status="private")),
    ("password", dict(password="word")),
    ("scheduled", dict(published_at=timezone.now() + datetime.timedelta(days=1))),
):
    one = post(kind)
    for name, value in changed.items():
        setattr(one, name, value)
    one.save()
post("deleted").delete()
for state in ("screened", "spam", "pending"):
    Comment.objects.filter(author_name="{SECRET} " + state).set_state(state)
Comment.objects.filter(author_name="{SECRET} deleted").latest("pk").delete()
"""
ONE_COMMENT = f"""
from apps.posts.models import Category, Post
from tests.factories import make_comment
make_comment(Post.objects.filter(title="Discussed").latest("pk"), "{SECRET}")
"""
HIDE_IT = """
from apps.comments.models import Comment
Comment.objects.filter(state="visible").set_state("screened")
"""
LISTS = [
    *("/", "/archive/", "/tags/", "/tag/tagged/", "/feed/", "/feed/atom/", "/feed/json/", "/comments/feed/"),
    *("/sitemap.xml", "/sitemap-posts-1.xml", "/links/"),
]
ENCODINGS = {"": lambda body: body, "gzip": gzip.decompress, "br": brotli.decompress}


@pytest.fixture(scope="module")
def app(environ: dict[str, str]) -> Iterator[GunicornServer]:
    app = GunicornServer(workers=2, **environ)
    (app.folder / "media").mkdir()
    app.manage("migrate", "--verbosity=0")
    with app:
        yield app


@pytest.fixture
def nginx(app: GunicornServer) -> Iterator[BlogNginx]:
    if app.process is None:
        app.start()
    with BlogNginx([app.port], app.port, app.folder) as server:
        yield server


def kill(app: GunicornServer) -> None:
    """With its workers, as a host that loses its power."""
    assert app.process
    os.killpg(app.process.pid, signal.SIGKILL)
    app.process.wait(20)
    app.process = None


def shell(app: GunicornServer, code: str) -> list[str]:
    return app.manage("shell", "--verbosity=0", "-c", code).split()


def read(nginx: BlogNginx, paths: list[str]) -> dict[tuple[str, str], tuple[int, str, str]]:
    """Status, cache and text of each path in each encoding."""

    def one(asked: tuple[str, str]) -> tuple[int, str, str]:
        answer = ask(nginx, asked[0], Accept_Encoding=asked[1])
        plain = ENCODINGS[answer.headers["Content-Encoding"] or ""](answer.body)
        return answer.status, cache(answer), plain.decode(errors="replace")

    every = [(path, encoding) for path in paths for encoding in ENCODINGS]
    with ThreadPoolExecutor(4) as readers:
        return dict(zip(every, readers.map(one, every), strict=True))


def test_what_is_withdrawn_is_shown_by_nobody_though_the_app_be_dead(nginx: BlogNginx, app: GunicornServer) -> None:
    paths = shell(app, FILL)
    everything = [*LISTS, *paths, f"{paths[0]}?page=1", f"{paths[0]}?variant=1", f"{paths[1]}?v=0123abcd"]
    for path in paths:
        ask(nginx, path)  # cards take their time to be drawn
    before = read(nginx, everything)
    assert {status for status, _cache, _text in before.values()} == {200}
    assert sum(SECRET in text for _status, _cache, text in before.values()) > 50
    shell(app, WITHDRAW)
    done_at = time.monotonic()
    kill(app)
    time.sleep(max(0, done_at + 1 - time.monotonic()))
    for asked, (status, how, text) in read(nginx, everything).items():
        assert SECRET not in text and status == 502, (asked, status, how)
    app.start()
    time.sleep(2)
    for asked, (status, how, text) in read(nginx, everything).items():
        # A post behind a password still has its title, in its address, too; a hidden comment its name; and the switch
        # of languages leads back to the address that was asked for.
        back = [f'name="next" value="{address}"' for address in (asked[0], asked[0].partition("?")[0])]
        for kept in (f"{SECRET} password", f"{SECRET}-password", f"{SECRET} screened", *back):
            text = text.replace(kept, "")
        assert SECRET not in text, (asked, status, how)
    # Pages read since are shown on when the app dies another time.
    kill(app)
    time.sleep(FRESH_SECONDS)
    for asked, (status, how, _text) in read(nginx, ["/", "/archive/", "/feed/", "/tag/tagged/"]).items():
        assert (status, how) == (200, "STALE"), asked


def test_what_is_withdrawn_is_shown_by_nobody_though_the_app_hang(nginx: BlogNginx, app: GunicornServer) -> None:
    paths = shell(app, FILL + ONE_COMMENT)
    asked = [paths[-3], f"{paths[-3]}?variant=1", paths[-2], "/comments/feed/"]
    for path in asked:
        wait_until(lambda path=path: ask(nginx, path).status == 200, 30)  # the first page of a process takes its time
    assert all(SECRET in text for _status, _cache, text in read(nginx, asked[:3]).values())
    shell(app, HIDE_IT)
    assert app.process
    os.killpg(app.process.pid, signal.SIGSTOP)
    try:
        time.sleep(1)
        for one, (status, how, text) in read(nginx, asked).items():
            assert SECRET not in text and status in {502, 504}, (one, status, how)
    finally:
        os.killpg(app.process.pid, signal.SIGCONT)


def test_a_change_that_withdraws_nothing_leaves_the_copies(nginx: BlogNginx, app: GunicornServer) -> None:
    paths = shell(app, FILL)
    read(nginx, ["/", paths[0]])
    shell(app, ONE_COMMENT)
    shell(
        app,
        f'from apps.posts.models import Post; p = Post.objects.filter(title="{SECRET} draft").latest("pk"); p.body = "x"; p.save()',
    )
    kill(app)
    time.sleep(FRESH_SECONDS)
    assert {(status, how) for status, how, _text in read(nginx, ["/", paths[0]]).values()} == {(200, "STALE")}
