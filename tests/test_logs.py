"""A record is a line, readable by people or by programs, and holds no token."""

import json
import logging
import sys
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import Client

from apps.core.observability.logs import ExpectedInOneLine, JsonLine, LogContext, ReadableLine, log_context
from tests.services import site_settings


def record(message: str, *args: object, exc_info: object = None) -> logging.LogRecord:
    return logging.LogRecord("apps.posts", logging.ERROR, __file__, 1, message, args, exc_info)


def test_people_read_lines_and_a_fleet_writes_records() -> None:
    def formatter(**environ: str) -> str:
        return str(site_settings(**environ).LOGGING["handlers"]["console"]["formatter"])

    assert formatter() == "line"
    assert formatter(REDIS_URL="redis://127.0.0.1/0") == "json"
    assert formatter(REDIS_URL="redis://127.0.0.1/0", LOG_FORMAT="line") == "line"
    assert formatter(LOG_FORMAT="json") == "json"
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT must be json or line"):
        site_settings(LOG_FORMAT="xml")


def test_a_record_tells_what_was_being_done() -> None:
    request = HttpRequest()
    request._cached_user = type("User", (), {"pk": 7})
    token = log_context.set(LogContext("0123456789", request, task="a.task", task_id="1-2"))
    try:
        raise ValueError("两\nlines")
    except ValueError:
        line = JsonLine("first").format(record("Post %d\n“%s”", 3, "中文", exc_info=sys.exc_info()))
    finally:
        log_context.reset(token)
    assert "\n" not in line and "中文" in line
    told = json.loads(line)
    assert told["message"] == "Post 3\n“中文”" and "ValueError: 两\nlines" in told["exception"]
    del told["message"], told["exception"], told["time"], told["process"]
    assert told == {
        "level": "error",
        "logger": "apps.posts",
        "host": "first",
        "user": 7,
        "request_id": "0123456789",
        "task": "a.task",
        "task_id": "1-2",
    }
    assert "user" not in json.loads(JsonLine("first").format(record("Nobody asked.")))


@pytest.mark.django_db
def test_a_form_that_no_page_sends_is_one_line_and_no_error() -> None:
    fields = {f"field{number}": "" for number in range(2000)}
    written: list[str] = []
    handler = logging.Handler()
    handler.addFilter(ExpectedInOneLine())
    handler.emit = lambda record: written.append(ReadableLine("{levelname} {message}", style="{").format(record))
    logging.getLogger().addHandler(handler)
    try:
        answer = Client().post("/admin/login/", urlencode(fields), "application/x-www-form-urlencoded")
    finally:
        logging.getLogger().removeHandler(handler)
    assert answer.status_code == 400
    told = [line for line in written if "DATA_UPLOAD_MAX" in line]
    assert len(told) == 1 and told[0].startswith("WARNING ") and "\n" not in told[0]


@pytest.mark.parametrize("formatter", [ReadableLine("{message}", style="{"), JsonLine("first")])
@pytest.mark.parametrize(
    "address", ["/comments/mail/stop/t0psecret/", "/comments/mail/confirm/t0psecret", "/setup/?next=/&token=t0psecret"]
)
def test_a_token_is_not_told(formatter: logging.Formatter, address: str) -> None:
    line = formatter.format(record("Internal Server Error: %s", f"http://blog.example.com{address}"))
    assert "t0psecret" not in line and "Internal Server Error: http://blog.example.com/" in line
