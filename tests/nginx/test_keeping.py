"""The pages that nginx keeps, for whom, and for how long."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.core.http.cache_policy import SHARED
from tests.nginx.asking import FRESH_SECONDS, UNLISTED, answering, answering_in_turn, ask, cache
from tests.proxy import BlogNginx

pytestmark = pytest.mark.gunicorn


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
        *("/article/1/comment/", "/article/1/comment/?part", "/article/1/comment/preview/"),
        *("/article/1/comment/22/edit/", "/article/1/comment/22/delete/"),
        *(f"/article/{UNLISTED}/comment/", f"/article/{UNLISTED}/comment/floors/?after=0&to=1"),
        *("/healthz", "/readyz", "/metrics"),
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


def test_an_old_page_is_shown_to_nobody_while_somebody_asks(nginx: BlogNginx) -> None:
    headers = {"Cache-Control": SHARED, "X-Accel-Expires": "1"}
    path = answering_in_turn("/updating/", {"headers": headers}, {"headers": headers, "seconds": 1.5})
    first = ask(nginx, path).told["number"]
    time.sleep(FRESH_SECONDS)
    with ThreadPoolExecutor(2) as readers:
        one = readers.submit(ask, nginx, path)
        time.sleep(0.3)
        another = readers.submit(ask, nginx, path)
        assert first not in {one.result().told["number"], another.result().told["number"]}


def test_a_page_that_is_gone_is_shown_to_nobody_while_somebody_asks(nginx: BlogNginx) -> None:
    page = {"headers": {"Cache-Control": "public, max-age=0, s-maxage=1, stale-while-revalidate=1"}}
    paths = {
        answering_in_turn(f"/gone-{status}/", page, {"status": status}, {"status": status, "seconds": 1}): status
        for status in (302, 403, 404, 410)
    }
    assert {ask(nginx, path).status for path in paths} == {200}
    time.sleep(FRESH_SECONDS)
    assert {path: ask(nginx, path).status for path in paths} == paths
    time.sleep(FRESH_SECONDS)
    with ThreadPoolExecutor(2 * len(paths)) as readers:
        answers = {path: readers.submit(ask, nginx, path) for path in paths}
        time.sleep(0.3)
        others = {path: readers.submit(ask, nginx, path) for path in paths}
        for path, status in paths.items():
            assert (others[path].result().status, answers[path].result().status) == (status, status)


def test_a_hundred_readers_of_a_new_page_are_one_request(nginx: BlogNginx) -> None:
    path = answering("/rush/", Cache_Control="public, max-age=0, s-maxage=60")
    with ThreadPoolExecutor(100) as readers:
        answers = list(readers.map(lambda _reader: ask(nginx, path), range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.told["number"] for answer in answers}) == 1
    assert [cache(answer) for answer in answers].count("MISS") == 1


@pytest.mark.parametrize(
    "path, status",
    [
        ("/article/7/comment/", 302),
        ("/article/7/comment/", 201),
        ("/article/7/comment/3/edit/", 302),
        ("/article/7/comment/3/delete/", 302),
        (f"/article/{UNLISTED}/comment/", 302),
        (f"/article/{UNLISTED}/comment/", 201),
        (f"/article/{UNLISTED}/comment/3/edit/", 302),
        (f"/article/{UNLISTED}/comment/3/delete/", 302),
    ],
)
def test_who_has_just_commented_sees_the_page_made_anew(nginx: BlogNginx, path: str, status: int) -> None:
    page = answering("/article/7/a/", Cache_Control="public, s-maxage=60")
    before = ask(nginx, page).told["number"]
    sent = ask(nginx, answering(path, status, Location="/article/7/a/"), "POST", b"body=Hello")
    cookie = sent.headers["Set-Cookie"]
    assert cookie.startswith("commented=1; Max-Age=10;")
    after = ask(nginx, page, Cookie=cookie.split(";")[0]).told["number"]
    assert after != before
    assert ask(nginx, page).told["number"] == after
    assert ask(nginx, answering(path, 422), "POST", b"body=").headers["Set-Cookie"] is None
    for reference in ("7", UNLISTED):
        sent = ask(nginx, answering(f"/article/{reference}/comment/preview/", 200), "POST")
        assert sent.headers["Set-Cookie"] is None
