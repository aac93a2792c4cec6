"""How often something was done lately, counted for all processes together.

A window begins with the first time, one counter in Django's cache each (1 or 2 round trips). With the cache away each
process counts by itself: the limits are then as many times higher as there are processes, and nobody is stopped for
want of Redis.
"""

import ipaddress
import logging

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.crypto import salted_hmac

_own = LocMemCache("rates", {})
_logger = logging.getLogger(__name__)


def is_one_too_many(key: str, most: int, seconds: int) -> bool:
    """Count, and tell whether it is more than so many in that time; 0 is any number, and not counted."""
    return bool(most) and _count(key, seconds) > most


def neighbourhood(address: str) -> str:
    """Return the address as it may be kept for a day, a digest; of IPv6 that of the network which a household has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        network = address
    else:
        network = str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
    return salted_hmac("blog.rates", network).hexdigest()[:20]


def _count(key: str, seconds: int) -> int:
    try:
        counted = _counted(cache, key, seconds)
    except Exception as error:  # whatever the cache's client raises
        _logger.warning("How often things are done is counted in this process alone: %r", error)
        counted = None
    return _counted(_own, key, seconds) or 1 if counted is None else counted


def _counted(counters: BaseCache, key: str, seconds: int) -> int | None:
    """The number of calls with that key since its window began; None when the cache ignored that it is away."""
    if counters.add(key, 1, seconds):
        return 1
    try:
        number: int | None = counters.incr(key)
    except ValueError:  # the window has ended this instant
        return 1
    return number
