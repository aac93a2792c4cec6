"""Examine the settings, and whether email is sent."""

import os
from collections.abc import Iterator

from django.apps import apps
from django.conf import settings

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
            has_server() and not settings.REDIS_URL,
            "DATABASE_URL names a server, but REDIS_URL is not set: several workers can't hear of each other's changes,"
            " and each keeps sessions and counts of its own.",
            "Set REDIS_URL, such as redis://127.0.0.1:6379/0, or run one worker alone.",
        ),
        (
            ERROR,
            not has_server() and not settings.REDIS_URL and _workers() > 1,
            f"WEB_CONCURRENCY is {_workers()}, but REDIS_URL is not set: several workers can't hear of each other's"
            " changes, and show old pages.",
            "Set REDIS_URL, such as redis://127.0.0.1:6379/0, or WEB_CONCURRENCY to 1.",
        ),
        (
            ERROR,
            settings.HTTPS and not settings.TRUSTED_PROXIES,
            "SITE_URL is https, but TRUSTED_PROXIES is 0: the proxy that ends TLS is not believed, and all readers have"
            " its address.",
            "Take TRUSTED_PROXIES out of the environment or .env (with https it is 1), or set the number of proxies.",
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
    for text, remedy in proxies.seen() if parts.get("redis", health.OK) == health.OK else []:
        well = False
        yield Finding(ERROR, text, remedy)
    if well:
        yield Finding(OK, f"{settings.SITE_URL} is {'a fleet' if settings.REDIS_URL else 'a blog of one process'}.")


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
