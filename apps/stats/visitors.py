"""Who counts: neither robots nor the owners; and a visitor is a hash that lasts a day."""

import hmac
from enum import Enum
from functools import lru_cache

import crawleruseragents
from django.http import HttpRequest

from blog_xtg.client import client_address, network_of

VISITOR_LENGTH = 32
AGENTS_REMEMBERED = 2000
AGENT_READ = 500  # characters, so that what is remembered is bounded


class Who(Enum):
    READER = "counted as a view"
    ROBOT = "counted apart"
    NOBODY = "not counted"


def who(request: HttpRequest) -> Who:
    """Tell who asks: a robot, nobody when it is a prefetch or the signed-in owner, else a reader.

    A request that has not passed the authentication (no cookie, no need to) is no owner's.
    """
    sent = request.META
    if is_robot(sent.get("HTTP_USER_AGENT", "")[:AGENT_READ]):
        return Who.ROBOT
    purpose = sent.get("HTTP_SEC_PURPOSE", sent.get("HTTP_PURPOSE", ""))
    user = getattr(request, "user", None)
    return Who.NOBODY if "prefetch" in purpose or (user is not None and user.is_staff) else Who.READER


@lru_cache(maxsize=AGENTS_REMEMBERED)
def is_robot(agent: str) -> bool:
    """Tell whether that user agent is a robot's; one that says nothing is (0.3 ms for a browser's first view)."""
    return not agent or crawleruseragents.is_crawler(agent)


def visitor_hash(request: HttpRequest, salt: bytes) -> str:
    """Return HMAC-SHA256(salt, network + user agent) in 32 hex digits: the same all day, linked to nothing after it.

    The network is the address, of IPv6 what a household has: browsers change the rest of it during the day.
    """
    identity = f"{network_of(client_address(request))}\n{request.META.get('HTTP_USER_AGENT', '')}"
    return hmac.digest(salt, identity.encode(), "sha256").hex()[:VISITOR_LENGTH]
