"""Lines of the log: a readable line, or a line of JSON for each record, and never a secret."""

import datetime
import json
import logging
import re
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

# The token of a letter's link is its address; the first administrator's and a link's are in the query.
_SECRET = re.compile(r"(/comments/mail/\w+/|[?&]token=)[^/&\s\"'\\]+")
HIDDEN = "…"


@dataclass(slots=True)
class LogContext:
    """The work under way while a record is written: a request, or a task that one may have asked for."""

    request_id: str
    request: object = None  # an HttpRequest
    task: str = ""
    task_id: str = ""

    def user_id(self) -> object:
        """Return who is signed in, where that is known without asking the database; else None."""
        return getattr(getattr(self.request, "_cached_user", None), "pk", None)

    def facts(self) -> dict[str, object]:
        """Return what is known, by name."""
        told = {
            "request_id": self.request_id,
            "task": self.task,
            "task_id": self.task_id,
            "user": self.user_id(),
        }
        return {name: value for name, value in told.items() if value}


log_context: ContextVar[LogContext | None] = ContextVar("log_context", default=None)


def request_id() -> str:
    """Return the id of the request that is being answered or has asked for this task, blank when there is none."""
    present = log_context.get()
    return present.request_id if present else ""


def masked(text: str) -> str:
    """Return the text without the tokens of addresses in it."""
    return _SECRET.sub(rf"\1{HIDDEN}", text)


def timestamp(seconds: float) -> str:
    """Return that time in UTC as ISO 8601 has it, to the millisecond."""
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1000):03}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")


class ReadableLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class JsonLine(logging.Formatter):
    """A record as an object in one line: time, level, logger, host, process, message, and what is known beyond."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self._host = host

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "host": self._host,
            "process": record.process,
        }
        if present := log_context.get():
            line |= present.facts()
        line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        elif record.exc_text:
            line["exception"] = record.exc_text
        if record.stack_info:
            line["stack"] = record.stack_info
        return masked(json.dumps(line, ensure_ascii=False, default=str))


class ExpectedInOneLine(logging.Filter):
    """Log errors caused by clients in one line, as a warning: the traceback would only show our own door.

    Requests that Django refuses as suspicious, and cache operations left out because Redis is away.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        elif record.name == "django_redis.cache" and record.exc_info:
            record.msg, record.args = "Done without the cache: %s", (record.exc_info[1],)
            record.exc_info = None
        return True
