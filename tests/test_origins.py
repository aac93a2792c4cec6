"""Which pages may open a websocket."""

import pytest

from blog_xtg.origins import is_own


@pytest.mark.parametrize("origin, host, own", [
    ("https://blog.example.com", "blog.example.com", True),
    ("HTTPS://Blog.Example.com", "blog.example.com", True),
    ("https://blog.example.com", "127.0.0.1:8001", True),  # a proxy that names itself
    ("https://www.example.com", "www.example.com", True),  # in ALLOWED_HOSTS
    ("https://www.example.com:8443", "www.example.com:8443", True),
    ("http://blog.example.com", "blog.example.com", False),
    ("https://blog.example.com:9999", "blog.example.com", False),
    ("http://localhost:9999", "blog.example.com", False),
    ("https://localhost:9999", "localhost:8000", False),
    ("https://www.example.com", "blog.example.com", False),
    ("https://evil.example", "evil.example", False),
    ("https://evil.example", "blog.example.com", False),
    ("https://blog.example.com.evil.example", "blog.example.com", False),
    ("https://blog.example.com/", "blog.example.com", False),
    *((origin, "blog.example.com", False) for origin in ("null", "", "https://", "blog.example.com", "https://é")),
    ("https://", "", False),
])  # fmt: skip
def test_only_our_own_pages_open_websockets(settings, origin: str, host: str, own: bool) -> None:
    settings.SITE_URL = "https://blog.example.com"
    settings.ALLOWED_HOSTS = ["blog.example.com", "www.example.com", "localhost", "127.0.0.1", "[::1]"]
    assert is_own(origin, host) is own
