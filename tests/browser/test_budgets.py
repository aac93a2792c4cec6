"""The cost of a page for a reader who comes for the first time: bytes before compression, requests, and no jumping about."""

import gzip
import math
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
import pytest

from apps.core.static.storage import HASHED_NAME
from tests.browser.showcase import Showcase

HOME_MAX_BYTES = 40_000
CSS_MAX_BYTES = 30_000
SCRIPTS_MAX_BYTES = 15_000  # without what draws diagrams, which only posts with diagrams load
DISCUSSION_MAX_BYTES = 20_000  # what a reader who comes to the comments loads on top
DISCUSSION = ("/js/live.", "/js/threads.", "/js/reactions.")
MAX_REQUESTS = 15  # what the page itself needs: its pictures come on top
# Less than a third of what counts as good (https://web.dev/articles/cls): lines break anew when their other half arrives.
MAX_SHIFT = 0.03
PIECES, PAUSE_SECONDS = 100, 0.01
LOOKED_AT = ("home", "post without diagrams", "category", "search with results", "archive", "tags", "links")
# The others come of the same templates.
MEASURED = [
    "home",
    "post",
    "post without diagrams",
    "page",
    "category",
    "tags",
    "archive",
    "links",
    "search with results",
]
MEASURED += ["comment form", "password", "404"]
KINDS = {"document": "HTML", "stylesheet": "CSS", "script": "JS", "image": "pictures"}
WATCH_SHIFTS = """
  window.shifts = [];
  const place = (box) => [box.x, box.y, box.width, box.height].map(Math.round).join(" ");
  const told = ({ node, previousRect, currentRect }) =>
    `${(node?.outerHTML ?? String(node?.textContent)).slice(0, 200)}: ${place(previousRect)} -> ${place(currentRect)}`;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
    window.shifts.push([Math.round(entry.startTime), entry.value, ...entry.sources.map(told)])))
    .observe({ type: "layout-shift", buffered: true });
"""


def test_pages_stay_small(show: Callable, showcase: Showcase) -> None:
    rows = []
    for name in MEASURED:
        page = show()
        answers: list = []
        page.on("response", lambda answer, answers=answers: answers.append(answer))
        page.goto(showcase.paths[name], wait_until="networkidle")
        size: Counter[str] = Counter()
        requests = 0
        for answer in answers:
            kind = KINDS.get(answer.request.resource_type, "other")
            requests += kind != "pictures"
            if "/vendor/mermaid/" in answer.url or "/js/diagrams." in answer.url:
                kind = "mermaid"
            if any(name in answer.url for name in DISCUSSION):
                kind, requests = "discussion", requests - 1
            size[kind] += len(answer.body())
            if "/static/" in answer.url:  # also what scripts ask for
                assert HASHED_NAME.search(answer.url) and "immutable" in answer.headers["cache-control"], answer.url
        page.context.close()
        rows.append(f"| {name} | {requests} | {size['HTML']} | {size['CSS']} | {size['JS']} |")
        assert size["CSS"] < CSS_MAX_BYTES and size["JS"] < SCRIPTS_MAX_BYTES, (name, size)
        assert requests <= MAX_REQUESTS, (name, [answer.url for answer in answers])
        assert size["discussion"] < DISCUSSION_MAX_BYTES, size
        if name == "home":
            assert size["HTML"] < HOME_MAX_BYTES
        assert ("mermaid" in size) == (name == "post"), name
    print("\n| page | requests | HTML | CSS | JS |\n|---|---|---|---|---|", *rows, sep="\n")


@pytest.fixture(scope="module")
def in_pieces(showcase: Showcase) -> Iterator[str]:
    """The showcase over a bad network: its pages arrive in a hundred pieces, all else at once."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with urllib.request.urlopen(showcase.url + self.path) as answer:
                body = answer.read()
                self.send_response(200)
                for name in ("Content-Type", "Cache-Control", "Content-Security-Policy"):
                    if value := answer.headers[name]:
                        self.send_header(name, value)
                self.end_headers()
            pieces = PIECES if answer.headers["Content-Type"].startswith("text/html") else 1
            size = math.ceil(len(body) / pieces)
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                time.sleep(PAUSE_SECONDS)

        def do_POST(self) -> None:  # views are not counted here
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def shifts_of(page: Any, path: str) -> list[list]:
    page.goto(path, wait_until="networkidle")
    return page.evaluate("() => window.shifts")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps_while_a_page_loads(show: Callable, showcase: Showcase, width: int) -> None:
    page = show(viewport={"width": width, "height": 800})
    page.add_init_script(WATCH_SHIFTS)
    for name in LOOKED_AT:
        # A busy machine paints a page before it has read all of it: what moves for another reason moves every time.
        seen = []
        while len(seen) < 3 and (shifts := shifts_of(page, showcase.paths[name])):
            seen.append(shifts)
        assert len(seen) < 3, (name, seen)


@pytest.mark.parametrize("width", [390, 1280])
def test_hardly_anything_moves_when_a_page_arrives_in_pieces(
    new_page: Callable, showcase: Showcase, in_pieces: str, width: int
) -> None:
    page = new_page(in_pieces, language="en", viewport={"width": width, "height": 800})
    page.add_init_script(WATCH_SHIFTS)
    page.goto(showcase.paths["tags"])  # whoever waits for a page has the style sheet
    for name in LOOKED_AT:
        shifts = shifts_of(page, showcase.paths[name])
        assert sum(value for _moment, value, *_what in shifts) < MAX_SHIFT, (name, shifts)


def test_scripts_travel_compressed(showcase: Showcase) -> None:
    for path in ("js/post.js", "vendor/mermaid/mermaid.min.js", "img/icon.svg"):
        address = f"{showcase.url}/static/{path}"
        with urllib.request.urlopen(address) as plain:
            assert plain.headers["Content-Encoding"] is None and "Accept-Encoding" in plain.headers["Vary"]
            whole = plain.read()
        for accepted, encoding, unpack in (("gzip, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)):
            request = urllib.request.Request(address, headers={"Accept-Encoding": accepted})
            with urllib.request.urlopen(request) as answer:
                assert answer.headers["Content-Encoding"] == encoding
                assert unpack(answer.read()) == whole
