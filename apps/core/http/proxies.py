"""Headers of proxies in front, compared with what the settings trust.

A blog that is asked in a way it can't trust serves, as far as it can, and says so: once in the log of a process, and
`manage.py doctor` tells it for a week. What was seen is kept where doctor finds it: in Redis, or in a file in `var/`.
"""

import hashlib
import ipaddress
import json
import logging
import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit
from wsgiref.types import WSGIEnvironment

from django.conf import settings
from django.core.cache import cache
from django.http.request import split_domain_port, validate_host

from ..environment import VAR_DIR, is_local
from ..resilience import Resettable

FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_CF_CONNECTING_IP",
)
PLAIN_SECONDS = 60  # so long nobody has come by https
# A client redirected to https so often in so short a time is in a redirect loop.
CIRCLES, CIRCLES_SECONDS = 5, 10
KEPT_SECONDS = 7 * 86400
SAID_SECONDS = 86400
FILE = "seen.json"
KEY = "proxies seen {}"

UNBELIEVED, TOO_FEW, TOO_MANY, PLAIN, OTHER_HOST = "unbelieved", "too few", "too many", "plain", "other host"
KINDS = {
    UNBELIEVED: (
        "A proxy stands in front (requests come with {detail}), but TRUSTED_PROXIES is 0: all readers have its address,"
        " so that one of them can use up the comments, sign-ins and searches of all.",
        "Set TRUSTED_PROXIES to the number of proxies in front (one: 1).",
    ),
    TOO_FEW: (
        "TRUSTED_PROXIES is {proxies}, but requests for {site} come with {detail} in X-Forwarded-For: all readers have"
        " the address of the proxy.",
        "Set TRUSTED_PROXIES to the number of proxies in front, and let each add to X-Forwarded-For.",
    ),
    TOO_MANY: (
        "TRUSTED_PROXIES is {proxies}, but the address in X-Forwarded-For that it takes for a reader's is"
        " another proxy's ({detail}).",
        "Set TRUSTED_PROXIES to the number of proxies in front.",
    ),
    PLAIN: (
        "SITE_URL is https, but the proxy says of readers who come by https that they come by http"
        " (X-Forwarded-Proto).",
        "Let each proxy pass on the X-Forwarded-Proto it gets, or set it to https where TLS ends.",
    ),
    OTHER_HOST: (
        "Requests for {detail} are refused: neither SITE_URL ({site}) nor ALLOWED_HOSTS names that host.",
        "If the blog is to be read there, set SITE_URL to that address, or add the host to ALLOWED_HOSTS.",
    ),
}

logger = logging.getLogger(__name__)


class Noticed(TypedDict):
    """A finding as it is stored."""

    at: float  # in seconds since 1970
    settings: str  # a digest of the settings it was noticed under
    detail: str


class _Seen(Resettable):
    """Findings of this process about its requests. Times are of time.monotonic()."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.kinds: set[str] = set()
        self.reset()

    def reset(self) -> None:
        self.kinds.clear()
        self.plain_since = 0.0  # of the first request wrongly said to come by http; 0 after one has come by https
        self.circle: tuple[Hashable, int, float] = (None, 0, 0.0)  # the reader led to https last, how often, when first
        self.is_asked_by_name = False


_seen = _Seen()


def misfit(meta: WSGIEnvironment) -> str:
    """Return in which way the request's forwarded address can't be believed, blank when it can (under 1 µs)."""
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        return UNBELIEVED if any(name in meta for name in FORWARDED) else ""
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
    entries = forwarded.count(",") + 1 if forwarded else 0
    if entries == proxies:
        return ""
    if entries < proxies:
        # Without any it may be somebody on this machine, who asks past the proxy, unless it is the site's own name.
        return TOO_FEW if entries or _is_for_the_site(meta) else ""
    return TOO_MANY if _is_private(forwarded.split(",")[-proxies]) and not _is_private(forwarded.split(",")[0]) else ""


def notice(meta: WSGIEnvironment) -> None:
    """Say once what is wrong with the way this request came, if anything is (2 µs)."""
    if (kind := misfit(meta)) and kind not in _seen.kinds:
        note(kind, _detail(kind, meta))
    if (_seen.plain_since or PLAIN in _seen.kinds) and _scheme(meta) == "https":
        _seen.plain_since = 0.0
        forget(PLAIN)
    _seen.is_asked_by_name = _seen.is_asked_by_name or _is_for_the_site(meta)


def notice_refused(meta: WSGIEnvironment) -> None:
    """Let doctor say that another name than the site's is asked for, while its own is not: robots try every name.

    The log has it already, see errors.unknown_host().
    """
    host, _port = split_domain_port(meta.get("HTTP_HOST", ""))
    if _seen.is_asked_by_name or OTHER_HOST in _seen.kinds or "." not in host or len(host) > 253:
        return
    with suppress(ValueError):
        ipaddress.ip_address(host.strip("[]"))
        return
    if not validate_host(host, settings.ALLOWED_HOSTS):
        _remember(OTHER_HOST, host)


def leads_to_https(meta: WSGIEnvironment) -> bool:
    """Tell whether the reader is to be led to https: a believed proxy says http, and is not told so by another.

    One proxy behind another tells the scheme that it sees itself. A browser that sends Sec-Fetch-Site is on https
    already (it says so to no plain site); another client that comes back again and again is, too.
    """
    if _scheme(meta) != "http":
        return False
    now = time.monotonic()
    reader = meta.get("HTTP_X_FORWARDED_FOR"), meta.get("HTTP_USER_AGENT"), meta.get("RAW_URI") or meta.get("PATH_INFO")
    last, times, first_at = _seen.circle
    is_back = last == reader and now - first_at < CIRCLES_SECONDS
    _seen.circle = (reader, times + 1, first_at) if is_back else (reader, 1, now)
    if "HTTP_SEC_FETCH_SITE" in meta or _seen.circle[1] > CIRCLES:
        _note_plain(now)
        return False
    return True


def _note_plain(now: float) -> None:
    if not _seen.plain_since:
        _seen.plain_since = now
    elif now - _seen.plain_since > PLAIN_SECONDS:
        note(PLAIN)


def note(kind: str, detail: str = "") -> None:
    """Log it, once for all processes of a fleet or for this one, and remember it for doctor."""
    if _remember(kind, detail):
        logger.warning(" ".join(_words(kind, detail)))


def _remember(kind: str, detail: str) -> bool:
    """Keep it for doctor; return whether no process has said it yet."""
    with _seen.lock:
        if kind in _seen.kinds:
            return False
        _seen.kinds.add(kind)
    noticed: Noticed = {"at": time.time(), "settings": _settings(), "detail": detail}
    if settings.REDIS_URL:
        cache.set(KEY.format(kind), noticed, KEPT_SECONDS)
        return bool(cache.add(KEY.format(f"{kind} said"), 1, SAID_SECONDS))
    _keep({**_in_file(), kind: noticed})
    return True


def forget(kind: str) -> None:
    """Take it back: it is not so any more."""
    with _seen.lock:
        if kind not in _seen.kinds:
            return
        _seen.kinds.remove(kind)
    if settings.REDIS_URL:
        cache.delete_many([KEY.format(kind), KEY.format(f"{kind} said")])
    else:
        _keep({name: known for name, known in _in_file().items() if name != kind})


def seen() -> list[tuple[str, str]]:
    """Return what was noticed within a week under the present settings, and what mends it (5 round trips)."""
    found = {kind: cache.get(KEY.format(kind)) for kind in KINDS} if settings.REDIS_URL else _in_file()
    return [
        _words(kind, known["detail"])
        for kind, known in found.items()
        if known and kind in KINDS and known["settings"] == _settings() and time.time() - known["at"] < KEPT_SECONDS
    ]


def _file() -> Path:
    """Beside the database of a blog of one."""
    database = settings.DATABASES["default"]
    return (Path(database["NAME"]).parent if "sqlite" in database["ENGINE"] else VAR_DIR) / FILE


def _keep(found: dict[str, Noticed]) -> None:
    with suppress(OSError):  # it stands in the log
        _file().write_text(json.dumps(found), encoding="utf-8")


def _in_file() -> dict[str, Noticed]:
    try:
        return dict(json.loads(_file().read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _settings() -> str:
    """Name the settings that it was seen under: once they are others, it may be mended."""
    told = f"{settings.SITE_URL} {settings.TRUSTED_PROXIES} {sorted(settings.ALLOWED_HOSTS)}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _words(kind: str, detail: str) -> tuple[str, str]:
    text, remedy = KINDS[kind]
    return text.format(detail=detail, proxies=settings.TRUSTED_PROXIES, site=settings.SITE_URL), remedy


def _detail(kind: str, meta: WSGIEnvironment) -> str:
    if kind == UNBELIEVED:
        name = next(name for name in FORWARDED if name in meta)
        return name.removeprefix("HTTP_").replace("_", "-").title()
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
    if kind == TOO_MANY:
        return str(forwarded.split(",")[-settings.TRUSTED_PROXIES].strip()[:45])
    entries = forwarded.count(",") + 1 if forwarded else 0
    return {0: "no address", 1: "1 address"}.get(entries, f"{entries} addresses")


def _scheme(meta: WSGIEnvironment) -> str:
    """The scheme that a believed proxy tells, blank when there is none."""
    told: str = meta.get("HTTP_X_FORWARDED_PROTO", "") if settings.TRUSTED_PROXIES else ""
    return told.partition(",")[0].strip().lower()


def _is_for_the_site(meta: WSGIEnvironment) -> bool:
    host: str = meta.get("HTTP_HOST", "")
    return bool(host) and host.partition(":")[0].lower() == _public_name(settings.SITE_URL)


@lru_cache(maxsize=8)
def _public_name(address: str) -> str:
    return "" if is_local(address) else urlsplit(address).hostname or ""


def _is_private(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address.strip()).is_global
    except ValueError:
        return False
