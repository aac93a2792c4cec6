"""Who counts: neither robots nor the owners; and a visitor is a hash that lasts a day."""

import hashlib
import hmac

import crawleruseragents
from django.http import HttpRequest

from blog_xtg.client import client_address

VISITOR_LENGTH = 32


def counts(request: HttpRequest) -> bool:
    """Tell whether a view by this request is to be counted: not for robots, the signed-in owner and prefetches."""
    agent = request.headers.get("User-Agent", "")
    if not agent or crawleruseragents.is_crawler(agent):
        return False
    purpose = request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    return "prefetch" not in purpose and not request.user.is_staff


def visitor_hash(request: HttpRequest, salt: bytes) -> str:
    """Return HMAC-SHA256(salt, IP + user agent) in 32 hex digits: the same all day, linked to nothing after it."""
    identity = f"{client_address(request)}\n{request.headers.get('User-Agent', '')}"
    return hmac.new(salt, identity.encode(), hashlib.sha256).hexdigest()[:VISITOR_LENGTH]
