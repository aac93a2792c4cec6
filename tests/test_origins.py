"""Which pages may open a websocket, or send a form without a token."""

import pytest
from django.test import RequestFactory

from apps.core.http.hosts import is_own_origin


@pytest.mark.parametrize("origin, host, own", [
    ("https://blog.example.com", "blog.example.com", True),
    ("HTTPS://Blog.Example.com", "blog.example.com", True),
    ("https://blog.example.com", "127.0.0.1:8001", True),  # a proxy that names itself
    ("https://www.example.com", "www.example.com", True),  # in ALLOWED_HOSTS
    ("https://www.example.com:8443", "www.example.com:8443", True),
    ("https://blog.example.com:9999", "blog.example.com", False),
    ("http://localhost:9999", "blog.example.com", False),
    ("https://evil.example", "blog.example.com", False),
    ("https://blog.example.com.evil.example", "blog.example.com", False),
    ("https://blog.example.com/", "blog.example.com", False),
    *((origin, "blog.example.com", False) for origin in ("null", "", "https://", "blog.example.com", "https://é")),
])  # fmt: skip
def test_only_our_own_pages_are_our_own(settings, origin: str, host: str, own: bool) -> None:
    settings.SITE_URL = "https://blog.example.com"
    settings.LISTED_HOSTS = ["www.example.com"]
    request = RequestFactory(HTTP_HOST=host, SERVER_PORT="8001").get("/")
    assert is_own_origin(request, origin) is own
