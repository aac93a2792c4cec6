"""The other end of a request: its address, and what the program notes on the request itself.

Headers are read from META: `request.headers` copies them all first, which a kept page or a view would pay for.
"""

import ipaddress
import socket
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING
from wsgiref.types import WSGIEnvironment

from django.conf import settings
from django.http import HttpRequest

if TYPE_CHECKING:
    from ..pages.site import Snapshot

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# An IPv4 address as a translator writes it in IPv6: https://www.rfc-editor.org/rfc/rfc6052
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOW_32_BITS = 0xFFFFFFFF
_HOUSEHOLD_BITS = 64  # of IPv6: what one customer has at the least
_LONGEST = 100  # characters of what can be an address with its zone and port


class BlogRequest(HttpRequest):
    """A request once it has passed SiteMiddleware: `site` is the snapshot of the site components."""

    asked_at: float  # when, in seconds since 1970; of anonymous readers' pages alone
    answered_by: str  # what has answered it without being asked for by its address
    site: "Snapshot"  # type: ignore[assignment] # Django's stubs know another
    replica: str  # the database that may make the answer, blank for the primary; of anonymous readers' pages alone


def client_address(request: HttpRequest) -> str:
    """Return the reader's IP address in its shortest form, blank when nothing says it (a server on a Unix socket).

    X-Forwarded-For is believed only for as many entries from its right end as TRUSTED_PROXIES says there are proxies:
    what stands further left was written by the client. An entry that is no address gives way to the peer's.
    """
    return str(_address(request.META) or "")


def client_network(meta: WSGIEnvironment) -> str:
    """Return what is counted as one reader (network_of) of a request's WSGI environ, or Django's META."""
    address = _address(meta)
    return _network(address) if address else ""


def is_inside(request: HttpRequest) -> bool:
    """Whether the request comes from this machine or a private network, for what is nobody else's business.

    100.64.0.0/10 is outside: an internet provider's customers share it. A machine that asks itself by its public
    address (`deploy/run healthy`) is inside.
    """
    meta = request.META
    forwarded = _forwarded(meta)
    address = parsed(forwarded or meta.get("REMOTE_ADDR") or "")
    if address is None:
        return False
    asks_itself = not forwarded and address == parsed(meta.get("SERVER_NAME", ""))
    return address.is_private or address.is_loopback or asks_itself


def network_of(address: str) -> str:
    """Return what is counted as one reader: an IPv4 address, of an IPv6 address its first 64 bits."""
    found = parsed(address)
    return _network(found) if found else address[:_LONGEST]


def _network(address: IPAddress) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), _HOUSEHOLD_BITS), strict=False))


def _address(meta: WSGIEnvironment) -> IPAddress | None:
    return parsed(_forwarded(meta)) or parsed(meta.get("REMOTE_ADDR") or "")


@lru_cache(maxsize=1000)
def parsed(text: str) -> IPAddress | None:
    """Return the address that a server or proxy wrote, None for what is none.

    A port and a zone are left out (192.0.2.1:5555, [2001:db8::1]:443, fe80::1%eth0). IPv4 in IPv6's clothes, mapped
    (::ffff:192.0.2.1) or translated (64:ff9b::192.0.2.1), is the IPv4 address it stands for.
    """
    if len(text) > _LONGEST:
        return None
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    with suppress(OSError, ValueError):
        # The form most readers have, in a third of the time that the standard library's class takes to read it.
        return ipaddress.IPv4Address(socket.inet_pton(socket.AF_INET, text))
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & _LOW_32_BITS)
    return address


def _forwarded(meta: WSGIEnvironment) -> str:
    """The entry that the outermost of our proxies wrote, blank where there is none."""
    proxies: int = settings.TRUSTED_PROXIES
    if not proxies:
        return ""
    entries = [part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    return entries[-proxies] if len(entries) >= proxies else ""
