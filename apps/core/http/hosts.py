"""The names the blog goes by: the hosts and origins that are its own, and its absolute addresses.

Addresses are made of SITE_URL alone, never of what a request says, so pages and cache keys know no host.
"""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit
from wsgiref.types import WSGIEnvironment

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_DEFAULT_PORTS = {"", "80", "443"}
_LONGEST = 260  # characters of a name with its port


def absolute(path: str) -> str:
    """Return the whole address of a path of this site, or of a file in its storage; one that is whole already as it is.

    With SITE_URL unset `manage.py start` sets it to where it listens.
    """
    return path if "://" in path else f"{settings.SITE_URL}{path}"


def is_asked_by_name(meta: WSGIEnvironment) -> bool:
    """Whether the Host header names this blog: SITE_URL's name and port, one of ALLOWED_HOSTS, or this machine's own.

    `meta` is the request's WSGI environ, or Django's META. Costs 2 µs.
    """
    return is_ours(asked_as(meta), meta.get("SERVER_PORT", ""))


def is_own_origin(request: HttpRequest, origin: str) -> bool:
    """Whether an Origin header names a page of this blog: the very host that is asked, or a name that is listed.

    The scheme isn't compared, a proxy may have changed it; `*` among ALLOWED_HOSTS makes no foreign page our own.
    """
    host = origin.partition("://")[2]
    if not host:
        return False
    return split(host) == split(asked_as(request.META)) or is_ours(
        host, request.META.get("SERVER_PORT", ""), any_name=False
    )


def asked_as(meta: WSGIEnvironment) -> str:
    """Return the name the request asks for, with its port where it says one; it may be anybody's."""
    return meta.get("HTTP_HOST") or f"{meta.get('SERVER_NAME', '')}:{meta.get('SERVER_PORT', '')}"


def is_ours(host: str, listening_port: str = "", *, any_name: bool = True) -> bool:
    """Whether `name` or `name:port` is an address of this blog; `listening_port` is that of the server's socket.

    A name of ALLOWED_HOSTS without a port is good with the default ones and SITE_URL's; `*` is any, unless it shan't.
    """
    listed = tuple(entry for entry in settings.LISTED_HOSTS if any_name or entry != "*")
    return len(host) <= _LONGEST and _is_ours(host, listening_port, settings.SITE_URL, listed, not settings.REDIS_URL)


def split(host: str) -> tuple[str, str]:
    """Return name, lower case and without a dot at its end, and port; both blank for what is no host.

    The default ports are blank, too: a browser leaves out the one it uses. 博客.example is written as browsers send it.
    """
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return "", ""
    name, port = split_domain_port(host)
    return name, "" if port in _DEFAULT_PORTS else port


@lru_cache(maxsize=1000)
def _is_ours(host: str, listening_port: str, site_url: str, listed: Sequence[str], is_alone: bool) -> bool:
    name, port = split(host)
    if not name:
        return False
    site_name, site_port = split(urlsplit(site_url).netloc)
    if (name, port) == (site_name, site_port):
        return True
    near = {site_port, split(f"x:{listening_port}")[1]} if is_alone or site_name in LOOPBACK else set()
    if name in LOOPBACK and port in near:
        return True
    for entry in listed:
        if entry == "*":
            return True
        entry_name, colon, entry_port = entry.rpartition(":") if entry[-1:] != "]" and ":" in entry else (entry, "", "")
        ports = {split(f"x:{entry_port}")[1]} if colon else {"", site_port} | near
        if port in ports and validate_host(name, [entry_name.lower()]):
            return True
    return False
