"""Keep anonymous pages in process memory, and drop them when a post they show, or the frame around them, changes."""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import parse_http_date_safe

from ..http.compression import SUFFIXES, accepted_encoding, pack
from ..http.request_info import BlogRequest
from ..resilience import Resettable
from . import coherence

OVERHEAD_BYTES = 2000  # of a page, besides its text
SHOWN_BYTES = 350  # of each post on it: its id, and the set of the pages that show it
PACKED_FROM_BYTES = 500
AWAITED_SECONDS = 1
VARIANT = re.compile(rf'-(?:{"|".join(SUFFIXES)})(?=")')
PACKABLE = ("text/", "application/json", "application/feed+json", "application/xml", "application/rss+xml")


def keep_for_this_second(request: BlogRequest, response: HttpResponse) -> None:
    """Let nginx keep the answer until the end of the second in which the reader asked.

    From s-maxage=1 nginx would make nearly two seconds, counted from the answer, and the data was read before that.
    """
    response.headers["X-Accel-Expires"] = f"@{int(request.asked_at)}"


class Page:
    """A finished answer: its text, compressed when a reader first asks for that, and what it depends on."""

    __slots__ = ("_headers", "_packable", "_packed", "_text", "counted_bytes", "etag", "frame", "good_until", "shown")

    def __init__(self, response: HttpResponse, frame: str, shown: frozenset[int], good_until: float) -> None:
        """Take a rendered response, with its own ETag or one made of its text.

        `frame` is that of the snapshot it was rendered with, `shown` the ids of the posts on it, `good_until` a time of
        time.monotonic().
        """
        kept = {name: value for name, value in response.items() if name not in {"Content-Length", "ETag"}}
        self._text: bytes = response.content
        self._packed: dict[str, bytes] = {}
        self._packable = len(self._text) >= PACKED_FROM_BYTES and kept["Content-Type"].startswith(PACKABLE)
        if self._packable:
            kept["Vary"] = ", ".join(filter(None, [kept.get("Vary"), "Accept-Encoding"]))
        self._headers = kept
        own = response.headers.get("ETag", "").strip('"')
        # Twice as fast as BLAKE2: processors have instructions for it.
        self.etag = own or hashlib.sha256(self._text).hexdigest()[:24]
        self.frame, self.shown, self.good_until = frame, shown, good_until
        self.counted_bytes = 0  # its size when the cache last counted it

    @property
    def size_bytes(self) -> int:
        packed = sum(map(len, list(self._packed.values())))
        return len(self._text) + packed + OVERHEAD_BYTES + SHOWN_BYTES * len(self.shown)

    def answer(self, request: BlogRequest) -> HttpResponse:
        """Return the page as this reader accepts it, compressed or plain, or a 304 if the reader has it already."""
        encoding = accepted_encoding(request) if self._packable else ""
        body = self._in(encoding) if encoding else self._text
        response = HttpResponse(body, headers=self._headers)
        # A strong ETag names the bytes sent, so it names the encoding; VARIANT removes that when the ETag comes back.
        response.headers["ETag"] = f'"{self.etag}-{encoding}"' if encoding else f'"{self.etag}"'
        response.headers["Content-Length"] = str(len(body))
        if encoding:
            response.headers["Content-Encoding"] = encoding
        if "HTTP_IF_NONE_MATCH" in request.META or "HTTP_IF_MODIFIED_SINCE" in request.META:
            modified = parse_http_date_safe(self._headers.get("Last-Modified", ""))
            response = get_conditional_response(request, f'"{self.etag}"', modified, response) or response
        keep_for_this_second(request, response)
        return response

    def _in(self, encoding: str) -> bytes:
        if encoding not in self._packed:
            self._packed[encoding] = pack(self._text, encoding)
        return self._packed[encoding]


class PageCache(Resettable):
    """Evicts the least recently used pages beyond settings.PAGE_CACHE_BYTES."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: OrderedDict[Hashable, Page] = OrderedDict()
        self._showing: dict[int, set[Hashable]] = {}
        self._changing = threading.Lock()
        self._making: WeakValueDictionary[Hashable, threading.Lock] = WeakValueDictionary()
        self.size_bytes = 0
        coherence.when_changed(self.drop)

    def get(self, key: Hashable, frame: str) -> Page | None:
        """Return the page of that key; None if there is none, or it has expired, or it has another frame."""
        page = self._pages.get(key)
        if page is None:
            return None
        with self._changing:
            if page.frame == frame and time.monotonic() < page.good_until:
                if self._pages.get(key) is page:
                    self._pages.move_to_end(key)
                    self._count(page)
                return page
            if self._pages.get(key) is page:
                self._remove(key)
        return None

    @contextmanager
    def making(self, key: Hashable) -> Iterator[None]:
        """Let one thread render the page of that key. The others wait for it, after 1 s they render it themselves."""
        with self._changing:
            turn = self._making.setdefault(key, threading.Lock())
        got = turn.acquire(timeout=AWAITED_SECONDS)
        try:
            yield
        finally:
            if got:
                turn.release()

    def put(self, key: Hashable, page: Page, generation: int) -> None:
        """Cache a page whose rendering began under that generation, unless a change has come since."""
        with self._changing:
            if generation != coherence.generation() or page.size_bytes > settings.PAGE_CACHE_BYTES:
                return
            if key in self._pages:
                self._remove(key)
            self._pages[key] = page
            for post in page.shown:
                self._showing.setdefault(post, set()).add(key)
            self._count(page)

    def drop(self, posts: frozenset[int] | None) -> None:
        """Drop the pages that show one of these posts; all pages if it is None."""
        with self._changing:
            if posts is None:
                self._pages.clear()
                self._showing.clear()
                self.size_bytes = 0
                return
            for key in {key for post in posts for key in self._showing.get(post, ())}:
                self._remove(key)

    def reset(self) -> None:
        self.drop(None)

    def _count(self, page: Page) -> None:
        """Count the page at its present size: it may have been compressed since."""
        if page.counted_bytes != (size_bytes := page.size_bytes):
            self.size_bytes += size_bytes - page.counted_bytes
            page.counted_bytes = size_bytes
            while self.size_bytes > settings.PAGE_CACHE_BYTES:
                self._remove(next(iter(self._pages)))

    def _remove(self, key: Hashable) -> None:
        page = self._pages.pop(key)
        self.size_bytes -= page.counted_bytes
        for post in page.shown:
            keys = self._showing[post]
            keys.discard(key)
            if not keys:
                del self._showing[post]

    def __len__(self) -> int:
        return len(self._pages)


pages = PageCache()
