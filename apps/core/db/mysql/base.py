"""Django's backend for MariaDB; but a connection that was used a moment ago is not asked whether it is still good.

To ask is a round trip before the one query that a page needs. A server takes longer to start anew than a moment is.
"""

import time

from django.db.backends.mysql import base

MOMENT_SECONDS = 0.2


class DatabaseWrapper(base.DatabaseWrapper):
    _used_at = 0.0

    def create_cursor(self, name: str | None = None) -> base.CursorWrapper:
        self._used_at = time.monotonic()
        return super().create_cursor(name)

    def is_usable(self) -> bool:
        """Tell whether the server answers over this connection (1 round trip; none when it did a moment ago)."""
        was_well = not self.errors_occurred and time.monotonic() - self._used_at < MOMENT_SECONDS
        return was_well or super().is_usable()
