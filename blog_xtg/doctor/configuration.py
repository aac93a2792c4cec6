"""Examine the settings, and whether email is sent."""

import os
from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, run_checks

from apps.core.http import proxies
from apps.core.observability import health

from .findings import ERROR, OK, WARNING, Finding, has_server, is_reached


def configuration(parts: dict[str, str]) -> Iterator[Finding]:
    """The configuration."""
    well = True
    for level, is_wrong, text, remedy in [
        (
            ERROR if is_reached() or settings.REDIS_URL else WARNING,
            settings.DEBUG,
            "DEBUG is on: every reader sees the program's insides when a page fails, and every page is made anew.",
            "Take DEBUG out of the environment or .env.",
        ),
        (
            ERROR,
            not has_server() and not settings.REDIS_URL and _workers() > 1,
            f"WEB_CONCURRENCY is {_workers()}, but REDIS_URL is not set: several workers can't hear of each other's"
            " changes, and show old pages.",
            "Set REDIS_URL, such as redis://127.0.0.1:6379/0, or WEB_CONCURRENCY to 1.",
        ),
        (
            WARNING,
            is_reached() and not settings.HTTPS,
            "SITE_URL is http: passwords and sessions can be read on their way.",
            "Let nginx have a certificate (see deploy/nginx), and make SITE_URL https.",
        ),
    ]:
        if is_wrong:
            well = False
            yield Finding(level, text, remedy)
    for message in _failed_checks():
        well = False
        level = ERROR if message.is_serious() else WARNING
        yield Finding(level, str(message.msg), str(message.hint or ""))
    for text, remedy in proxies.seen() if parts.get("redis", health.OK) == health.OK else []:
        well = False
        yield Finding(ERROR, text, remedy)
    if well:
        yield Finding(OK, f"{settings.SITE_URL} is {'a fleet' if settings.REDIS_URL else 'a blog of one process'}.")


def _failed_checks() -> Iterator[CheckMessage]:
    """Yield what Django's system checks report, but for what the findings above say in one sentence."""
    said = {"security.W018"} if settings.HTTPS else {"security.W018", "security.W004", "security.W012", "security.W016"}
    for message in run_checks(include_deployment_checks=True):
        if not message.is_silenced() and message.id not in said:
            yield message


def mail(parts: dict[str, str]) -> Iterator[Finding]:
    """The mail."""
    if parts["database"] != health.OK or parts["migrations"] != health.OK:
        return
    goes_out = not settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend"))
    if goes_out:
        yield Finding(OK, f"Mail goes out by {settings.EMAIL_HOST}.")
    elif apps.get_model("posts", "Post").objects.filter(comments_open=True).exists() and is_reached():
        yield Finding(
            WARNING,
            "Comments are open, but EMAIL_URL is not set: nobody is told of them by mail.",
            "Set EMAIL_URL, such as smtp+tls://user:password@host:587, and DEFAULT_FROM_EMAIL.",
        )


def _workers() -> int:
    """How many workers gunicorn and deploy/run are told to start; 0 where nobody says."""
    told = os.environ.get("WEB_CONCURRENCY", "")
    return int(told) if told.isdecimal() else 0
