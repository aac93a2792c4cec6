"""The Chinese of every string in the sources is there, and compiled."""

import gettext
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import messages

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "locale/zh_Hans/LC_MESSAGES"
ADVICE = "run `make messages`, translate what is new, run it again"

pytestmark = pytest.mark.gettext


def tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def compiled(path: Path) -> dict:
    with path.open("rb") as file:
        catalog = gettext.GNUTranslations(file)._catalog
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


def test_every_message_is_seen_by_makemessages_and_translated() -> None:
    assert messages.faults() == [], ADVICE


FOUND = {
    'from django.utils.translation import gettext\nx = f"<b>{gettext(\'Archive\')}</b>"': "inside an f-string",
    'from django.utils.translation import gettext_lazy as _\nx = _(f"Archive {1}")': "written out",
    'from django.utils.translation import gettext as _\nx = _("Arch" + name)': "written out",
    'from django.utils.translation import pgettext\nx = pgettext(context, "Archive")': "written out",
    'from django.utils import translation\nx = translation.gettext(name)': "written out",
    'from django.utils.translation import ngettext as n\nx = n("one unheard of", "many unheard of", 2)': "not translated",
    'from django.utils.translation import gettext as _\nx = _("Archive")': "",
    'from gettext import gettext\nx = gettext(name)': "",
}  # fmt: skip


@pytest.mark.parametrize("source", FOUND)
def test_what_would_stay_english_is_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/module.py").write_text(source)
    found = "\n".join(map(str, messages.faults(tmp_path)))
    assert FOUND[source] in found and bool(found) == bool(FOUND[source])


@pytest.mark.parametrize("folder, source, found", [
    (".", '{{ _("Never heard of") }}', "Never heard of"), (".", "{% set words = _(name) %}", "written out"),
    (".", '{% if _("Never heard of") %}{% endif %}', "Never heard of"), (".", '{{ _("Archive") }}', ""),
    ("django", '{% load i18n %}{% translate "Never heard of" %}', "Never heard of"),
    ("django", "{% load i18n %}{% blocktranslate %}Never {{ heard }} of{% endblocktranslate %}", "Never %(heard)s of"),
])  # fmt: skip
def test_templates_are_read_as_well(tmp_path: Path, folder: str, source: str, found: str) -> None:
    place = tmp_path / "templates" / folder
    place.mkdir(parents=True)
    (place / "page.html").write_text(source)
    told = "\n".join(map(str, messages.faults(tmp_path)))
    assert found in told and bool(told) == bool(found)


@pytest.mark.parametrize("entry", ['#, fuzzy\nmsgid "Archive"\nmsgstr "归档"', 'msgid "Archive"\nmsgstr ""', ""])
def test_a_fuzzy_or_empty_translation_is_none(tmp_path: Path, entry: str) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/module.py").write_text('from django.utils.translation import gettext as _\nx = _("Archive")')
    catalog = tmp_path / "django.po"
    catalog.write_text(f'msgid ""\nmsgstr ""\n"Language: zh\\n"\n\n{entry}\n')
    assert len(messages.faults(tmp_path, catalog)) == 1
