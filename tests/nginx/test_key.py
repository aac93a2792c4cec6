"""Which requests are one page: path, page number, language, encoding."""

from urllib.parse import quote

import pytest
from django.http import parse_cookie

from tests.nginx.asking import answering, ask, cache
from tests.proxy import BlogNginx

pytestmark = pytest.mark.gunicorn


@pytest.mark.parametrize(
    ("asked", "passed"),
    [
        ("/a/", "/a/"),
        ("/a/?", "/a/"),
        ("/a/?&&", "/a/"),
        ("/a/?page=2", "/a/?page=2"),
        ("/a/?page=2&", "/a/?page=2"),
        ("/a/?page=02", "/a/?page=2"),
        ("/a/?page=2&utm_source=x", "/a/?page=2"),
        ("/a/?utm_source=x&page=2", "/a/?page=2"),
        ("/?pageNo=3", "/?pageNo=3"),
        ("/type/1/articles?pageNo=-1&x=1", "/type/1/articles?pageNo=-1"),
        ("/a/?x=1", "/a/"),
        ("/a/?spage=2", "/a/"),
        ("/a/?page=0", "/a/"),
        ("/a/?page=2x", "/a/"),
        ("/a/?page=1234567890", "/a/"),
        ("/a/?q=x?y&fbclid=1", "/a/"),
        ("/%E6%95%B0/%2f/?q=%26page=1", "/%E6%95%B0/%2f/"),
        ("/article/1/card.png?v=0123abcd", "/article/1/card.png"),
        ("/search/?q=%26page=1&page=2", "/search/?q=%26page=1&page=2"),
        ("/search/suggest/?q=x", "/search/suggest/?q=x"),
        ("/article/1/comment/?part&reply_to=2", "/article/1/comment/?part&reply_to=2"),
        ("/article/1/comment/floors/?after=0&to=20", "/article/1/comment/floors/?after=0&to=20"),
        ("/setup/?token=x", "/setup/?token=x"),
    ],
)
def test_a_page_is_told_no_parameter_but_its_number(nginx: BlogNginx, asked: str, passed: str) -> None:
    assert ask(nginx, asked).told["address"] == passed


def test_what_is_sent_keeps_its_query(nginx: BlogNginx) -> None:
    assert ask(nginx, "/a/?next=/b/&x=1", "POST", b"").told["address"] == "/a/?next=/b/&x=1"


def test_one_page_is_kept_whatever_its_query_says(nginx: BlogNginx) -> None:
    first = ask(nginx, "/tracked/?page=2&utm_source=a")
    assert cache(first) == "MISS"
    for query in ("page=2", "page=2&fbclid=b", "gclid=c&page=2", "page=2&", "page=2&x=1", "variant=1&page=02"):
        again = ask(nginx, f"/tracked/?{query}")
        assert again.told["number"] == first.told["number"]
    assert ask(nginx, "/tracked/?page=3").told["number"] != first.told["number"]


@pytest.mark.parametrize("path", ["/%6bept/", "/kept/%e4%b8%ad/", "/k%65pt/%E4%B8%AD/", "/kept/%2F/", '/kept/"'])
def test_another_spelling_of_a_path_makes_no_copy(nginx: BlogNginx, path: str) -> None:
    answers = [ask(nginx, path) for _ in range(2)]
    assert {cache(answer) for answer in answers} == {"BYPASS"}


def test_the_blogs_own_paths_are_kept(nginx: BlogNginx) -> None:
    for path in ("/", "/article/1/own-%E4%B8%AD%E6%96%87/", "/tag/c++/", "/tag/a(b)'!$&*,;=:@_./", "/own.xml"):
        assert [cache(ask(nginx, path)) for _ in range(2)][1] == "HIT", path


# -- Names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.2", "blog.example.com", "evil.example:80", "x.127.0.0.1"])
def test_another_name_is_refused(nginx: BlogNginx, host: str) -> None:
    for path in ("/", "/static/a.css", "/admin/", "/metrics", "/readyz"):
        answer = ask(nginx, path, Host=host)
        assert (answer.status, answer.headers["X-Cache-Status"]) == (421, None)
    # A load balancer asks by address.
    assert ask(nginx, "/healthz", Host=host).status == 200


def test_no_port_makes_another_page(nginx: BlogNginx) -> None:
    numbers = set()
    for port in ("", ":1", ":80", ":65535", f":{nginx.port}"):
        told = ask(nginx, "/ports/", Host=f"127.0.0.1{port}").told
        assert told["headers"]["host"] == nginx.host_and_port
        numbers.add(told["number"])
    assert len(numbers) == 1


def test_the_blogs_other_names_lead_to_the_one_in_site_url(nginx: BlogNginx) -> None:
    for host in ("alias.example.com", "ALIAS.example.com:8080"):
        answer = ask(nginx, "/a/?page=2", Host=host)
        assert (answer.status, answer.headers["Location"]) == (301, f"http://{nginx.host_and_port}/a/?page=2")


# -- Language and encoding -----------------------------------------------------------------------------------------------

COOKIES = [
    ("", ""),
    ("language=en", "en"),
    ("language=zh-hans", "zh-hans"),
    ("theme=dark; language=en", "en"),
    ("language=en; csrftoken=x", "en"),
    ("csrftoken=x", ""),
    ("mylanguage=en", ""),
]
ODD_COOKIES = [
    *("language=fr", "language=EN", "language=en-gb", "language=", "language", 'language="en"', "language = en"),
    *("language=en; language=zh-hans", "language=zh-hans; language=en", "theme=1;language=en", "x=1;\tlanguage=en"),
    *("theme=1,language=en", "-language=en", "x=; ; language=en; language=en"),
    *("Language=en", "LANGUAGE=zh-hans", "Language=en; language=zh-hans", "language=en; x=1; lAnguage=zh-hans"),
]


@pytest.mark.parametrize(("cookie", "language"), COOKIES)
def test_the_language_is_the_one_the_reader_has_chosen(nginx: BlogNginx, cookie: str, language: str) -> None:
    sent = {"Cookie": cookie} if cookie else {}
    assert parse_cookie(cookie).get("language", "") == language
    path = f"/language/{len(cookie)}-{len(language)}/"
    answers = [ask(nginx, path, Accept_Language=spoken, **sent) for spoken in ("en", "zh-CN,zh;q=0.9", "fr, en, zh")]
    assert [cache(answer) for answer in answers] == ["MISS", "HIT", "HIT"]
    told = answers[0].told["headers"]
    assert told.get("cookie", "") == cookie and "accept_language" not in told


@pytest.mark.parametrize("cookie", ODD_COOKIES)
def test_a_language_that_the_blog_might_read_otherwise_makes_no_copy(nginx: BlogNginx, cookie: str) -> None:
    assert [cache(ask(nginx, "/odd-language/", Cookie=cookie)) for _ in range(2)] == ["BYPASS", "BYPASS"]
    assert cache(ask(nginx, "/odd-language/")) in {"MISS", "HIT", "EXPIRED"}


def test_readers_of_one_language_share_a_page_and_others_do_not(nginx: BlogNginx) -> None:
    numbers = [
        ask(nginx, answering("/shared/", Vary="Accept-Language, Cookie"), Cookie=cookie).told["number"]
        for cookie in ("language=zh-hans", "language=zh-hans; theme=dark", "language=en", "x=1; language=en", "x=1")
    ]
    assert numbers[0] == numbers[1]
    assert numbers[2] == numbers[3]
    assert len(set(numbers)) == 3


def test_two_cookie_headers_are_one_to_the_blog(nginx: BlogNginx) -> None:
    import http.client
    import json

    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=20)
    connection.putrequest("GET", "/cookies/")
    connection.putheader("Cookie", "a=1")
    connection.putheader("Cookie", "language=en")
    connection.endheaders()
    told = json.loads(connection.getresponse().read())
    connection.close()
    assert parse_cookie(told["headers"]["cookie"]) == {"a": "1", "language": "en"}


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
