"""Static files under names that hold their own hash, packed beside themselves; for a blog of one and for nginx alike.

`manage.py collectstatic` writes STATIC_ROOT: each file as it is, under its hashed name, and both packed where that is
smaller. `manage.py start` does it by itself. Pages link to the hashed names, which are fresh for ever.
"""

import datetime
import filecmp
import os
import re
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.files.base import File
from django.core.management import call_command

from ..http.compression import SUFFIXES, pack

FOR_EVER = "public, max-age=31536000, immutable"  # the Cache-Control of an address that holds a hash
HASHED_NAME = re.compile(r"\.[0-9a-f]{12}(\.[^./]+)?$")
_COMPRESSIBLE = {".css", ".js", ".json", ".mjs", ".svg", ".txt"}
_LONG_AGO = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_UNWANTED = ["CVS", ".*", "*~"]  # what collectstatic leaves out


class HashedStaticFiles(ManifestStaticFilesStorage):
    """Django's manifest storage that packs what it writes and never stands in the way of an edited source.

    A file that was not collected, or not since it changed, goes by its plain name: nothing stale is served, whoever
    forgot to collect. An address costs three looks at the file system, about 30 µs.
    """

    manifest_strict = False
    _manifest_modified_ns = 0

    def load_manifest(self) -> Any:  # the stubs name another type than Django returns
        try:
            return super().load_manifest()
        except (ValueError, OSError):  # damaged: plain names until it is written again
            return {}, ""

    def is_collected(self, name: str) -> bool:
        """Whether the collected copy of that file is what its source is now."""
        source = finders.find(name)
        try:
            return isinstance(source, str) and filecmp.cmp(source, self.path(name), shallow=False)
        except OSError:
            return False

    def is_complete(self) -> bool:
        """Whether every source has been collected as it is now; about 20 ms."""
        self._read_manifest_anew()
        names = {name for finder in finders.get_finders() for name, _storage in finder.list(_UNWANTED)}
        return all(name in self.hashed_files and self.is_collected(name) for name in names)

    def stored_name(self, name: str) -> str:
        self._read_manifest_anew()
        return super().stored_name(name) if name in self.hashed_files and self.is_collected(name) else name

    def get_modified_time(self, name: str) -> datetime.datetime:
        """A copy that differs from its source counts as older, also than a source of long ago (an unpacked release)."""
        return super().get_modified_time(name) if self.is_collected(name) else _LONG_AGO

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: File) -> str:
        # Whole or not at all: other processes read these files, and may be collecting, too.
        data = b"".join(content.chunks())
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data)
        if path.suffix in _COMPRESSIBLE and name != self.manifest_name:
            for encoding, suffix in SUFFIXES.items():
                packed = pack(data, encoding, once_for_all=True)
                if len(packed) < len(data):
                    _write(_beside(path, suffix), packed)
        return name

    def delete(self, name: str) -> None:
        super().delete(name)
        for packed in packed_beside(Path(self.path(name))).values():
            packed.unlink(missing_ok=True)

    def _read_manifest_anew(self) -> None:
        """Another process may have collected meanwhile."""
        try:
            modified_ns = os.stat(self.path(self.manifest_name)).st_mtime_ns
        except OSError:
            modified_ns = 0
        if modified_ns != self._manifest_modified_ns:
            self.hashed_files, self.manifest_hash = self.load_manifest() if modified_ns else ({}, "")
            self._manifest_modified_ns = modified_ns


def collect() -> None:
    """Collect the static files when any of them has changed (a second); otherwise cheap. Raises OSError."""
    if not staticfiles_storage.is_complete():  # type: ignore[attr-defined]
        call_command("collectstatic", interactive=False, verbosity=0)


def packed_beside(path: Path) -> dict[str, Path]:
    """Return the file's packed copies, by their encoding."""
    copies = {encoding: _beside(path, suffix) for encoding, suffix in SUFFIXES.items()}
    return {encoding: copy for encoding, copy in copies.items() if copy.is_file()}


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _write(path: Path, data: bytes) -> None:
    half_done = path.with_name(f"{path.name}.{os.getpid()}.part")
    half_done.write_bytes(data)
    half_done.chmod(0o644)
    half_done.replace(path)
