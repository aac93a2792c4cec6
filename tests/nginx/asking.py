"""Requests to nginx, and what to read in its answers."""

import http.client
import json
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from tests.proxy import BlogNginx

UNLISTED = "12-0123456789abcdef0123"  # how the address of a comment form names an unlisted post
FRESH_SECONDS = 2.1  # nginx counts whole ones, and the last one entirely


def ask(
    nginx: BlogNginx,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    source: str = "127.0.0.1",
    **headers: str,
) -> Any:
    """The answer: `status`, `headers`, `body`, and what the application was `told` when it is the one that answered."""
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=20, source_address=(source, 0))
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    told = json.loads(content) if response.headers["Content-Type"] == "application/json" and content else None
    return SimpleNamespace(status=response.status, headers=response.headers, body=content, told=told)


def cache(answer: Any) -> str:
    return str(answer.headers["X-Cache-Status"])


def answering_in_turn(path: str, *wishes: dict[str, Any]) -> str:
    return _with(path, {"in_turn": wishes})


def answering(path: str = "/", status: int = 200, seconds: float = 0, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _with(path, {"status": status, "seconds": seconds, "headers": named})


def _with(path: str, wish: dict[str, Any]) -> str:
    """The path with what the application is to answer: in itself, because a page's query is dropped."""
    text = json.dumps(wish).encode()
    return f"{path}?answer={quote(text)}" if "/comment/" in path else f"{path}~{urlsafe_b64encode(text).decode()}"
