"""Errors told to a Sentry, or what speaks as it does, where SENTRY_DSN names one; without anything about a person."""

import re

import sentry_sdk
from sentry_sdk.types import Event, Hint

from .logs import HIDDEN, log_context, masked

_ADDRESS = re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+")
# Sent of a request: no query, which may hold what somebody searches for; no cookie, no form, no address.
_OF_REQUEST = {"method", "url"}


def start(dsn: str, host: str) -> None:
    """Have errors reported that are logged or that nobody catches. They are sent by a thread; nobody waits for it."""
    sentry_sdk.init(
        dsn,
        server_name=host,
        send_default_pii=False,
        include_local_variables=False,  # a comment and its writer's address are among them
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=None,
        before_send=_without_persons,
        shutdown_timeout=2,
    )


def _without_persons(event: Event, hint: Hint) -> Event:
    if present := log_context.get():
        named = {name: str(value) for name, value in present.facts().items() if name != "user"}
        event["tags"] = {**(event.get("tags") or {}), **named}
    event.pop("user", None)
    event.pop("extra", None)
    if request := event.get("request"):
        event["request"] = {name: _clean(value) for name, value in request.items() if name in _OF_REQUEST}
    if entry := event.get("logentry"):
        event["logentry"] = {"message": _clean(entry.get("message")), "formatted": _clean(entry.get("formatted"))}
    for exception in (event.get("exception") or {}).get("values", []):
        exception["value"] = _clean(exception.get("value"))
    return event


def _clean(value: object) -> object:
    return _ADDRESS.sub(HIDDEN, masked(value)) if isinstance(value, str) else value
