"""The other end of a request: its address, and what the program notes on the request itself.

Headers are read from META: `request.headers` copies them all first, which a kept page or a view would pay for.
"""

import ipaddress
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

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
    site: Any  # the apps below components can't name its type
    replica: str  # the database that may make the answer, blank for the primary; of anonymous readers' pages alone


def client_address(request: HttpRequest) -> str:
    """Return the reader's IP address in its shortest form, blank when nothing says it (a server on a Unix socket).

    X-Forwarded-For is believed only for as many entries from its right end as TRUSTED_PROXIES says there are proxies:
    what stands further left was written by the client. An entry that is no address gives way to the peer's.
    """
    address = parsed(_forwarded(request)) or parsed(request.META.get("REMOTE_ADDR") or "")
    return str(address or "")


def is_inside(request: HttpRequest) -> bool:
    """Whether the request comes from this machine or a private network, for what is nobody else's business.

    100.64.0.0/10 is outside: an internet provider's customers share it.
    """
    address = parsed(_forwarded(request) or request.META.get("REMOTE_ADDR") or "")
    return address is not None and (address.is_private or address.is_loopback)


def network_of(address: str) -> str:
    """Return what is counted as one reader: an IPv4 address, of an IPv6 address its first 64 bits."""
    found = parsed(address)
    if found is None:
        return address[:_LONGEST]
    return str(found) if found.version == 4 else str(ipaddress.ip_network((int(found), _HOUSEHOLD_BITS), strict=False))


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


def _forwarded(request: HttpRequest) -> str:
    """The entry that the outermost of our proxies wrote, blank where there is none."""
    if not settings.TRUSTED_PROXIES:
        return ""
    entries = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    return entries[-settings.TRUSTED_PROXIES] if len(entries) >= settings.TRUSTED_PROXIES else ""
