"""Where readers come from."""

import json
import re

import pytest
from django.conf import settings
from django.test import Client

from apps.stats.models import DailyReferrer
from apps.stats.referrers import referrer_of
from tests.services import BROWSER


@pytest.mark.parametrize(
    ("address", "referrer"),
    [
        ("https://www.google.com/", "engine:Google"),
        ("https://www.google.co.uk/search?q=x", "engine:Google"),
        ("https://google.com.hk", "engine:Google"),
        ("https://www.google.de:443/", "engine:Google"),
        ("android-app://com.google.android.googlequicksearchbox/", "engine:Google"),
        ("https://mail.google.com/", "host:mail.google.com"),
        ("https://google.com.evil.example/", "host:google.com.evil.example"),
        ("https://notgoogle.com/", "host:notgoogle.com"),
        ("https://cn.bing.com/", "engine:Bing"),
        ("https://m.baidu.com/s?word=x", "engine:Baidu"),
        ("https://tieba.baidu.com/p/1", "host:tieba.baidu.com"),
        ("https://www.sogou.com/", "engine:Sogou"),
        ("https://www.so.com/", "engine:360 Search"),
        ("https://yandex.com.tr/", "engine:Yandex"),
        ("https://ya.ru/", "engine:Yandex"),
        ("https://duckduckgo.com/", "engine:DuckDuckGo"),
        ("https://uk.search.yahoo.com/", "engine:Yahoo"),
        ("https://search.yahoo.co.jp/", "engine:Yahoo"),
        ("https://www.ecosia.org/", "engine:Ecosia"),
        ("https://search.brave.com/", "engine:Brave"),
        ("https://m.sm.cn/", "engine:Shenma"),
        ("https://so.toutiao.com/", "engine:Toutiao"),
        ("https://m.search.naver.com/", "engine:Naver"),
        ("HTTPS://WWW.Example.COM./a/b?c#d", "host:example.com"),
        ("http://user:secret@news.example.com:8080/", "host:news.example.com"),
        ("https://xn--fiqs8s.xn--fiqz9s/", "host:xn--fiqs8s.xn--fiqz9s"),
        ("http://192.0.2.7/", "host:192.0.2.7"),
        (f"https://{'a' * 60}.{'b' * 60}.example/", "other:"),
        # none of these names a place on the net
        ("", ""),
        (None, ""),
        (7, ""),
        (["https://example.com"], ""),
        ("nonsense", ""),
        ("https://", ""),
        ("https://localhost:3000/", ""),
        ("https://exa mple.com/", ""),
        ("https://<script>.example/", ""),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://[::1", ""),
        ("https://=cmd.example/", ""),
        ("https://a" + ".a" * 2000, ""),
        ("http://[fe80::1]/", "host:fe80::1"),
        ("http://[fe80::1%eth0]/", ""),
        ("http://[fe80::1%Buy pills now]/", ""),
        ("http://[fe80::1%\ud800]/", ""),
        ("http://\ud800.example/", ""),
        ("http://\ud800@example.com/\ud800?\ud800", "host:example.com"),
        ("http://例え.jp/", ""),
        ("http://exa\x00mple.com/", ""),
        ("http://192.0.2.٧/", ""),
        ("http://[v1.buy pills]/", ""),
        # the blog's own pages
        ("https://blog.example.org/article/1/", ""),
        ("https://www.blog.example.org/", ""),
    ],
)
def test_an_address_is_named_by_host_or_engine(address: object, referrer: str) -> None:
    assert referrer_of(address, "blog.example.org") == referrer


@pytest.mark.parametrize("place", ["http://{}/", "http://a{}.example/", "http://[fe80::1{}]/", "http://[v1.{}]/",
                                   "{}http://a.example/", "http://{}@a.example:{}/{}", "http://192.0.2.{}/"])  # fmt: skip
def test_whatever_is_sent_is_a_host_in_plain_letters_or_nothing(place: str) -> None:
    for character in map(chr, (*range(0x3100), *range(0xD7F0, 0xE010), *range(0xFE00, 0x10100), 0x1F600, 0x10FFFF)):
        referrer = referrer_of(place.replace("{}", character))
        assert re.fullmatch(r"|host:[a-z0-9._:-]+", referrer), (place, character, referrer)


@pytest.mark.django_db
def test_a_referrer_that_is_no_text_is_no_error() -> None:
    reader = Client(headers={"user-agent": BROWSER})
    for referrer in (r"http://[fe80::1%\ud800]/", r"\ud800", r"http://\udfff.example/"):
        answer = reader.post("/stats/view", f'{{"referrer": "{referrer}"}}', content_type="text/plain")
        assert answer.status_code == 200, referrer
    assert not DailyReferrer.objects.exists()


@pytest.mark.django_db
def test_the_beacon_tells_where_its_reader_came_from() -> None:
    reader = Client(headers={"user-agent": BROWSER})
    for referrer in (
        "https://example.com/",
        "https://example.com/x",
        "http://testserver/",
        f"{settings.SITE_URL}/page",
        5,
    ):
        body = json.dumps({"referrer": referrer})
        assert reader.post("/stats/view", body, content_type="text/plain").json()["pv_today"]
    robot = Client(headers={"user-agent": "curl/8.5.0"})
    robot.post("/stats/view", json.dumps({"referrer": "https://example.com/"}), content_type="text/plain")
    assert list(DailyReferrer.objects.values_list("kind", "name", "views")) == [("host", "example.com", 2)]
