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
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.http.request import split_domain_port, validate_host

from ..environment import VAR_DIR, is_local

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
_lock = threading.Lock()
_noted: set[str] = set()
_plain_since = 0.0  # monotonic: when the first was told wrongly to come by http; 0 once somebody came by https
_circle: tuple[Hashable, int, float] = (None, 0, 0.0)  # the reader led to https last, how often, when first
_is_asked_by_name = False


def misfit(meta: dict[str, Any]) -> str:
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


def notice(meta: dict[str, Any]) -> None:
    """Say once what is wrong with the way this request came, if anything is (2 µs)."""
    global _plain_since, _is_asked_by_name
    if (kind := misfit(meta)) and kind not in _noted:
        note(kind, _detail(kind, meta))
    if (_plain_since or PLAIN in _noted) and _scheme(meta) == "https":
        _plain_since = 0.0
        forget(PLAIN)
    _is_asked_by_name = _is_asked_by_name or _is_for_the_site(meta)


def notice_refused(meta: dict[str, Any]) -> None:
    """Let doctor say that another name than the site's is asked for, while its own is not: robots try every name.

    The log has it already, see errors.unknown_host().
    """
    host, _port = split_domain_port(meta.get("HTTP_HOST", ""))
    if _is_asked_by_name or OTHER_HOST in _noted or "." not in host or len(host) > 253:
        return
    with suppress(ValueError):
        ipaddress.ip_address(host.strip("[]"))
        return
    if not validate_host(host, settings.ALLOWED_HOSTS):
        _remember(OTHER_HOST, host)


def leads_to_https(meta: dict[str, Any]) -> bool:
    """Tell whether the reader is to be led to https: a believed proxy says http, and is not told so by another.

    One proxy behind another tells the scheme that it sees itself. A browser that sends Sec-Fetch-Site is on https
    already (it says so to no plain site); another client that comes back again and again is, too.
    """
    global _circle
    if _scheme(meta) != "http":
        return False
    now = time.monotonic()
    reader = meta.get("HTTP_X_FORWARDED_FOR"), meta.get("HTTP_USER_AGENT"), meta.get("RAW_URI") or meta.get("PATH_INFO")
    last, times, first_at = _circle
    is_back = last == reader and now - first_at < CIRCLES_SECONDS
    _circle = (reader, times + 1, first_at) if is_back else (reader, 1, now)
    if "HTTP_SEC_FETCH_SITE" in meta or _circle[1] > CIRCLES:
        _note_plain(now)
        return False
    return True


def _note_plain(now: float) -> None:
    global _plain_since
    if not _plain_since:
        _plain_since = now
    elif now - _plain_since > PLAIN_SECONDS:
        note(PLAIN)


def note(kind: str, detail: str = "") -> None:
    """Log it, once for all processes of a fleet or for this one, and remember it for doctor."""
    if _remember(kind, detail):
        logger.warning(" ".join(_words(kind, detail)))


def _remember(kind: str, detail: str) -> bool:
    """Keep it for doctor; return whether no process has said it yet."""
    with _lock:
        if kind in _noted:
            return False
        _noted.add(kind)
    seen = {"at": time.time(), "settings": _settings(), "detail": detail}
    if settings.REDIS_URL:
        cache.set(KEY.format(kind), seen, KEPT_SECONDS)
        return bool(cache.add(KEY.format(f"{kind} said"), 1, SAID_SECONDS))
    _keep({**_in_file(), kind: seen})
    return True


def forget(kind: str) -> None:
    """Take it back: it is not so any more."""
    with _lock:
        if kind not in _noted:
            return
        _noted.remove(kind)
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


def _keep(found: dict[str, Any]) -> None:
    with suppress(OSError):  # it stands in the log
        _file().write_text(json.dumps(found), encoding="utf-8")


def _in_file() -> dict[str, Any]:
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


def _detail(kind: str, meta: dict[str, Any]) -> str:
    if kind == UNBELIEVED:
        name = next(name for name in FORWARDED if name in meta)
        return name.removeprefix("HTTP_").replace("_", "-").title()
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
    if kind == TOO_MANY:
        return str(forwarded.split(",")[-settings.TRUSTED_PROXIES].strip()[:45])
    entries = forwarded.count(",") + 1 if forwarded else 0
    return {0: "no address", 1: "1 address"}.get(entries, f"{entries} addresses")


def _scheme(meta: dict[str, Any]) -> str:
    """The scheme that a believed proxy tells, blank when there is none."""
    told: str = meta.get("HTTP_X_FORWARDED_PROTO", "") if settings.TRUSTED_PROXIES else ""
    return told.partition(",")[0].strip().lower()


def _is_for_the_site(meta: dict[str, Any]) -> bool:
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
