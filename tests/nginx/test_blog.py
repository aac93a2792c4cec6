"""The blog as a fleet serves it, with deploy/nginx in front: pages, outages, live messages."""

import asyncio
import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest

from tests.nginx.asking import FRESH_SECONDS, ask, cache
from tests.proxy import BlogNginx
from tests.services import BROWSER, GunicornServer, LiveServer
from tests.websocket import Refused, WebSocket

pytestmark = [pytest.mark.nginx, pytest.mark.gunicorn, pytest.mark.mariadb, pytest.mark.redis]

TRACKED = "utm_source=letter&fbclid=abc"
FILL = """
from tests.factories import make_category, make_post, make_posts
shelf = make_category("Shelf")
make_posts(15, category=shelf)
print(make_post(title="Read me", category=shelf).get_absolute_url(), shelf.get_absolute_url())
"""
COMMENT = """
from apps.posts.models import Post
from tests.factories import make_comment
make_comment(Post.objects.get(title="Read me"), "Live.")
"""
HIDE = """
from apps.comments.models import Comment
Comment.objects.all().set_state("screened")
"""


@pytest.fixture(scope="module")
def app(environ: dict[str, str]) -> Iterator[GunicornServer]:
    app = GunicornServer(workers=2, **environ)
    app.manage("migrate", "--verbosity=0")
    app.paths = app.manage("shell", "--verbosity=0", "-c", FILL).splitlines()[-1].split()
    with app:
        yield app


@pytest.fixture(scope="module", params=["gunicorn", "daphne"])
def live(request: pytest.FixtureRequest, environ: dict[str, str], app: GunicornServer) -> Iterator[LiveServer]:
    with LiveServer(request.param, **environ, SITE_URL=app.url) as server:
        yield server


@pytest.fixture
def nginx(app: GunicornServer, tmp_path: Path) -> Iterator[BlogNginx]:
    with BlogNginx([app.port], app.port, tmp_path) as server:
        yield server


@pytest.fixture
def post(app: GunicornServer) -> str:
    return str(app.paths[0])


def test_what_tracks_a_reader_is_in_no_link(nginx: BlogNginx, app: GunicornServer) -> None:
    shelf = app.paths[1]
    page = ask(nginx, f"{shelf}?{TRACKED}&page=1&gclid=1")
    assert page.status == 200
    assert b"page=2" in page.body
    assert not any(name in page.body for name in (b"utm_", b"fbclid", b"gclid"))
    assert cache(ask(nginx, f"{shelf}?page=1")) != "MISS"
    moved = ask(nginx, f"{shelf.rsplit('/', 2)[0]}/wrong/?{TRACKED}&page=1")
    assert (moved.status, moved.headers["Location"]) == (301, f"{shelf}?page=1")


def test_everybody_gets_the_language_of_the_site(nginx: BlogNginx) -> None:
    for header in ("en-GB,en;q=0.9", "zh-TW,zh;q=0.9", "fr, en, zh"):
        page = ask(nginx, "/", Accept_Language=header)
        assert page.headers["Content-Language"] == "zh-hans"
        assert '<html lang="zh-hans"' in page.body.decode()


def test_each_language_that_readers_choose_has_a_page_of_its_own(nginx: BlogNginx, post: str) -> None:
    spoken = {"": "zh-hans", "language=zh-hans": "zh-hans", "language=en": "en", "theme=dark; language=en": "en"}
    for path in ("/", post, "/archive/"):
        for _twice in range(2):
            for cookie, language in spoken.items():
                for header in ("en", "zh"):
                    page = ask(nginx, path, Cookie=cookie, Accept_Language=header)
                    assert (page.status, page.headers["Content-Language"]) == (200, language), (path, cookie)
                    assert f'<html lang="{language}"' in page.body.decode()
    copies = [re.search(r"^KEY: (.*)$", text, re.MULTILINE) for text in kept(nginx)]
    assert sorted(copy[1].split()[1] for copy in copies if copy) == sorted(["/", post, "/archive/"] * 3)


@pytest.mark.parametrize(
    "cookie", ["Language=en", "x=1,language=en", "x=1;language=en", "language=en; LANGUAGE=zh-hans"]
)
def test_no_language_spelled_oddly_becomes_the_page_of_others(nginx: BlogNginx, cookie: str) -> None:
    for path in ("/", "/tags/"):
        for _twice in range(2):
            assert cache(ask(nginx, path, Cookie=cookie)) == "BYPASS"
        for plain, language in (("", "zh-hans"), ("language=zh-hans", "zh-hans"), ("language=en", "en")):
            assert ask(nginx, path, Cookie=plain).headers["Content-Language"] == language


def test_the_switch_of_languages_is_heard_behind_it(nginx: BlogNginx, post: str) -> None:
    asked = f"next={post}&language=en".encode()
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    switched = ask(nginx, "/language/", "POST", asked, **form)
    assert (switched.status, switched.headers["Location"]) == (303, post)
    cookie = switched.headers["Set-Cookie"].split(";")[0]
    assert ask(nginx, post, Cookie=cookie).headers["Content-Language"] == "en"
    assert ask(nginx, post).headers["Content-Language"] == "zh-hans"


def kept(nginx: BlogNginx) -> list[str]:
    """The files of its cache, as far as they are text."""
    files = (path for path in (nginx.folder / "cache").rglob("*") if path.is_file())
    return [path.read_text(errors="replace") for path in files]


def test_a_page_once_read_is_read_on_without_the_app(nginx: BlogNginx, app: GunicornServer, post: str) -> None:
    known = {path: ask(nginx, path).body for path in ("/", post, "/feed/")}
    app.stop()
    try:
        time.sleep(FRESH_SECONDS)
        for path, body in known.items():
            answer = ask(nginx, f"{path}?{TRACKED}")
            assert (answer.status, cache(answer)) == (200, "STALE")
            assert answer.body == body
        never_read = ask(nginx, "/tags/")
        assert never_read.status == 502
        assert never_read.headers["Retry-After"] == "30"
        assert "暂时无法访问" in never_read.body.decode()
        assert ask(nginx, "/stats/view", "POST", b"{}").status == 502
    finally:
        app.start()


def test_a_changed_post_is_shown_to_the_next_reader(nginx: BlogNginx, app: GunicornServer, post: str) -> None:
    assert ask(nginx, post).status == 200
    app.manage(
        "shell",
        "-c",
        'from apps.posts.models import Post as P; p = P.objects.get(title="Read me"); p.body = "New!"; p.save()',
    )
    time.sleep(FRESH_SECONDS)
    assert b"New!" in ask(nginx, post).body


def test_a_page_compressed_by_the_app_is_kept_so(nginx: BlogNginx, post: str) -> None:
    for path in (post, "/feed/"):
        first, second = (ask(nginx, path, Accept_Encoding="gzip, deflate") for _ in range(2))
        assert first.headers["Content-Encoding"] == "gzip"
        assert b"Read me" in gzip.decompress(first.body)
        assert second.body == first.body
        assert "X-Accel-Expires" not in first.headers
        etag = second.headers["ETag"]
        assert etag.startswith('"')
        assert ask(nginx, path, Accept_Encoding="gzip", If_None_Match=etag).status == 304
        assert b"Read me" in ask(nginx, path).body
        smaller = ask(nginx, path, Accept_Encoding="gzip, deflate, br, zstd")
        assert smaller.headers["Content-Encoding"] == "br" and len(smaller.body) < len(first.body)
        assert b"Read me" in brotli.decompress(smaller.body)


def test_the_form_with_its_token_is_made_for_each(nginx: BlogNginx, post: str) -> None:
    form = f"{post.rsplit('/', 2)[0]}/comment/?part&{TRACKED}"
    first, second = ask(nginx, form), ask(nginx, form)
    assert first.status == 200
    assert first.headers["Set-Cookie"].split(";")[0] != second.headers["Set-Cookie"].split(";")[0]
    assert first.body != second.body


def test_the_owner_signs_in_and_passes_by(nginx: BlogNginx, app: GunicornServer) -> None:
    app.env["DJANGO_SUPERUSER_PASSWORD"] = "pw"
    app.manage("createsuperuser", "--noinput", "--username=owner", "--email=o@example.com")
    form = ask(nginx, "/admin/login/")
    token = form.headers["Set-Cookie"].split(";")[0].removeprefix("csrftoken=")
    signed_in = ask(
        nginx,
        "/admin/login/",
        "POST",
        f"csrfmiddlewaretoken={token}&username=owner&password=pw".encode(),
        Cookie=f"csrftoken={token}",
        Content_Type="application/x-www-form-urlencoded",
    )
    session = next(
        cookie for cookie in signed_in.headers.get_all("Set-Cookie") if cookie.startswith("sessionid=")
    ).split(";")[0]
    assert cache(ask(nginx, "/", Cookie=session)) == "BYPASS"
    assert ask(nginx, "/admin/", Cookie=session).status == 200


def test_the_beacon_counts_behind_it(nginx: BlogNginx) -> None:
    counted = [json.loads(ask(nginx, "/stats/view", "POST", b"{}", User_Agent=BROWSER).body) for _ in range(2)]
    assert counted[1]["pv_today"] == counted[0]["pv_today"] + 1
    assert ask(nginx, "/stats/view", "POST", b" " * 2_000).status == 413


def test_health_is_told(nginx: BlogNginx) -> None:
    assert ask(nginx, "/healthz").status == 200
    assert ask(nginx, "/readyz").status == 200
    assert ask(nginx, "/metrics").status == 200
    assert ask(nginx, "/metrics", source="127.0.0.9").status == 403


# -- Live -----------------------------------------------------------------------------------------------------------


def test_an_open_page_hears_of_a_comment(live: LiveServer, app: GunicornServer, tmp_path: Path, post: str) -> None:
    async def hear(port: int) -> None:
        path = f"/ws/article/{post.split('/')[2]}/"
        for origin in ("http://evil.example", f"https://evil.example:{app.port}", "null"):
            with pytest.raises(Refused, match="403"):
                await WebSocket.open(port, path, Origin=origin)
        page = await WebSocket.open(port, path, Origin=app.url)
        before = (await page.hear())["floor"]
        await asyncio.to_thread(app.manage, "shell", "-c", COMMENT)
        while (news := await page.hear()).get("floor", before) == before:  # it may be told twice how far the post is
            pass
        assert news["floor"] == before + 1
        page.close()

    with BlogNginx([app.port], live.port, tmp_path) as nginx:
        asyncio.run(hear(nginx.port))


def test_the_floors_open_pages_fetch_are_never_an_old_copy(nginx: BlogNginx, app: GunicornServer, post: str) -> None:
    app.manage("shell", "-c", COMMENT)
    path = f"/article/{post.split('/')[2]}/comment/floors/?after=0&to=1"
    assert b"Live." in ask(nginx, path).body
    app.manage("shell", "-c", HIDE)
    assert b"Live." not in ask(nginx, path).body
