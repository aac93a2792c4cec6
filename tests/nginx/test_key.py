"""Which requests are one page: path, query, language, encoding."""

from urllib.parse import quote

import pytest

from apps.components.middleware import TRACKING, accepted_language
from tests.nginx.asking import answering, ask, cache
from tests.proxy import BlogNginx

pytestmark = pytest.mark.gunicorn


@pytest.mark.parametrize(
    ("asked", "passed"),
    [
        ("/a/", "/a/"),
        ("/a/?", "/a/"),
        ("/a/?utm_source=x", "/a/"),
        ("/a/?utm_source=x&utm_medium=y&fbclid=z", "/a/"),
        ("/a/?&&", "/a/"),
        ("/a/?page=2", "/a/?page=2"),
        ("/a/?page=2&utm_source=x", "/a/?page=2"),
        ("/a/?utm_source=x&page=2", "/a/?page=2"),
        ("/a/?b=2&a=1", "/a/?b=2&a=1"),
        ("/a/?gclid=1&b=2&msclkid=3&a=1&spm=4", "/a/?b=2&a=1"),
        ("/a/?b=2&gclid=1&a=1&yclid=3&c=3&mc_eid=4&d=4", "/a/?b=2&a=1&c=3&d=4"),
        ("/a/?UTM_Source=x&q=1", "/a/?q=1"),
        ("/a/?gclid", "/a/"),
        ("/a/?page=2&", "/a/?page=2"),
        ("/a/?myutm_source=x", "/a/?myutm_source=x"),
        ("/a/?q=utm_source", "/a/?q=utm_source"),
        ("/a/?q=a?b&fbclid=1", "/a/?q=a?b"),
        ("/a/?spmx=1&gclids=2", "/a/?spmx=1&gclids=2"),
        ("/%E6%95%B0/%2f/?q=%26utm_source=1", "/%E6%95%B0/%2f/?q=%26utm_source=1"),
        ("/search/?utm_term=x&q=1", "/search/?q=1"),
    ],
)
def test_tracking_parameters_reach_nobody(nginx: BlogNginx, asked: str, passed: str) -> None:
    assert ask(nginx, asked).told["address"] == passed


@pytest.mark.parametrize(
    "parameter",
    [
        *(
            "utm_x=1",
            "fbclid=1",
            "gclid=1",
            "dclid=1",
            "gbraid=1",
            "wbraid=1",
            "msclkid=1",
            "mc_cid=1",
            "mc_eid=1",
            "yclid=1",
        ),
        *("_openstat=1", "igshid=1", "twclid=1", "ttclid=1", "spm=1", "scm=1", "share_token=1", "isappinstalled=0"),
        *("from=timeline", "from=grouptimeline"),
    ],
)
def test_nginx_and_the_app_know_the_same_tracking_parameters(nginx: BlogNginx, parameter: str) -> None:
    assert TRACKING.sub("", parameter) == ""
    assert ask(nginx, f"/a/?{parameter}&page=2").told["address"] == "/a/?page=2"


def test_one_page_is_kept_whatever_tracks_its_readers(nginx: BlogNginx) -> None:
    first = ask(nginx, "/tracked/?page=2&utm_source=a")
    assert cache(first) == "MISS"
    for query in ("page=2", "page=2&fbclid=b", "gclid=c&page=2", "page=2&"):
        again = ask(nginx, f"/tracked/?{query}")
        assert again.told["number"] == first.told["number"]
    assert ask(nginx, "/tracked/?page=3").told["number"] != first.told["number"]


LANGUAGES = [
    ("", ""),
    ("zh-CN,zh;q=0.9,en;q=0.8", "zh-hans"),
    ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-hans"),
    ("zh-CN,zh;q=0.8,zh-TW;q=0.7,zh-HK;q=0.5,en-US;q=0.3,en;q=0.2", "zh-hans"),
    ("zh", "zh-hans"),
    ("zh-Hans-CN", "zh-hans"),
    ("ZH-cn", "zh-hans"),
    ("zh;q=1.0, en", "zh-hans"),
    ("en-US,en;q=0.9", "en"),
    ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
    ("en", "en"),
    ("en-GB, *;q=0.5", "en"),
    ("de,en-US;q=0.7,en;q=0.3", "en"),
    ("ja,en-US;q=0.9,en;q=0.8", "en"),
    ("fr-FR,fr;q=0.9,zh-CN;q=0.5", "zh-hans"),
    ("fr-FR,fr;q=0.9", ""),
    ("*", ""),
    ("fr, *;q=0.1", ""),
    ("zha,eng;q=0.5", ""),
    ("en;q=0", "en"),
]
# Right, but for the header's text alone.
COMPARED = [
    "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5",
    "de,zh-CN;q=0.9,en;q=0.8",
    "en;q=0.5,zh;q=0.7",
    "en;q=0.5,zh",
    "*,zh;q=0.5",
    "en ;q=0.5",
    "en;q=2",
    "overlonglanguage,en",
    "nonsense!",
]


@pytest.mark.parametrize(("header", "language"), [*LANGUAGES, *((header, header) for header in COMPARED)])
def test_the_language_of_the_key_is_the_one_the_app_chooses(nginx: BlogNginx, header: str, language: str) -> None:
    sent = {"Accept_Language": header} if header else {}
    told = ask(nginx, f"/language/{quote(header)}/", **sent).told["headers"].get("accept_language", "")
    assert told == language
    assert accepted_language(told) == accepted_language(header)


def test_readers_of_one_language_share_a_page_and_others_do_not(nginx: BlogNginx) -> None:
    numbers = [
        ask(nginx, answering("/shared/", Vary="Accept-Language, Cookie"), Accept_Language=header).told["number"]
        for header in ("zh-CN,zh;q=0.9", "zh-TW,zh;q=0.9,en;q=0.8", "en", "en-GB,en;q=0.9", "fr")
    ]
    assert numbers[0] == numbers[1]
    assert numbers[2] == numbers[3]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        *(
            ("gzip, deflate, br, zstd", "br"),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", "br"),
            ("BR", "br"),
            ("gzip;q=0, br", "br"),
        ),
        *(("gzip, deflate", "gzip"), ("GZIP", "gzip"), ("br; q=0.0, gzip", "gzip"), ("brr, gzip", "gzip")),
        *(("", ""), ("identity", ""), ("gzip;q=0", ""), ("gzip; q=0.0, br;q=0", ""), ("xgzip", "")),
    ],
)
def test_a_page_is_kept_compressed_and_plain(nginx: BlogNginx, header: str, encoding: str) -> None:
    told = ask(nginx, f"/encoding/{quote(header)}/", Accept_Encoding=header).told["headers"]
    assert told.get("accept_encoding", "") == encoding
    path = answering("/kept/", Content_Encoding="x-app", ETag='"x-app"', X_Accel_Expires="60")
    variants = {asked: ask(nginx, path, Accept_Encoding=asked).told["number"] for asked in ("br", "gzip", "")}
    assert len(set(variants.values())) == 3
    assert ask(nginx, path, Accept_Encoding=header).told["number"] == variants[encoding]
