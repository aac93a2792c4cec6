"""Prepare a host before its processes start, and before an upgrade goes from host to host."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from ...preparing import invitation, prepare


class Command(BaseCommand):
    help = "Bring database and static files up to date; run it once before a fleet starts or is upgraded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", help="Where the first administrator's link leads (default: SITE_URL).")
        parser.add_argument(
            "--new-key", action="store_true", help="Go on with another SECRET_KEY; the old one is lost."
        )

    def handle(self, *args: Any, site: str | None, new_key: bool, **options: Any) -> None:
        prepare(new_key=new_key)
        # Host after host runs this, and starts again do: the link that the first one printed stays good.
        self.stdout.write(invitation(site or settings.SITE_URL, anew=False), ending="")
