"""How much one address may send, who is believed about addresses, and what HTTPS speaks."""

import ssl
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.fleet.files import fill
from tests.nginx.asking import ask
from tests.proxy import SITE, BlogNginx
from tests.services import GunicornServer, free_port

pytestmark = [pytest.mark.gunicorn, pytest.mark.nginx]


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


@pytest.mark.parametrize(
    ("method", "path", "times", "refused"),
    [
        ("POST", "/article/1/comment/", 160, True),
        ("POST", "/admin/login/", 160, True),
        ("GET", "/search/?q=x", 160, True),
        ("POST", "/stats/view", 160, False),
        ("GET", "/article/1/comment/", 160, False),
    ],
)
def test_an_address_has_its_share(guarded, method: str, path: str, times: int, refused: bool) -> None:  # type: ignore[no-untyped-def]
    with guarded() as nginx:
        answers = [ask(nginx, path, method, b"{}" if method == "POST" else None) for _ in range(times)]
        told = Counter(answer.status for answer in answers)
        assert set(told) == ({200, 429} if refused else {200})
        if refused:
            assert told[200] >= 50
            last = next(answer for answer in answers if answer.status == 429)
            assert last.headers["Retry-After"] == "10" and "请求过多" in last.body.decode()
            assert ask(nginx, path, method, source="127.0.0.9").status == 200
            assert ask(nginx, "/").status == 200


def test_a_cdn_is_believed_and_nobody_else(guarded) -> None:  # type: ignore[no-untyped-def]
    with guarded(cdn="192.0.2.0/24 -> 127.0.0.8/32") as nginx:
        by_the_cdn = ask(nginx, "/a/", source="127.0.0.8", X_Forwarded_For="203.0.113.7, 198.51.100.1").told["headers"]
        assert by_the_cdn["x_forwarded_for"] == "198.51.100.1"
        by_another = ask(nginx, "/b/", source="127.0.0.9", X_Forwarded_For="198.51.100.1").told["headers"]
        assert by_another["x_forwarded_for"] == "127.0.0.9"


def test_https_speaks_what_is_safe(app: GunicornServer, tmp_path: Path) -> None:
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
