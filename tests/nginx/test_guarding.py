"""How much one address may send, who is believed about addresses, and what HTTPS speaks."""

import http.client
import ssl
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.fleet.files import fill
from tests.nginx.asking import UNLISTED, answering, ask
from tests.proxy import SITE, BlogNginx
from tests.services import GunicornServer, free_port

pytestmark = [pytest.mark.gunicorn, pytest.mark.nginx]

AT_ONCE = 40


@pytest.fixture(scope="module")
def app() -> Iterator[GunicornServer]:
    with GunicornServer(application="tests.nginx.echo:application") as app:
        yield app


@pytest.fixture
def guarded(app: GunicornServer, tmp_path: Path) -> Callable:
    @contextmanager
    def start(**optional: str) -> Iterator[BlogNginx]:
        snippets = [fill((SITE / f"optional/blog-optional-{name}.conf").read_text(), {}) for name in optional]
        text = "\n".join(snippets)
        for change in optional.values():
            text = text.replace(*change.split(" -> "))
        with BlogNginx([app.port], app.port, tmp_path, optional=text) as nginx:
            yield nginx

    return start


def until_one_is_refused(asking: Callable[[], Any], most: int = 6_000) -> list[Any]:
    """The answers to one request after the other by eight readers, until one of them is 429; or so many.

    A number that is surely enough is none: while a machine stands still, nginx gives back what it has counted.
    """
    answers: list[Any] = []
    with ThreadPoolExecutor(8) as readers:
        while len(answers) < most and all(answer.status != 429 for answer in answers[-AT_ONCE:]):
            answers += readers.map(lambda _number: asking(), range(AT_ONCE))
    return answers


@pytest.mark.parametrize(
    ("method", "path", "at_once", "a_second"),
    [
        ("POST", "/article/1/comment/", 100, 10),
        ("POST", "/admin/login/", 100, 10),
        ("POST", "/STATS/VIEW", 100, 10),
        ("GET", "/search/?q=x", 50, 10),
        ("GET", "/article/1/comment/floors/?after=0&to=1", 200, 50),
        ("POST", f"/article/{UNLISTED}/comment/", 100, 10),
        ("GET", f"/article/{UNLISTED}/comment/", 200, 50),
        ("GET", "/admin/", 200, 50),
    ],
)
def test_an_address_has_its_share(guarded, method: str, path: str, at_once: int, a_second: int) -> None:
    with guarded() as nginx:
        begun = time.monotonic()
        answers = until_one_is_refused(lambda: ask(nginx, path, method, b"{}" if method == "POST" else None))
        most = 1 + at_once + a_second * (time.monotonic() - begun)
        told = Counter(answer.status for answer in answers)
        assert set(told) == {200, 429}
        assert at_once < told[200] <= most
        last = next(answer for answer in answers if answer.status == 429)
        assert last.headers["Retry-After"] == "10" and "请求过于频繁" in last.body.decode()
        assert ask(nginx, path, method, source="127.0.0.9").status == 200
        assert ask(nginx, "/").status == 200


@pytest.mark.parametrize(
    ("method", "path", "times"),
    [
        ("POST", "/stats/view", 160),
        ("GET", "/article/1/comment/", 160),  # as much as may come at once
        ("GET", "/article/1/a/", 1_800),
        ("GET", "/stats/view?post=1", 1_800),
    ],
)
def test_the_rest_is_not_refused(guarded, method: str, path: str, times: int) -> None:
    with guarded() as nginx, ThreadPoolExecutor(8) as readers:
        body = b"{}" if method == "POST" else None
        answers = readers.map(lambda _number: ask(nginx, path, method, body), range(times))
        assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "sessionid=invented"},
        {"Authorization": "Basic invented"},
        {"Cookie": "commented=1"},
        {"Cookie": "language=fr"},
    ],
)
def test_what_passes_the_cache_by_is_counted(guarded, headers: dict[str, str]) -> None:
    with guarded() as nginx:
        answers = until_one_is_refused(lambda: ask(nginx, "/article/1/a/", **headers))
        told = Counter(answer.status for answer in answers)
        assert set(told) == {200, 429} and told[200] >= 200
        assert {ask(nginx, "/article/1/a/").status for _ in range(20)} == {200}
        assert {ask(nginx, "/static/none.css", **headers).status for _ in range(20)} == {404}


NEIGHBOURS = [
    ("203.0.113.7", "::ffff:203.0.113.7", True),
    ("203.0.113.7", "64:ff9b::203.0.113.7", True),
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("203.0.113.7", "203.0.113.8", False),
    ("::ffff:203.0.113.7", "::ffff:198.51.100.1", False),
    ("64:ff9b::203.0.113.7", "64:ff9b::198.51.100.10", False),
    ("203.0.113.10", "203.0.113.13", False),  # of bytes that end a line
]


@pytest.mark.parametrize(("one", "other", "are_one"), NEIGHBOURS)
def test_nginx_counts_addresses_as_the_blog_does(guarded, one: str, other: str, are_one: bool) -> None:
    with guarded(cdn="192.0.2.0/24 -> 127.0.0.8/32") as nginx:

        def search(address: str) -> int:
            return int(ask(nginx, "/search/?q=x", source="127.0.0.8", X_Forwarded_For=address).status)

        def is_the_other_refused_with_it() -> bool:
            assert any(search(one) == 429 for _ in range(6_000))
            return search(other) == 429

        # More than once, because a token may come back between the two. Far fewer times than the 50 that the other
        # has by itself: it is never refused for its own sake.
        assert any(is_the_other_refused_with_it() for _ in range(30)) is are_one


def test_the_cookie_of_a_commenter_is_secure_under_https(app: GunicornServer, tmp_path: Path) -> None:
    port, tls = over_tls(tmp_path)
    sent = answering("/article/1/comment/", 302, Location="/")
    with BlogNginx([app.port], app.port, tmp_path, optional=tls) as nginx:
        assert "Secure" not in ask(nginx, sent, "POST", b"body=x").headers["Set-Cookie"]
        secure = ssl.create_default_context(cafile=str(tmp_path / "chain.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=secure)
        connection.request("POST", sent, b"body=x")
        assert connection.getresponse().headers["Set-Cookie"].endswith("SameSite=Lax; Secure")
        connection.close()
        # A name that isn't the blog's is refused there, too, but for the question of a load balancer.
        for path, status in (("/", 421), ("/healthz", 200)):
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=secure)
            connection.request("GET", path, headers={"Host": "evil.example"})
            assert connection.getresponse().status == status
            connection.close()


def test_a_cdn_is_believed_and_nobody_else(guarded) -> None:
    with guarded(cdn="192.0.2.0/24 -> 127.0.0.8/32") as nginx:
        by_the_cdn = ask(nginx, "/a/", source="127.0.0.8", X_Forwarded_For="203.0.113.7, 198.51.100.1").told["headers"]
        assert by_the_cdn["x_forwarded_for"] == "198.51.100.1"
        by_another = ask(nginx, "/b/", source="127.0.0.9", X_Forwarded_For="198.51.100.1").told["headers"]
        assert by_another["x_forwarded_for"] == "127.0.0.9"


def over_tls(tmp_path: Path) -> tuple[int, str]:
    """The port, and the snippet with a certificate made for it."""
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "chain.pem")]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", *kind, *names, *files], check=True, capture_output=True, timeout=60)
    port = free_port()
    tls = fill(
        (SITE / "optional/blog-optional-tls.conf").read_text(),
        {"BLOG_CERTIFICATE": f"{tmp_path}/chain.pem", "BLOG_CERTIFICATE_KEY": f"{tmp_path}/key.pem"},
    )
    tls = tls.replace("listen 443", f"listen 127.0.0.1:{port}").replace("listen [::]:443 ssl http2;", "")
    return port, tls


def test_https_speaks_what_is_safe(app: GunicornServer, tmp_path: Path) -> None:
    port, tls = over_tls(tmp_path)
    with BlogNginx([app.port], app.port, tmp_path, optional=tls):
        modern = ssl.create_default_context(cafile=str(tmp_path / "chain.pem"))
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/told/", timeout=20, context=modern) as answer:
            assert b'"x_forwarded_proto": "https"' in answer.read()
        for name, version, ciphers in [
            ("an old version", ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
            ("no forward secrecy", ssl.TLSVersion.TLSv1_2, "AES256-GCM-SHA384:AES128-SHA:@SECLEVEL=0"),
        ]:
            old = ssl.create_default_context(cafile=str(tmp_path / "chain.pem"))
            old.minimum_version = old.maximum_version = version
            old.set_ciphers(ciphers)
            with pytest.raises(OSError, match="alert"):
                urllib.request.urlopen(f"https://127.0.0.1:{port}/{name.replace(' ', '-')}/", timeout=20, context=old)
