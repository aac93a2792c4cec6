"""Where readers come from."""

import json

import pytest
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
        # the blog's own pages
        ("https://blog.example.org/article/1/", ""),
        ("https://www.blog.example.org/", ""),
    ],
)
def test_an_address_is_named_by_host_or_engine(address: object, referrer: str) -> None:
    assert referrer_of(address, "blog.example.org") == referrer


@pytest.mark.django_db
def test_the_beacon_tells_where_its_reader_came_from() -> None:
    reader = Client(headers={"user-agent": BROWSER})
    for referrer in (
        "https://example.com/",
        "https://example.com/x",
        "http://testserver/",
        "http://127.0.0.1:8000/",
        5,
    ):
        body = json.dumps({"referrer": referrer})
        assert reader.post("/stats/view", body, content_type="text/plain").json()["pv_today"]
    robot = Client(headers={"user-agent": "curl/8.5.0"})
    robot.post("/stats/view", json.dumps({"referrer": "https://example.com/"}), content_type="text/plain")
    assert list(DailyReferrer.objects.values_list("kind", "name", "views")) == [("host", "example.com", 2)]
