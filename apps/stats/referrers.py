"""Name the site that a reader came from: a search engine by its name, another site by its host.

The list of search engines is our own. The packages with such a list (referer-parser, referredby) have had no release
for years, and lack so.com, m.sm.cn and search.brave.com.
"""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from .models import DailyReferrer

# Distinct referrers counted on a day, without search engines. Later ones count as "other": clients can send any
# referrer, and could fill the table.
NAMES_A_DAY = 300
PLACES_REMEMBERED = 500
OTHER = f"{DailyReferrer.Kind.OTHER}:"

_COUNTRY = r"(?:com|[a-z]{2}|com?\.[a-z]{2})"
_ENGINES = {
    "Google": rf"(?:(?:m|images|encrypted)\.)?google\.{_COUNTRY}|com\.google\.android\.googlequicksearchbox",
    "Bing": r"(?:(?:cn|m)\.)?bing\.com",
    "Baidu": r"(?:(?:m|wap|image)\.)?baidu\.com",
    "Sogou": r"(?:(?:m|wap|weixin|pic)\.)?sogou\.com",
    "360 Search": r"(?:(?:m|image)\.)?so\.com",
    "Shenma": r"(?:(?:m|quark|yz)\.)?sm\.cn",
    "Toutiao": r"so\.toutiao\.com",
    "Yandex": rf"(?:m\.)?yandex\.{_COUNTRY}|ya\.ru",
    "DuckDuckGo": r"(?:(?:html|lite|safe|noai)\.)?duckduckgo\.com",
    "Yahoo": rf"(?:[a-z-]+\.)*search\.yahoo\.{_COUNTRY}",
    "Ecosia": r"ecosia\.org",
    "Brave": r"search\.brave\.com",
    "Naver": r"(?:m\.)?search\.naver\.com",
}
_ENGINE = re.compile("|".join(f"(?P<e{number}>{hosts})" for number, hosts in enumerate(_ENGINES.values())))
_NAMES = list(_ENGINES)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_SCHEMES = {"http", "https", "android-app"}


def referrer_of(address: object, *own_hosts: str) -> str:
    """Return the referrer of an address as `kind:name`, or "" if it is not an address or its host is one of ours.

    A host longer than NAME_MAX_LENGTH is returned as `other:`. Costs no query.
    """
    if not isinstance(address, str) or len(address) > 2000:
        return ""
    host = _host_of(address)
    if not host or host in map(_bare, own_hosts):
        return ""
    return _named(host)


# Most readers come from the same few pages.
@lru_cache(maxsize=PLACES_REMEMBERED)
def _host_of(address: str) -> str:
    """Return the host of an address, "" if it is not an address."""
    try:
        parts = urlsplit(address)
        host = _bare(parts.hostname or "")
    except ValueError:
        return ""
    return host if parts.scheme in _SCHEMES and _is_host(host) else ""


@lru_cache(maxsize=PLACES_REMEMBERED)
def _named(host: str) -> str:
    if engine := _ENGINE.fullmatch(host):
        return f"{DailyReferrer.Kind.ENGINE}:{_NAMES[int(str(engine.lastgroup)[1:])]}"
    return f"{DailyReferrer.Kind.HOST}:{host}" if len(host) <= DailyReferrer.NAME_MAX_LENGTH else OTHER


def _bare(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")


def _is_host(host: str) -> bool:
    if len(host) <= 253 and _HOST.fullmatch(host):
        return True
    if "%" in host:  # in an IPv6 address, any text may follow as the name of an interface
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
