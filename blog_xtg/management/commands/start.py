"""One writer's one command: from an empty folder to a served blog."""

import os
import socket
from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.environment import is_local, note_start
from apps.posts.services import correct_months
from blog_xtg import clock, solo

from ...preparing import invitation, make_folder, prepare

ADDRESS = "127.0.0.1"


def _another(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8001


class Command(BaseCommand):
    help = "Bring the database up to date, welcome a new writer, and serve the blog on this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", default="8000")
        parser.add_argument(
            "--new-key", action="store_true", help="Go on with another SECRET_KEY; the old one is lost."
        )

    def handle(self, *args: object, port: str, new_key: bool, **options: object) -> None:
        self._check_port(port)
        solo.bound_memory()
        make_folder(settings.VAR_DIR)
        prepare(new_key=new_key)
        correct_months()
        if settings.CELERY_TASK_ALWAYS_EAGER:
            clock.start()
        address = f"http://{ADDRESS}:{port}"
        note_start(address)
        if not os.environ.get("SITE_URL"):
            settings.SITE_URL = address  # of feeds, letters and what else names the blog from outside
        site = address if is_local(settings.SITE_URL) else settings.SITE_URL
        self.stdout.write(f"\n  Blog:    {site}/\n  Admin:   {site}/admin/")
        if site != address:
            self.stdout.write(f"  The proxy in front finds it at {address}")
        self.stdout.write(invitation(site, anew=True), ending="")
        self.stdout.write("  Press Ctrl-C to stop.\n")
        self.stdout.flush()
        # The greeting of runserver is meant for developers; its errors go to stderr all the same.
        call_command(
            solo.Command(),
            f"{ADDRESS}:{port}",
            use_reloader=False,
            use_static_handler=False,  # apps.core.static.views knows better what may be kept
            skip_checks=True,
            stdout=StringIO(),
        )

    def _check_port(self, port: str) -> None:
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise CommandError(f"{port!r} is not a valid port. Use a number from 1 to 65535: make run PORT=8001")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, int(port)))
            except OSError as error:
                raise CommandError(
                    f"Port {port} can't be used ({error.strerror}). Choose another: make run PORT={_another(int(port))}"
                ) from None
