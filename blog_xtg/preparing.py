"""The first step of every start of a single blog, and of every upgrade of a fleet."""

from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from apps.components import key
from apps.components.services import has_administrator, has_setup_token
from apps.core.pages import cache_epoch
from apps.core.static.storage import collect
from apps.exchange.importing import import_folder
from apps.posts.models import Post

WELCOME = Path(__file__).resolve().parent / "welcome"


def prepare(*, new_key: bool = False) -> None:
    """Collect the static files, migrate the database, make the uploads' folder, welcome a new writer with some posts.

    The data's SECRET_KEY must be the one there is now (apps/components/key.py), unless a `new_key` is to be accepted.

    What is done already costs little: some queries and a comparison of the static files. Raises CommandError, before
    anything is migrated where a system check fails (blog_xtg/checks.py).
    """
    make_folder(Path(settings.MEDIA_ROOT))
    cache_epoch.begin()
    try:
        collect()
    except OSError as error:
        raise CommandError(f"Can't write to {settings.STATIC_ROOT} ({error.strerror}). Make it writable.") from None
    try:
        # Called from a program, a command leaves its checks out, and the database's character set with them.
        call_command("migrate", verbosity=0, interactive=False, skip_checks=False)
    except DatabaseError as error:
        raise CommandError(f"The database can't be brought up to date: {error}. Is it writable?") from None
    key.settle(accept=new_key)
    if not Post.objects.exists() and not get_user_model()._default_manager.exists():
        import_folder(WELCOME)


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"Can't make the folder {folder} ({error.strerror}). Make it writable.") from None


def invitation(site: str, *, anew: bool) -> str:
    """Return the lines that lead the first administrator in, blank when there is one.

    A new link voids the one before: unless it is to be made `anew`, one handed out before is only spoken of.
    """
    if has_administrator():
        return ""
    if has_setup_token() and not anew:
        return "  The setup link printed earlier still works; run `manage.py setup_link` to get a new one.\n"
    link = StringIO()
    call_command("setup_link", site=site, stdout=link)
    return f"  No administrator yet. Create one with this one-time link:\n  {link.getvalue().strip()}\n"
