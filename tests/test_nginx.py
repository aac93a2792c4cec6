"""What nginx makes of requests and answers, seen by an application that tells what reached it."""

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from apps.components.middleware import TRACKING, accepted_language
from tests.conftest import need
from tests.proxy import BlogNginx
from tests.services import GunicornServer, free_port

pytestmark = [pytest.mark.nginx, pytest.mark.gunicorn]
FRESH_SECONDS = 2.1  # nginx counts whole ones, and the last one entirely


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlogNginx]:
    need("nginx")
    need("gunicorn")
    var = tmp_path_factory.mktemp("var")
    with (
        GunicornServer(application="tests.echo:application") as app,
        BlogNginx([app.port], free_port(), var) as server,
    ):
        yield server


def ask(
    nginx: BlogNginx,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    source: str = "127.0.0.1",
    **headers: str,
) -> Any:
    """The answer: `status`, `headers`, `body`, and what the application was `told` when it is the one that answered."""
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=20, source_address=(source, 0))
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    told = json.loads(content) if response.headers["Content-Type"] == "application/json" and content else None
    return SimpleNamespace(status=response.status, headers=response.headers, body=content, told=told)


def cache(answer: Any) -> str:
    return str(answer.headers["X-Cache-Status"])


def answering(path: str = "/", status: int = 200, **headers: str) -> str:
    wish = {"status": status, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}
    return f"{path}?answer={quote(json.dumps(wish))}"


# -- The key: path, query, language ---------------------------------------------------------------------------------


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


# -- What is kept, and for whom -------------------------------------------------------------------------------------


def kept(nginx: BlogNginx, path: str, **headers: str) -> bool:
    """Whether the second of two requests is answered without the application."""
    return ask(nginx, path, **headers).told["number"] == ask(nginx, path, **headers).told["number"]


def test_a_session_passes_by(nginx: BlogNginx) -> None:
    anonymous = ask(nginx, "/personal/").told["number"]
    for cookie in (
        "sessionid=abc",
        "csrftoken=x; sessionid=abc",
        "sessionid=",
        "sessionid=; sessionid=abc",
        "messages=m",
    ):
        answer = ask(nginx, "/personal/", Cookie=cookie)
        assert cache(answer) == "BYPASS"
        assert answer.told["headers"]["cookie"] == cookie
    assert cache(ask(nginx, "/personal/", Authorization="Basic x")) == "BYPASS"
    # And what was made for it is nobody else's.
    assert ask(nginx, "/personal/", Cookie="csrftoken=x; theme=dark").told["number"] == anonymous
    ask(nginx, "/personal/other/", Cookie="sessionid=abc")
    assert cache(ask(nginx, "/personal/other/")) == "MISS"


@pytest.mark.parametrize(
    "path",
    [
        *("/admin/", "/admin/login/", "/setup/?token=x", "/stats/view?post=1", "/search/?q=x", "/search/suggest/?q=x"),
        *("/article/1/comment/", "/article/1/comment/?part", "/healthz", "/readyz", "/metrics"),
    ],
)
def test_never_kept(nginx: BlogNginx, path: str) -> None:
    assert not kept(nginx, path)


def test_a_post_is_passed_on(nginx: BlogNginx) -> None:
    page = ask(nginx, "/posted/").told["number"]
    assert ask(nginx, "/posted/", "POST", b"a=1").told["number"] != page
    assert ask(nginx, "/posted/").told["number"] == page


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, True),
        ({"Cache_Control": "public, max-age=0, s-maxage=5, stale-while-revalidate=9, stale-if-error=9"}, True),
        ({"Cache_Control": "public, max-age=60"}, True),
        ({"Cache_Control": "private"}, False),
        ({"Cache_Control": "no-store"}, False),
        ({"Cache_Control": "max-age=0, no-cache, no-store, must-revalidate, private"}, False),
        ({"Set_Cookie": "csrftoken=x"}, False),
        ({"Set_Cookie": "sessionid=x", "Cache_Control": "public, s-maxage=5"}, False),
    ],
)
def test_the_app_decides_what_may_be_kept(nginx: BlogNginx, headers: dict[str, str], expected: bool) -> None:
    assert kept(nginx, answering("/said/", **headers)) is expected


@pytest.mark.parametrize("status", [302, 403, 404, 500, 503])
def test_only_pages_are_kept(nginx: BlogNginx, status: int) -> None:
    answer = ask(nginx, answering("/status/", status))
    assert answer.status == status
    assert ask(nginx, answering("/status/", status)).told["number"] != answer.told["number"]


def test_a_known_page_is_not_sent_again(nginx: BlogNginx) -> None:
    path = answering("/etag/", ETag='"strong"', Cache_Control="public, max-age=0, s-maxage=60")
    assert ask(nginx, path).headers["ETag"] == '"strong"'
    assert ask(nginx, path, If_None_Match='"strong"').status == 304
    assert ask(nginx, path, If_None_Match='"other"').status == 200


def test_an_old_page_is_asked_for_by_its_etag(nginx: BlogNginx) -> None:
    path = answering("/again/", ETag='"strong"', Cache_Control="public, max-age=0, s-maxage=1")
    assert "if_none_match" not in ask(nginx, path, If_None_Match='"mine"').told["headers"]
    time.sleep(FRESH_SECONDS)
    assert ask(nginx, path).told["headers"]["if_none_match"] == '"strong"'


def test_a_page_older_than_its_second_is_shown_to_nobody(nginx: BlogNginx) -> None:
    path = answering(
        "/old/", Cache_Control="public, max-age=0, s-maxage=1, stale-while-revalidate=60, stale-if-error=60"
    )
    first = ask(nginx, path)
    time.sleep(FRESH_SECONDS)
    second = ask(nginx, path)
    assert second.told["number"] != first.told["number"]


def test_a_hundred_readers_of_a_new_page_are_one_request(nginx: BlogNginx) -> None:
    path = answering("/rush/", Cache_Control="public, max-age=0, s-maxage=60")
    with ThreadPoolExecutor(100) as readers:
        answers = list(readers.map(lambda _reader: ask(nginx, path), range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.told["number"] for answer in answers}) == 1
    assert [cache(answer) for answer in answers].count("MISS") == 1


def test_who_has_just_commented_sees_the_page_made_anew(nginx: BlogNginx) -> None:
    page = answering("/article/7/a/", Cache_Control="public, s-maxage=60")
    before = ask(nginx, page).told["number"]
    sent = ask(nginx, answering("/article/7/comment/", 302, Location="/article/7/a/"), "POST", b"body=Hello")
    cookie = sent.headers["Set-Cookie"]
    assert cookie.startswith("commented=1; Max-Age=10;")
    after = ask(nginx, page, Cookie=cookie.split(";")[0]).told["number"]
    assert after != before
    assert ask(nginx, page).told["number"] == after
    assert ask(nginx, answering("/article/7/comment/", 422), "POST", b"body=").headers["Set-Cookie"] is None


# -- What the app is told -------------------------------------------------------------------------------------------


def test_the_app_is_told_who_asks_by_nginx_alone(nginx: BlogNginx) -> None:
    lies = {
        "X_Forwarded_For": "192.0.2.1",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "example.com",
        "X_Request_ID": "mine",
        "Forwarded": "for=192.0.2.1",
    }
    headers = ask(nginx, "/told/", source="127.0.0.9", **lies).told["headers"]
    assert headers["x_forwarded_for"] == "127.0.0.9"
    assert headers["x_forwarded_proto"] == "http"
    assert headers["host"] == f"127.0.0.1:{nginx.port}"
    assert len(headers["x_request_id"]) == 32
    assert not {"x_forwarded_host", "forwarded"} & set(headers)
    (line,) = [line for line in nginx.requests() if line["uri"] == "/told/"]
    assert line["request_id"] == headers["x_request_id"]
    assert line["cache"] == "MISS"
    assert line["address"] == "127.0.0.9"


def test_bodies_are_bounded(nginx: BlogNginx) -> None:
    for path, fits, too_large in [
        ("/stats/view", 200, 2_000),
        ("/article/1/comment/", 200_000, 300_000),
        ("/", 200_000, 300_000),
        ("/admin/editor/upload/", 12_000_000, 22_000_000),
    ]:
        assert ask(nginx, path, "POST", bytes(fits)).status == 200
        # The length alone is refused: nothing of the body is waited for.
        connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=20)
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(too_large))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


def test_figures_are_for_this_machine_alone(nginx: BlogNginx) -> None:
    assert ask(nginx, "/metrics").status == 200
    for path in ("/metrics", "/%6detrics", "/x/../metrics"):
        assert ask(nginx, path, source="127.0.0.9").status == 403


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        *(("gzip, deflate, br, zstd", "gzip"), ("br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip"), ("GZIP", "gzip")),
        *(("", ""), ("identity", ""), ("br", ""), ("gzip;q=0", ""), ("gzip; q=0.0, br", ""), ("xgzip", "")),
    ],
)
def test_a_page_is_kept_compressed_and_plain(nginx: BlogNginx, header: str, encoding: str) -> None:
    told = ask(nginx, f"/encoding/{quote(header)}/", Accept_Encoding=header).told["headers"]
    assert told.get("accept_encoding", "") == encoding
    path = answering("/kept/", Content_Encoding="x-app", ETag='"x-app"')
    numbers = [ask(nginx, path, Accept_Encoding=asked).told["number"] for asked in (header, encoding, "gzip", "")]
    assert numbers[0] == numbers[1] == numbers[2 if encoding else 3]
    assert numbers[2] != numbers[3]


def test_what_the_app_left_plain_travels_compressed(nginx: BlogNginx) -> None:
    long = answering("/long/", Content_Type="application/feed+json", X_Long="x" * 2000)
    answer = ask(nginx, long, Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert ask(nginx, long).headers["Content-Encoding"] is None


# -- Files ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def var(nginx: BlogNginx) -> Path:
    """The folder of which nginx serves static/ and media/."""
    site = (nginx.folder / "nginx.conf").read_text(encoding="utf-8")
    return Path(site.split("location ^~ /static/ {")[1].split("root ")[1].split(";")[0])


def test_a_file_named_by_its_content_is_fresh_for_a_year(nginx: BlogNginx, var: Path) -> None:
    (var / "static/js").mkdir(parents=True)
    (var / "static/js/page.0123456789ab.js").write_text("plain")
    (var / "static/js/page.0123456789ab.js.gz").write_bytes(b"compressed beforehand")
    (var / "static/js/page.js").write_text("plain")
    answer = ask(nginx, "/static/js/page.0123456789ab.js")
    assert answer.body == b"plain"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer = ask(nginx, "/static/js/page.0123456789ab.js", Accept_Encoding="gzip")
    assert (answer.headers["Content-Encoding"], answer.body) == ("gzip", b"compressed beforehand")
    assert ask(nginx, "/static/js/page.js").headers["Cache-Control"] == "public, max-age=3600"
    assert ask(nginx, "/static/nothing.js").status == 404


def test_no_script_runs_in_an_upload(nginx: BlogNginx, var: Path) -> None:
    (var / "media").mkdir()
    (var / "media/a.svg").write_text("<svg/>")
    answer = ask(nginx, "/media/a.svg")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
