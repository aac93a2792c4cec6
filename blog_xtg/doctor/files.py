"""Uploads, style sheets and backups."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection

from apps.core.observability.fleet_metrics import newest_backup_at

from .findings import ERROR, OK, WARNING, Finding, has_server, is_reached, manage, span

FREE_DISK = 0.05
FULL_BYTES = 20 * 1024 * 1024  # less than one large upload and its copies
BACKUP_OLD_SECONDS = 2 * 86400


def files(parts: dict[str, str]) -> Iterator[Finding]:
    """The files."""
    folder = existing = Path(settings.MEDIA_ROOT)
    try:
        while not existing.exists() and existing != existing.parent:  # made with the first upload
            existing = existing.parent
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Finding(
            ERROR,
            f"Uploads can't be stored: {folder} can't be written to ({error.strerror}).",
            "Give the folder to the user the blog runs as, or let MEDIA_ROOT name another.",
        )
    else:
        full = list(_full_disks(existing))
        yield from full or [Finding(OK, f"Uploads can be stored in {folder}.")]
    # A blog of one collects at its start.
    if settings.REDIS_URL and not staticfiles_storage.is_complete():  # type: ignore[attr-defined]
        yield Finding(
            ERROR,
            f"Style sheets and scripts are not in {settings.STATIC_ROOT} as this version has them.",
            f"Run `{manage()} collectstatic --noinput` on each host, and reload its workers.",
        )


def _full_disks(uploads: Path) -> Iterator[Finding]:
    database = [] if has_server() else [Path(str(connection.settings_dict["NAME"])).parent]
    for folder in [uploads, *database]:
        usage = shutil.disk_usage(folder)
        if usage.free < FULL_BYTES:
            yield Finding(
                ERROR,
                f"The disk of {folder} is full, {usage.free} bytes are left: comments, posts and uploads are refused.",
                "Make room.",
            )
            return
        if usage.free < FREE_DISK * usage.total:
            yield Finding(
                WARNING, f"The disk of {folder} is nearly full: {usage.free / 1e9:.1f} GB left.", "Make room."
            )
            return


def backups(parts: dict[str, str]) -> Iterator[Finding]:
    """The backups."""
    folder = settings.BACKUP_ROOT
    if not folder:
        if is_reached():
            yield Finding(
                WARNING,
                "Nobody looks after the backups: BACKUP_ROOT names no folder.",
                "Write one every day (docs/deployment.md, Backups), and let BACKUP_ROOT name their folder.",
            )
        return
    try:
        newest_at = newest_backup_at(folder)
    except OSError as error:
        yield Finding(ERROR, f"The backups can't be read: {folder} ({error.strerror}).", "Correct BACKUP_ROOT.")
        return
    if _is_open_to_all(Path(folder)):
        yield Finding(
            WARNING,
            f"Every user of this machine can read the backups in {folder}: passwords' digests, sessions and addresses.",
            f"`chmod -R go-rwx {folder}`, and `umask 077` in the script that writes them.",
        )
    age = time.time() - (newest_at or 0)
    remedy = "See why the job that writes them has stopped, and write one by hand (docs/deployment.md, Backups)."
    if newest_at is None:
        yield Finding(ERROR, f"There is no backup in {folder}.", remedy)
    elif age > BACKUP_OLD_SECONDS:  # the same as the alert BlogBackupOld
        yield Finding(ERROR, f"The newest backup in {folder} is {span(age)} old.", remedy)
    else:
        yield Finding(OK, f"The newest backup in {folder} is {span(max(age, 0))} old.")


def _is_open_to_all(folder: Path) -> bool:
    """Whether some file in it can be read by everybody; the owner of the blog alone may look into a folder above."""
    if not all(parent.stat().st_mode & 0o001 for parent in [folder, *folder.resolve().parents]):
        return False
    return any(file.stat().st_mode & 0o004 for file in folder.iterdir() if file.is_file())
