"""What goes into the log."""

import logging


class ExpectedInOneLine(logging.Filter):
    """What goes wrong by others' doing is told in a line: the traceback would only show our own door.

    Requests that Django refuses as suspicious, and cache operations left out because Redis is away.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            record.exc_info = None
        elif record.name == "django_redis.cache" and record.exc_info:
            record.msg, record.args = "Done without the cache: %s", (record.exc_info[1],)
            record.exc_info = None
        return True
