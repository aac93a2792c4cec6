from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.urls import reverse

from apps.components.services import SetupRefused, new_setup_token
from apps.core.environment import is_local, last_started_at


class Command(BaseCommand):
    help = (
        "Print the one-time link that makes the first administrator, good for a day."
        " Any link printed earlier stops working."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", help="The blog's address (default: SITE_URL, or where it was started last).")

    def handle(self, *args: object, site: str | None, **options: object) -> None:
        try:
            token = new_setup_token()
        except SetupRefused:
            raise CommandError(
                "There is an administrator already. Forgotten the password? python manage.py changepassword NAME"
            ) from None
        except DatabaseError as error:
            raise CommandError(
                f"The database can't be asked ({error}). `make run` makes a blog's tables, manage.py prepare a fleet's."
            ) from None
        # A fleet started from this folder is another blog than the one that `manage.py start` served.
        started = "" if settings.REDIS_URL or not is_local(settings.SITE_URL) else last_started_at()
        site = site or started or settings.SITE_URL
        self.stdout.write(f"{site.rstrip('/')}{reverse('components:setup')}?token={token}")
