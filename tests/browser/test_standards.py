"""Every type of page and the style sheet, read by the W3C's checker; nothing it calls an error may stand."""

import json
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests import services
from tests.browser.showcase import PAGES, Showcase


@pytest.fixture(scope="session")
def vnu() -> Callable[..., dict[str, set[str]]]:
    """vnu(*files) checks them by their suffix (.html, .css) and returns what it finds wrong: complaint -> files."""

    def check(*files: Path) -> dict[str, set[str]]:
        jar = services.NODE_MODULES / "vnu-jar/build/dist/vnu.jar"
        done = subprocess.run(
            [
                services.program("java"),
                "-Xss1m",
                "-jar",
                jar,
                "--also-check-css",
                "--format",
                "json",
                "--stdout",
                *files,
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        messages = json.loads(done.stdout)["messages"]
        assert messages or done.returncode == 0, done.stderr
        found: dict[str, set[str]] = {}
        for message in messages:
            if message["type"] != "info":
                found.setdefault(message["message"], set()).add(unquote(Path(message["url"]).name))
        return found

    return check


def test_every_page_is_what_the_standards_say(
    show: Callable, showcase: Showcase, vnu: Callable, tmp_path: Path
) -> None:
    files = []
    for language, pages in (("en", PAGES), ("zh-hans", ["home", "post", "comment form with errors", "404"])):
        page = show(language=language, java_script_enabled=False)
        for name in pages:
            file = tmp_path / f"{name} ({language}).html"
            file.write_bytes(showcase.visit(page, name).body())
            files.append(file)
        sheet = page.locator("link[rel=stylesheet]").get_attribute("href")
        answer = page.request.get(sheet)
    (tmp_path / "style.css").write_bytes(answer.body())
    found = vnu(*files, tmp_path / "style.css")
    assert not found, "\n".join(f"{complaint}\n  on {', '.join(sorted(pages))}" for complaint, pages in found.items())


def test_what_feeds_carry_is_what_the_standards_say(showcase: Showcase, vnu: Callable, tmp_path: Path) -> None:
    for path in ("/feed/json/", f"{showcase.paths['tag']}feed/json/", f"{showcase.paths['category']}feed/json/"):
        with urllib.request.urlopen(showcase.url + path, timeout=20) as answer:
            feed = json.load(answer)
        for item in feed["items"]:
            html = item.get("content_html", "")
            file = tmp_path / f"{item['id'].rsplit('/', 1)[1]}.html"
            file.write_text(f'<!doctype html><html lang="en"><title>T</title><h1>T</h1>{html}', encoding="utf-8")
    files = sorted(tmp_path.iterdir())
    assert len(files) >= 20
    found = vnu(*files)
    assert not found, "\n".join(f"{complaint}\n  on {', '.join(sorted(pages))}" for complaint, pages in found.items())


def test_the_checker_checks(vnu: Callable, tmp_path: Path) -> None:
    (tmp_path / "wrong.html").write_text("<!doctype html><title>T</title><p><div></p>")
    (tmp_path / "wrong.css").write_text("p { colour: red }")
    found = vnu(tmp_path / "wrong.html", tmp_path / "wrong.css")
    assert set.union(*found.values()) == {"wrong.html", "wrong.css"}
