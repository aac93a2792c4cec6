"""The `.env` file: read by the settings, written once for a blog of one."""

import os
import secrets
from pathlib import Path

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
    key stops the process instead. Does nothing when a key or a `.env` is there; never overwrites.

    Raises SystemExit with one clear line when the folder can't be written.
    """
    if os.environ.get("DATABASE_URL"):
        return
    try:
        VAR_DIR.mkdir(mode=0o700, exist_ok=True)  # readers' e-mail addresses are in there
        if not os.environ.get("SECRET_KEY") and not ENV_FILE.exists():
            _write_key()
    except OSError as error:
        raise SystemExit(
            f"Can't write in {BASE_DIR} ({error.strerror}). Make the folder writable, or put the project elsewhere."
        ) from None


def _write_key() -> None:
    try:
        # 0600 from the first byte; O_EXCL lets one of two simultaneous starts win and the other read its key.
        descriptor = os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(FIRST_ENV.format(key=secrets.token_urlsafe(50)))
