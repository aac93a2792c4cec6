"""The findings of an examination, and words that several of them need."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from apps.core.environment import is_local

OK, WARNING, ERROR = "ok", "warning", "error"


@dataclass(frozen=True, slots=True)
class Finding:
    level: str
    text: str
    remedy: str = ""


def is_reached() -> bool:
    """Whether readers come from elsewhere than this machine."""
    return not is_local(settings.SITE_URL)


def has_server() -> bool:
    return connection.vendor != "sqlite"


def manage() -> str:
    """Return the command line that runs manage.py here."""
    return "deploy/run manage" if settings.REDIS_URL else "manage.py"


def span(seconds: float) -> str:
    """A stretch of time in words."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} seconds"
