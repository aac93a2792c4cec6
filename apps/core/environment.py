"""The blog's configuration before Django is there: the environment, `.env`, and whose blog they mean.

A blog of one keeps its settings in `.env` and its data in `var/`; a fleet's processes get theirs from whoever starts
them (systemd, Compose), and DATABASE_URL is among them.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[2]
ENV_FILE = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
VAR_DIR = BASE_DIR / "var"  # the data of a blog of one: database, uploads
# Files of a host of a fleet (docs/deployment.md): its processes' environment, and units that are started with it.
FLEET_ENVIRONMENT = Path(os.environ.get("FLEET_ENVIRONMENT", "/etc/blog_xtg/environment"))
FLEET_UNITS = "/etc/systemd/system/*/blog-web@*.service"

FIRST_ENV = """\
# Written at the first start. Keep it secret, keep it in your backups.
# Every setting is listed in .env.example.
SECRET_KEY={key}
"""
_KINDS: dict[object, str] = {int: "a whole number", float: "a number", bool: "true or false"}


class Env(environ.Env):
    """django-environ's; but what can't be read names its setting, a blank value is as none, and $ leads nowhere."""

    def get_value(self, var: str, cast: object = None, default: object = environ.Env.NOTSET, **options: object) -> Any:
        told = os.environ.get(var, "")
        if not told and default is not self.NOTSET:
            return default
        if cast is str and told.startswith("$"):
            return told
        with named(var, f"{var} must be {_KINDS[cast]}, not {told!r}." if cast in _KINDS else ""):
            return super().get_value(var, cast=cast, default=default, **options)

    def db_url(self, var: str, *args: object, **options: object) -> dict[str, Any]:
        with named(var, f"{var} must look like mysql://user:password@host:3306/blog or sqlite:///path/of/a/file."):
            if urlsplit(os.environ.get(var, "") or "sqlite:").scheme not in {"mysql", "sqlite"}:
                raise ValueError
            return super().db_url(var, *args, **options)

    def email_url(self, var: str, *args: object, **options: object) -> dict[str, object]:
        with named(var):
            return super().email_url(var, *args, **options)


@contextmanager
def named(setting: str, sentence: str = "") -> Iterator[None]:
    """Say which setting it was that couldn't be read: raises ImproperlyConfigured, without its value (a password?)."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, ImproperlyConfigured):
        raise ImproperlyConfigured(
            sentence or f"{setting} can't be read: .env.example shows what it must look like."
        ) from None


@contextmanager
def one_sentence() -> Iterator[None]:
    """End the process with what is wrong with the configuration, and no traceback: for the doors of servers."""
    try:
        yield
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None


def load() -> None:
    """Read `.env` into the environment, which wins. Raises ImproperlyConfigured when it is there and can't be read."""
    try:
        ENV_FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise ImproperlyConfigured(
            f"{ENV_FILE} can't be read ({why}): give it to the user the blog runs as (chown), or take it away."
        ) from None
    environ.Env.read_env(ENV_FILE)


def is_local(address: str) -> bool:
    """Tell whether the address (SITE_URL) leads from this machine to itself."""
    host = urlsplit(address).hostname or ""
    return host == "::1" or re.fullmatch(r"(.+\.)?localhost|127(\.\d+){3}", host) is not None


def refuse_half_a_fleet() -> None:
    """Raise ImproperlyConfigured when nobody has said which database is meant, and a fleet's must be.

    What was asked of the fleet would otherwise be asked of a new and empty blog, which is well.
    """
    if os.environ.get("DATABASE_URL"):
        return
    if os.environ.get("REDIS_URL"):
        raise ImproperlyConfigured(
            "REDIS_URL is set, but DATABASE_URL is not: a fleet needs both, and a blog of one process neither."
        )
    if _is_of_a_fleet():
        raise ImproperlyConfigured(
            f"This is a host of a fleet ({FLEET_ENVIRONMENT}): run manage.py's commands on it by `deploy/run manage"
            " COMMAND`; a blog of one beside it needs a DATABASE_URL of its own in .env, such as"
            f" sqlite:///{VAR_DIR / 'blog.sqlite3'}."
        )


def _is_of_a_fleet() -> bool:
    if FLEET_ENVIRONMENT.exists():
        return True
    root, pattern = Path("/"), FLEET_UNITS.removeprefix("/")
    return "FLEET_ENVIRONMENT" not in os.environ and any(root.glob(pattern))


def require_blog() -> None:
    """Raise ImproperlyConfigured where there is no blog of one yet, for a command that needs one. Writes nothing."""
    refuse_half_a_fleet()
    file = _database_file()
    if file is None or (os.environ.get("SECRET_KEY") and _has_data(file)):
        return
    if _has_data(file):
        raise ImproperlyConfigured(_lost_key(file))
    raise ImproperlyConfigured(f"There is no blog here yet ({file}): `make run`, or manage.py start, makes one.")


def prepare_solo(*, new_key: bool = False) -> None:
    """Give a blog that nobody has configured its folder for data and a random SECRET_KEY of its own.

    Only the solo size does this: a fleet (DATABASE_URL set) must share one key between its hosts, so there a missing
    key stops the process instead. A `.env` without a key gets one at its end; nothing is ever overwritten. Data whose
    key is gone gets another one only when it is asked for: it would sign everybody out.

    Raises ImproperlyConfigured with one clear line, also when the folder can't be written.
    """
    if os.environ.get("DATABASE_URL"):
        return
    refuse_half_a_fleet()
    file = VAR_DIR / "blog.sqlite3"
    if not os.environ.get("SECRET_KEY") and _has_data(file) and not new_key:
        raise ImproperlyConfigured(_lost_key(file))
    try:
        VAR_DIR.mkdir(mode=0o700, exist_ok=True)  # readers' e-mail addresses are in there
        if not os.environ.get("SECRET_KEY"):
            _write_key()
    except OSError as error:
        raise ImproperlyConfigured(
            f"Can't write in {BASE_DIR} ({error.strerror}). Make the folder writable, or put the project elsewhere."
        ) from None
    load()


def _lost_key(file: Path) -> str:
    return (
        f"{file} is here, but not the SECRET_KEY it was made with: put .env back from your backup, or go on with a new"
        " key by `manage.py start --new-key`, which signs everybody out."
    )


def _database_file() -> Path | None:
    """Where SQLite's database is or would be; None with a server."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        return VAR_DIR / "blog.sqlite3"
    if not url.startswith("sqlite:"):
        return None
    with named("DATABASE_URL"):
        name = environ.Env.db_url_config(url)["NAME"]
    return None if name == ":memory:" else Path(name)


def _has_data(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def note_start(address: str) -> None:
    """Remember where the blog of one was started last, for the commands that print links to it."""
    (VAR_DIR / "address").write_text(f"{address}\n", encoding="utf-8")


def last_started_at() -> str:
    """Return the address that `manage.py start` served last, blank when it never did."""
    try:
        return (VAR_DIR / "address").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _write_key() -> None:
    # 0600 from the first byte; the lock makes the second of two simultaneous starts see the first one's key.
    descriptor = os.open(ENV_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a+", encoding="utf-8") as file:
        _lock(file)
        file.seek(0)
        known = file.read()
        if re.search(r"^\s*(export\s+)?(SECRET_KEY|DATABASE_URL)\s*=", known, re.MULTILINE):
            return
        gap = "" if not known or known.endswith("\n") else "\n"
        file.write(gap + FIRST_ENV.format(key=secrets.token_urlsafe(50)))


def _lock(file: IO[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has none, and nobody starts a blog twice at once there
        return
    fcntl.flock(file, fcntl.LOCK_EX)
