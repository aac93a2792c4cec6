"""The Chinese of every string in the sources is there, and compiled."""

import gettext
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "locale/zh_Hans/LC_MESSAGES"
ADVICE = "run `make messages`, translate what is new, run it again"

pytestmark = pytest.mark.gettext


def tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def compiled(path: Path) -> dict:
    with path.open("rb") as file:
        catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {message: text for message, text in catalog.items() if message}


def test_every_string_is_translated(tmp_path: Path) -> None:
    for name in ("apps", "blog_xtg", "templates", "locale"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "--locale", "zh_Hans", "--no-location", "--no-wrap"],
        cwd=tmp_path,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "blog_xtg.settings"},
        capture_output=True,
        timeout=120,
        check=True,
    )
    for path in (tmp_path / "locale/zh_Hans/LC_MESSAGES").glob("*.po"):
        lacking = [tool("msgattrib", "--no-wrap", kind, str(path)) for kind in ("--untranslated", "--only-fuzzy")]
        assert lacking == ["", ""], ADVICE


def test_the_compiled_catalogs_are_up_to_date(tmp_path: Path) -> None:
    sources = sorted(CATALOG.glob("*.po"))
    assert sources
    for source in sources:
        fresh = tmp_path / source.with_suffix(".mo").name
        tool("msgfmt", "--check-format", "-o", str(fresh), str(source))
        assert compiled(fresh) == compiled(source.with_suffix(".mo")), ADVICE
