"""What goes into the log."""

import logging


class RefusalsInOneLine(logging.Filter):
    """Requests that Django refuses as suspicious are told in a line: the traceback would only show our own door."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            record.exc_info = None
        return True
