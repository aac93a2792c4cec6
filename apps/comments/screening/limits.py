"""How many comments an address and a post may take, counted for all processes together.

A window begins with its first comment, one counter in Django's cache each (1 or 2 round trips). With the cache away
each process counts by itself: the limits are then as many times higher as there are processes, and nobody is stopped
for want of Redis.
"""

import ipaddress
import logging

from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from ..verdict import Refused

MINUTE, DAY = 60, 86400

_own = LocMemCache("comment-limits", {})
_logger = logging.getLogger(__name__)


def check(address: str, post_id: int) -> None:
    """Count a comment from that address under that post. Raises Refused (429) when it is one too many."""
    who = _anonymous(address)
    for key, limit, seconds in (
        (f"address:{who}", settings.COMMENTS_PER_ADDRESS_PER_MINUTE, MINUTE),
        (f"address-day:{who}", settings.COMMENTS_PER_ADDRESS_PER_DAY, DAY),
        (f"post:{post_id}", settings.COMMENTS_PER_POST_PER_MINUTE, MINUTE),
    ):
        if limit and _count(f"comments:{key}", seconds) > limit:
            if seconds == DAY:
                sentence = _("That is a lot of comments for one day. Please send this one tomorrow: your text is kept.")
            else:
                sentence = _("Too many comments are coming in. Please send yours again in a minute: your text is kept.")
            raise Refused(sentence, 429, seconds)


def _count(key: str, seconds: int) -> int:
    try:
        counted = _counted(cache, key, seconds)
    except Exception as error:  # whatever the cache's client raises
        _logger.warning("Comments are counted in this process alone: %r", error)
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


def _anonymous(address: str) -> str:
    """The address as it may be kept for a day; of IPv6 the network that a household has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        network = address
    else:
        network = str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
    return salted_hmac("comments.limits", network).hexdigest()[:20]
