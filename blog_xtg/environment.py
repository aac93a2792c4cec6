"""The `.env` file: read by the settings, written once for a blog of one."""

import os
import re
import secrets
from pathlib import Path
from typing import IO

BASE_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
VAR_DIR = BASE_DIR / "var"  # the data of a blog of one: database, uploads

FIRST_ENV = """\
# Written at the first start. Keep it secret, keep it in your backups.
# Every setting is listed in .env.example.
SECRET_KEY={key}
"""


def prepare_solo() -> None:
    """Give a blog that nobody has configured its folder for data and a random SECRET_KEY of its own.

    Only the solo size does this: a fleet (DATABASE_URL set) must share one key between its hosts, so there a missing
    key stops the process instead. A `.env` without a key gets one at its end; nothing is ever overwritten.

    Raises SystemExit with one clear line when the folder can't be written.
    """
    known = ENV_FILE.read_text(encoding="utf-8") if ENV_FILE.exists() else ""
    if os.environ.get("DATABASE_URL") or _sets("DATABASE_URL", known):
        return
    try:
        VAR_DIR.mkdir(mode=0o700, exist_ok=True)  # readers' e-mail addresses are in there
        if not os.environ.get("SECRET_KEY") and not _sets("SECRET_KEY", known):
            _write_key()
    except OSError as error:
        raise SystemExit(
            f"Can't write in {BASE_DIR} ({error.strerror}). Make the folder writable, or put the project elsewhere."
        ) from None


def note_start(address: str) -> None:
    """Remember where the blog of one was started last, for the commands that print links to it."""
    (VAR_DIR / "address").write_text(f"{address}\n", encoding="utf-8")


def last_started_at() -> str:
    """Return the address that `manage.py start` served last, blank when it never did."""
    try:
        return (VAR_DIR / "address").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _sets(names: str, text: str) -> bool:
    return bool(re.search(rf"^\s*(export\s+)?({names})\s*=", text, re.MULTILINE))


def _write_key() -> None:
    # 0600 from the first byte; the lock makes the second of two simultaneous starts see the first one's key.
    descriptor = os.open(ENV_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a+", encoding="utf-8") as file:
        _lock(file)
        file.seek(0)
        known = file.read()
        if _sets("SECRET_KEY|DATABASE_URL", known):
            return
        gap = "" if not known or known.endswith("\n") else "\n"
        file.write(gap + FIRST_ENV.format(key=secrets.token_urlsafe(50)))


def _lock(file: IO[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has none, and nobody starts a blog twice at once there
        return
    fcntl.flock(file, fcntl.LOCK_EX)
