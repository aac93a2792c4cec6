from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from apps.components.services import SetupRefused, new_setup_token


class Command(BaseCommand):
    help = "Print the one-time link that makes the first administrator. A link printed before is good no more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", default=settings.SITE_URL, help="The blog's address (default: SITE_URL).")

    def handle(self, *args: Any, site: str, **options: Any) -> None:
        try:
            token = new_setup_token()
        except SetupRefused:
            raise CommandError(
                "There is an administrator already. Forgotten the password? python manage.py changepassword NAME"
            ) from None
        self.stdout.write(f"{site.rstrip('/')}{reverse('components:setup')}?token={token}")
