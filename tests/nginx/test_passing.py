"""The requests that reach the app, those that never do, and the files it has nothing to do with."""

import http.client
import socket
import subprocess
from pathlib import Path

import pytest

from apps.core.http.compression import SUFFIXES, pack
from tests.nginx.asking import answering, ask
from tests.proxy import SITE, BlogNginx
from tests.services import free_port, wait_until

pytestmark = pytest.mark.gunicorn


def test_the_app_is_told_who_asks_by_nginx_alone(nginx: BlogNginx) -> None:
    lies = {
        "X_Forwarded_For": "192.0.2.1",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "example.com",
        "X_Request_ID": "mine",
        "Forwarded": "for=192.0.2.1",
    }
    whence = "http://127.0.0.1/setup/?token=secret"
    headers = ask(nginx, "/told/?q=private", source="127.0.0.9", Referer=whence, **lies).told["headers"]
    assert headers["x_forwarded_for"] == "127.0.0.9"
    assert headers["x_forwarded_proto"] == "http"
    assert headers["host"] == nginx.host_and_port
    assert len(headers["x_request_id"]) == 32
    assert not {"x_forwarded_host", "forwarded"} & set(headers)
    wait_until(lambda: bool(nginx.requests()), 5)  # a line is written after the answer
    (line,) = [line for line in nginx.requests() if line["path"] == "/told/"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/told/", 200)
    assert line["request_id"] == headers["x_request_id"]
    assert line["cache"] == "MISS"
    assert line["address"] == "127.0.0.9"
    assert (line["level"], line["host"], line["site"]) == ("info", socket.gethostname(), "127.0.0.1")


def test_the_log_keeps_no_search_and_no_token(nginx: BlogNginx) -> None:
    token = "of-a-letter"
    whence = [f"http://127.0.0.1/comments/mail/stop/{token}/", f"http://127.0.0.1/setup/?token={token}#{token}"]
    for referer in whence:
        ask(nginx, f"/search/?q={token}", Referer=referer)

    def told() -> list[str]:
        return [line["referer"] for line in nginx.requests() if line["path"] == "/search/" and line["referer"]]

    wait_until(lambda: len(told()) == len(whence), 5)
    assert told() == ["http://127.0.0.1/comments/mail/", "http://127.0.0.1/setup/"]
    assert token not in str(nginx.requests())


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


def test_what_the_app_left_plain_travels_compressed(nginx: BlogNginx) -> None:
    long = answering("/long/", Content_Type="application/feed+json", X_Long="x" * 2000)
    answer = ask(nginx, long, Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert ask(nginx, long).headers["Content-Encoding"] is None


# -- Files ----------------------------------------------------------------------------------------------------------


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


@pytest.mark.brotli
def test_scripts_travel_by_brotli_where_nginx_has_the_module(tmp_path: Path) -> None:
    snippet = (SITE / "optional/blog-optional-brotli.conf").read_text()
    (tmp_path / "static").mkdir()
    hashed = tmp_path / "static/page.0123456789ab.js"
    hashed.write_text("const one = 1;\n" * 200)
    for encoding, suffix in SUFFIXES.items():
        hashed.with_name(hashed.name + suffix).write_bytes(pack(hashed.read_bytes(), encoding, once_for_all=True))
    module = "load_module /usr/lib/nginx/modules/ngx_http_brotli_static_module.so;"
    with BlogNginx([free_port()], free_port(), tmp_path, optional=snippet, main=module) as nginx:
        for accepted, encoding in (("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", None)):
            answer = ask(nginx, f"/static/{hashed.name}", Accept_Encoding=accepted)
            assert (answer.status, answer.headers["Content-Encoding"]) == (200, encoding)
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert answer.headers["Content-Type"] == "application/javascript; charset=utf-8"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            if encoding == "br":
                unpacked = subprocess.run(
                    ["brotli", "-d"], input=answer.body, capture_output=True, check=True, timeout=20
                )
                assert unpacked.stdout == hashed.read_bytes() and len(answer.body) < 100


def test_no_script_runs_in_an_upload(nginx: BlogNginx, var: Path) -> None:
    (var / "media").mkdir(exist_ok=True)
    (var / "media/a.svg").write_text("<svg/>")
    answer = ask(nginx, "/media/a.svg")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
