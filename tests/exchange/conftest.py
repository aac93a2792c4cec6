import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import translation

from apps.exchange.receipts import Receipt

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(autouse=True)
def _own_media_in_english(settings, tmp_path_factory):
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")
    with translation.override("en"):
        yield


@pytest.fixture
def fixture_copy(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a fixture folder that the test may change."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(FIXTURES / name, tmp_path / name))

    return copy


@pytest.fixture
def broken(fixture_copy: Callable[[str], Path]) -> Path:
    """One good file among broken ones; two of them are no text that a repository should hold."""
    root = fixture_copy("broken")
    (root / "latin1.md").write_bytes("---\ntitle: x\n---\n\ncafé au lait\n".encode("latin-1"))
    (root / "nul.md").write_bytes(b"one\ntwo \0\n")
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """folder({"a.md": "text"}, name="blog") writes a folder of files."""

    def make(files: dict[str, str | bytes], name: str = "folder") -> Path:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            (root / path).write_bytes(data)
        return root

    return make


@pytest.fixture
def media_files(settings) -> Callable[[], list[str]]:
    return lambda: sorted(path.name for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())


def outcomes(receipts: list[Receipt]) -> dict[str, str]:
    return {receipt.origin: str(receipt.outcome) for receipt in receipts}
