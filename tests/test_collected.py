"""Static files as a browser meets them: hashed, fresh for ever, packed, and never older than their source."""

import gzip
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client

from apps.core.static.storage import HASHED_NAME, collect
from tests.services import ROOT, BlogServer, wait_until

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def sources(tmp_path: Path, settings) -> Path:
    """A folder of static sources, collected with our style sheets alone (all files take ten times as long to pack)."""
    folder = tmp_path / "sources"
    (folder / "js").mkdir(parents=True)
    shutil.copytree(ROOT / "static/css", folder / "css")
    (folder / "js/hello.js").write_text("document.title = 'Hello';\n" * 20)
    (folder / "look.css").write_text("body { background: url('dot.png') }\n" * 20)
    (folder / "dot.png").write_bytes(bytes.fromhex("89504e470d0a1a0a"))
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATICFILES_DIRS = [folder]
    settings.STATIC_ROOT = tmp_path / "collected"
    return folder


def rewrite(file: Path, text: str) -> None:
    """As an editor does it, a second later."""
    later = file.stat().st_mtime + 1
    file.write_text(text)
    os.utime(file, (later, later))


def test_a_collected_file_is_fresh_for_ever_and_travels_packed(sources: Path, client: Client) -> None:
    collect()
    address = static("js/hello.js")
    assert re.fullmatch(r"/static/js/hello\.[0-9a-f]{12}\.js", address)
    plain = client.get(address)
    assert plain["Cache-Control"] == FOR_EVER and plain["Vary"] == "Accept-Encoding"
    assert plain.content == (sources / "js/hello.js").read_bytes() and "Content-Encoding" not in plain
    for accepted, encoding, unpack in (
        ("br;q=1.0, gzip;q=0.8", "br", brotli.decompress),
        ("gzip, br;q=0", "gzip", gzip.decompress),
    ):
        packed = client.get(address, headers={"accept-encoding": accepted})
        assert packed["Content-Encoding"] == encoding and packed["Content-Type"].startswith("text/javascript")
        assert len(packed.content) < len(plain.content) and unpack(packed.content) == plain.content
    again = client.get(address, headers={"if-modified-since": plain["Last-Modified"]})
    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", FOR_EVER)
    picture = client.get(static("dot.png"), headers={"accept-encoding": "gzip"})
    assert "Content-Encoding" not in picture and picture["Cache-Control"] == FOR_EVER


@pytest.mark.django_db
@pytest.mark.one_database
def test_who_does_not_ask_for_packed_files_gets_none(sources: Path, client: Client) -> None:
    collect()
    for accepted in ("", "identity", "zstd", "gzip;q=0", "gzip; q=0.0, br;q=0", "notgzip", "brr", "*"):
        for address in (static("js/hello.js"), "/style-plain.css"):
            answer = client.get(address, headers={"accept-encoding": accepted})
            assert "Content-Encoding" not in answer, (accepted, address)


def test_a_style_sheet_names_its_pictures_by_their_hash(sources: Path, client: Client) -> None:
    collect()
    css = client.get(static("look.css")).content.decode()
    assert f'url("{static("dot.png").rsplit("/", 1)[1]}")' in css


def test_the_plain_address_is_fresh_for_an_hour(sources: Path, client: Client) -> None:
    collect()
    answer = client.get("/static/js/hello.js", headers={"accept-encoding": "gzip"})
    assert answer["Cache-Control"] == "public, max-age=3600" and answer["Content-Encoding"] == "gzip"


def test_an_edited_file_is_never_served_stale(sources: Path, client: Client) -> None:
    collect()
    before = static("js/hello.js")
    rewrite(sources / "js/hello.js", "document.title = 'Edited';")
    assert static("js/hello.js") == "/static/js/hello.js"
    answer = client.get(static("js/hello.js"), headers={"accept-encoding": "gzip"})
    assert b"Edited" in answer.content and answer["Cache-Control"] == "no-cache"
    collect()
    after = static("js/hello.js")
    assert after != before and HASHED_NAME.search(after) and b"Edited" in client.get(after).content
    assert b"Hello" in client.get(before).content, "pages that readers still have open"


def test_a_file_older_than_its_copy_is_collected_too(sources: Path, client: Client) -> None:
    collect()
    (sources / "js/hello.js").write_text("document.title = 'Taken back';")
    os.utime(sources / "js/hello.js", (1, 1))
    collect()
    assert HASHED_NAME.search(static("js/hello.js"))
    assert b"Taken back" in client.get(static("js/hello.js")).content
    assert b"Taken back" in client.get("/static/js/hello.js").content


def test_nothing_is_written_when_nothing_changed(sources: Path, settings) -> None:
    collect()
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    written = manifest.stat().st_mtime_ns
    collect()
    assert manifest.stat().st_mtime_ns == written


def test_what_another_process_collects_is_seen(sources: Path, settings) -> None:
    collect()
    before = static("js/hello.js")
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    manifest.write_text(manifest.read_text().replace(before.removeprefix("/static/"), "js/hello.0123456789ab.js"))
    assert static("js/hello.js") == "/static/js/hello.0123456789ab.js"


@pytest.mark.parametrize("content", ["", "{", '{"version": "9"}', "\xff"])
def test_a_damaged_manifest_is_written_anew(sources: Path, settings, client: Client, content: str) -> None:
    collect()
    hashed = static("js/hello.js")
    (settings.STATIC_ROOT / "staticfiles.json").write_text(content, encoding="latin-1")
    assert static("js/hello.js") == "/static/js/hello.js" and client.get("/static/js/hello.js").status_code == 200
    collect()
    assert static("js/hello.js") == hashed


def test_without_collecting_everything_is_there(sources: Path, client: Client) -> None:
    assert static("js/hello.js") == "/static/js/hello.js"
    answer = client.get(static("js/hello.js"))
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-cache"


@pytest.mark.django_db
@pytest.mark.one_database
def test_no_address_leads_to_what_is_no_static_file(sources: Path, settings, client: Client) -> None:
    collect()
    for path in (
        "staticfiles.json",
        "js/hello.js.gz",
        "js/hello.0123456789ab.js",
        "../collected/js/hello.js",
        "js",
        "%00",
    ):
        assert client.get(f"/static/{path}").status_code == 404, path


def test_clearing_leaves_no_packed_file_behind(sources: Path, settings) -> None:
    collect()
    gone = Path(staticfiles_storage.path(static("js/hello.js").removeprefix("/static/")))
    assert {file.name for file in gone.parent.glob(f"{gone.name}.*")} == {f"{gone.name}.gz", f"{gone.name}.br"}
    (sources / "js/hello.js").unlink()
    call_command("collectstatic", clear=True, interactive=False, verbosity=0)
    assert not [file for file in settings.STATIC_ROOT.rglob("*") if file.name.startswith("hello")]


def test_nginx_sends_the_same_packed_files(sources: Path, settings, nginx) -> None:
    collect()
    server = nginx(
        "server { listen 127.0.0.1:PORT; types { text/javascript js; } gzip_static on; gzip_vary on;"
        f" location /static/ {{ alias {settings.STATIC_ROOT}/; }} }}"
    )
    asked = urllib.request.Request(server.url + static("js/hello.js"), headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.read()) == (sources / "js/hello.js").read_bytes()


# -- As `make run` starts it ------------------------------------------------------------------------------------------


class FreshBlog(BlogServer):
    """The blog from a checkout of its own, in which nothing was ever started."""

    def start(self) -> None:
        self.checkout = self.folder / "checkout"
        if not self.checkout.exists():
            for name in ("apps", "blog_xtg", "templates", "static", "locale"):
                shutil.copytree(ROOT / name, self.checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(ROOT / "manage.py", self.checkout)
        super().start()

    def command(self) -> list[str]:
        python, _manage, *arguments = super().command()
        return [python, str(self.checkout / "manage.py"), *arguments]


@pytest.fixture(scope="module")
def fresh_blog() -> Iterator[FreshBlog]:
    with FreshBlog() as server:
        yield server


def fetch(address: str) -> tuple[dict[str, str], str]:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return dict(answer.headers), answer.read().decode()


def addresses(page: str) -> set[str]:
    # An attribute may name several.
    return set(re.findall(r'(?<=["\s])/(?:static/|style-)[^"\s]+(?=["\s])', page))


def test_a_fresh_start_hashes_every_address(fresh_blog: FreshBlog) -> None:
    seen = set()
    for path in ("/", "/article/1/", "/article/2/", "/search/", "/admin/login/", "/article/1/comment/"):
        seen |= addresses(fetch(fresh_blog.url + path)[1])
    assert any("mermaid" in address for address in seen) and any("admin/css" in address for address in seen)
    for address in seen:
        assert HASHED_NAME.search(address) or re.fullmatch(r"/style-[0-9a-f]{12}\.css", address), address
        assert fetch(fresh_blog.url + address)[0]["Cache-Control"] == FOR_EVER, address
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(fresh_blog.url + "/nowhere/")
    error_page = refused.value.read().decode()
    assert all(HASHED_NAME.search(address) for address in addresses(error_page) if "/static/" in address)


def test_an_edit_shows_at_once_and_is_hashed_at_the_next_start(fresh_blog: FreshBlog) -> None:
    static_files = fresh_blog.checkout / "static"
    before = addresses(fetch(fresh_blog.url + "/")[1])
    fresh_blog.stop()
    fresh_blog.env["DEBUG"] = "1"  # with which one edits: every page is made anew
    fresh_blog.start()
    wait_until(fresh_blog.answers, 20)
    rewrite(static_files / "js/theme.js", (ROOT / "static/js/theme.js").read_text() + "// edited\n")
    rewrite(static_files / "css/base.css", (ROOT / "static/css/base.css").read_text() + ".edited { color: #123456 }")
    during = addresses(fetch(fresh_blog.url + "/")[1])
    (script,) = [address for address in during if "theme" in address]
    (sheet,) = [address for address in during if "/style-" in address]
    assert {script, sheet}.isdisjoint(before)
    headers, edited = fetch(fresh_blog.url + script)
    assert "// edited" in edited and headers["Cache-Control"] == "no-cache"
    assert "#123456" in fetch(fresh_blog.url + sheet)[1]
    fresh_blog.stop()
    del fresh_blog.env["DEBUG"]
    fresh_blog.start()
    wait_until(fresh_blog.answers, 20)
    (script,) = [address for address in addresses(fetch(fresh_blog.url + "/")[1]) if "theme" in address]
    assert HASHED_NAME.search(script) and "// edited" in fetch(fresh_blog.url + script)[1]
