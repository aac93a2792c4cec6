"""Django's `migrate`, made safe for several hosts that are brought up at once."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

WAIT_SECONDS = 600  # for another host's migrations
STATEMENT_SECONDS = 3600  # a table of millions of rows takes longer to alter than a page may take to be answered


class Command(migrate.Command):
    help = f"{migrate.Command.help} One host at a time: another one waits, and then finds nothing left to do."

    def handle(self, *args: object, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "mysql":  # SQLite has one host, and its own lock
            super().handle(*args, **options)
            return
        with self._patient(connection), self._alone(connection):
            super().handle(*args, **options)

    @contextmanager
    def _patient(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        limits = connection.settings_dict["OPTIONS"]
        connection.settings_dict["OPTIONS"] = {**limits, "read_timeout": STATEMENT_SECONDS}
        if not connection.in_atomic_block:
            connection.close()
        try:
            yield
        finally:
            connection.settings_dict["OPTIONS"] = limits
            if not connection.in_atomic_block:
                connection.close()

    @contextmanager
    def _alone(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Hold the server's lock of this database's migrations, on a connection that does nothing else."""
        name = f"migrate {hashlib.sha256(connection.settings_dict['NAME'].encode()).hexdigest()[:32]}"
        holder = connection.copy()
        try:
            with holder.cursor() as cursor:
                end, said = time.monotonic() + WAIT_SECONDS, False
                while True:
                    cursor.execute("SELECT GET_LOCK(%s, 1)", [name])
                    if cursor.fetchone()[0]:
                        break
                    if not said:
                        self.stdout.write("Another host is migrating this database; waiting for it.")
                        said = True
                    if time.monotonic() > end:
                        raise CommandError(
                            f"Another host has been migrating this database for {WAIT_SECONDS} s. Let it finish and"
                            " run this again; where none is, SHOW PROCESSLIST names who holds the lock."
                        )
            yield
        finally:
            holder.close()  # and with it the lock
