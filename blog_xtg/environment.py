"""The `.env` file: read by the settings, written once for a blog of one."""

import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = BASE_DIR / ".env"

FIRST_ENV = """\
# Written at the first start. Keep it secret, keep it in your backups.
# Every setting is listed in .env.example.
SECRET_KEY={key}
"""


def write_solo_environment() -> None:
    """Give a blog that nobody has configured a random SECRET_KEY of its own.

    Only the solo size does this: a fleet (DATABASE_URL set) must share one key between its hosts, so there a missing
    key stops the process instead. Does nothing when a key or a `.env` is there; never overwrites.

    Raises SystemExit with one clear line when the folder can't be written.
    """
    if os.environ.get("SECRET_KEY") or os.environ.get("DATABASE_URL") or ENV_FILE.exists():
        return
    key = secrets.token_urlsafe(50)
    try:
        # 0600 from the first byte; O_EXCL lets one of two simultaneous starts win and the other read its key.
        descriptor = os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise SystemExit(
            f"Can't write {ENV_FILE.name} in {BASE_DIR} ({error.strerror}). Make the folder writable, or set SECRET_KEY."
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(FIRST_ENV.format(key=key))
