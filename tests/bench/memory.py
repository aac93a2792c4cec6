"""How much memory a blog of one takes under a hostile mix of requests: `python -m tests.bench.memory [--short]`.

Starts `manage.py start` on throwaway data and prints the process's proportional set size (PSS) after each step: pages,
searches, feeds and pages under invented ports, previews that nest, large pictures kept, websockets held open. Linux
alone. The whole takes some ten minutes; the short form, a minute's worth, is also a test
(tests/test_solo_memory.py).
"""

import argparse
import asyncio
import http.client
import io
import random
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.services import BlogServer
from tests.websocket import WebSocket

PICTURE = (4000, 3000)  # 12 megapixels
NAME, PASSWORD = "writer", "a long password of the writer"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often each step is done."""

    posts: int = 300
    pages: int = 2000
    at_once: int = 3000
    searches: int = 500
    long_searches: int = 100
    feeds: int = 400
    invented_pages: int = 3000
    previews: int = 24
    pictures: int = 3
    websockets: int = 195
    pages_again: int = 1500


WHOLE = Sizes()
SHORT = Sizes(30, 60, 100, 30, 15, 30, 100, 6, 2, 40, 60)


def measure(sizes: Sizes) -> Iterator[tuple[str, float]]:
    """Yield each step's name and the blog's PSS in MB after it."""
    with BlogServer(TRUSTED_PROXIES="1", DJANGO_SUPERUSER_PASSWORD=PASSWORD) as blog:
        _write_posts(blog, sizes.posts)
        blog.manage("createsuperuser", "--noinput", "--username", NAME, "--email", "writer@example.com")
        assert blog.process
        pid = blog.process.pid
        reader = Reader(blog.port)
        posts = sorted(
            set(re.findall(r"<loc>https?://[^/]+(/article/[^<]+)</loc>", reader.text("/sitemap-posts-1.xml")))
        )
        assert len(posts) >= sizes.posts
        yield "begun", pss(pid)
        reader.all(_cycled(posts, sizes.pages))
        yield f"{sizes.pages} pages", pss(pid)
        reader.all(_cycled(posts, sizes.at_once), at_once=8)
        yield f"{sizes.at_once} more, 8 at once", pss(pid)
        reader.all(_searches(sizes.searches, words=2), at_once=4)
        yield f"{sizes.searches} searches", pss(pid)
        reader.all(_searches(sizes.long_searches, words=33), at_once=4)
        yield f"{sizes.long_searches} searches of 33 words", pss(pid)
        reader.all(["/feed/"] * sizes.feeds, at_once=8, invented=True)
        yield f"{sizes.feeds} feeds under invented ports", pss(pid)
        invented = (f"{post}?x={number}" for number, post in enumerate(_cycled(posts, sizes.invented_pages)))
        reader.all(invented, at_once=8, invented=True)
        yield f"{sizes.invented_pages} pages under invented ports and queries", pss(pid)
        writer = Writer(blog.port)
        kept = sum(writer.preview("[*" * 5000) for _ in range(sizes.previews))
        yield f"{kept} previews of nested brackets", pss(pid)
        kept = sum(writer.upload(picture) for picture in _pictures(sizes.pictures))
        assert kept == sizes.pictures
        yield f"{kept} pictures of 12 megapixels kept", pss(pid)
        yield from asyncio.run(_with_websockets(blog, pid, reader, posts, sizes))


async def _with_websockets(
    blog: BlogServer, pid: int, reader: "Reader", posts: list[str], sizes: Sizes
) -> list[tuple[str, float]]:
    opened = [
        await WebSocket.open(
            blog.port, f"/ws/article/{posts[number % len(posts)].split('/')[2]}/", X_Forwarded_For=address(number // 5)
        )
        for number in range(sizes.websockets)
    ]
    told = [(f"{len(opened)} websockets open", pss(pid))]
    await asyncio.to_thread(reader.all, _cycled(posts, sizes.pages_again), 8)
    told.append((f"{sizes.pages_again} pages again", pss(pid)))
    for websocket in opened:
        websocket.close()
    return told


class Reader:
    """Many readers behind one trusted proxy, each request another one's."""

    def __init__(self, port: int) -> None:
        self.port = port

    def text(self, path: str) -> str:
        return self.ask(path, 0)[1].decode()

    def ask(self, path: str, number: int, *, invented: bool = False) -> tuple[int, bytes]:
        host = f"127.0.0.1:{10_000 + number % 50_000 if invented else self.port}"
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request("GET", path, headers={"X-Forwarded-For": address(number), "Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def all(self, paths: Iterable[str], at_once: int = 1, *, invented: bool = False) -> None:
        """Ask for all; raises AssertionError for an answer that is a fault of the program's."""
        with ThreadPoolExecutor(at_once) as pool:
            asked = [pool.submit(self.ask, path, number, invented=invented) for number, path in enumerate(paths)]
            codes = {future.result()[0] for future in asked}
        assert max(codes) < 500, codes
        assert invented or codes == {200}, codes


class Writer:
    """The blog's writer, signed in."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self._ask("GET", "/admin/login/")
        form = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": self.cookies["csrftoken"]}
        status = self._ask("POST", "/admin/login/", urllib.parse.urlencode(form).encode())
        assert status == 302, status

    def preview(self, text: str) -> bool:
        """Whether it was shown: somebody in a hurry is refused some."""
        return self._ask("POST", "/admin/editor/preview/", urllib.parse.urlencode({"content": text}).encode()) == 200

    def upload(self, picture: bytes) -> bool:
        head = (
            b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n"
        )
        kind = "multipart/form-data; boundary=edge"
        return self._ask("POST", "/admin/editor/upload/", head + picture + b"\r\n--edge--\r\n", kind) == 200

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/x-www-form-urlencoded") -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            headers = {
                "Content-Type": kind,
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
                "X-CSRFToken": self.cookies.get("csrftoken", ""),
                "X-Forwarded-For": "192.0.2.1",
                "X-Requested-With": "XMLHttpRequest",
            }
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    name, _, value = value.partition(";")[0].partition("=")
                    self.cookies[name] = value
            return answer.status


def pss(pid: int) -> float:
    """Return the process's share of memory in MB."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def address(number: int) -> str:
    """Return the address of one of 60,000 readers, each from a network of its own."""
    return f"{20 + number // 250 % 200}.{number % 250}.{number // 7 % 250}.1"


def _cycled(posts: list[str], number: int) -> list[str]:
    return [posts[index % len(posts)] for index in range(number)]


def _searches(number: int, words: int) -> list[str]:
    chosen = random.Random(words)
    letters = "数据优化缓存索引线程进程网络编译内存语言"
    return [
        "/search/?q="
        + urllib.parse.quote(
            " ".join(
                chosen.choice(letters) + chosen.choice(letters) + f"w{chosen.randrange(10_000)}" for _ in range(words)
            )[:200]
        )
        for _ in range(number)
    ]


def _pictures(number: int) -> Iterator[bytes]:
    for seed in range(number):
        noise = Image.effect_noise((PICTURE[0] // 8, PICTURE[1] // 8), 40 + seed).resize(PICTURE).convert("RGB")
        file = io.BytesIO()
        noise.save(file, "JPEG", quality=85)
        yield file.getvalue()


def _write_posts(blog: BlogServer, number: int) -> None:
    """In the server's own database, past the search index: the welcome posts have one."""
    text = "缓存与索引:数据库的一页。 Some words of **prose** and `code`.\n\n```python\nprint(1)\n```\n\n" * 4
    code = f"""
from django.utils import timezone
from apps.posts.models import Post
from apps.posts.rendering.markdown import render
made = render({text!r})
first = Post.objects.order_by("pk").first()
Post.objects.bulk_create(
    Post(title=f"第 {{number}} 篇", slug=f"p{{number}}", body={text!r}, html=made.html, text=made.text,
         excerpt=made.excerpt, status="published", published_at=timezone.now(), category_id=first.category_id,
         source_id=first.source_id, author_id=first.author_id)
    for number in range({number})
)
"""
    blog.manage("shell", "--verbosity=0", "-c", code)


def main(say: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--short", action="store_true", help="the short form")
    sizes = SHORT if parser.parse_args().short else WHOLE
    for step, megabytes in measure(sizes):
        say(f"{megabytes:6.0f} MB  {step}")


if __name__ == "__main__":
    main()
