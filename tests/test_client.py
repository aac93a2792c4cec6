"""One notion of an address, wherever readers are counted or asked whether they are inside."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from apps.core.http import rates
from apps.core.http.request_info import client_address, client_network, network_of

ADDRESSES = [
    ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ("::FFFF:c000:201", "192.0.2.1", "192.0.2.1"),
    ("64:ff9b::192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ("192.0.2.1:5555", "192.0.2.1", "192.0.2.1"),
    ("[::ffff:192.0.2.1]:5555", "192.0.2.1", "192.0.2.1"),
    ("2001:DB8:1:2:0:0:0:9", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
    ("[2001:db8:1:2::9]:443", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
    ("[2001:db8:1:2::9]", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::1", "fe80::/64"),
    ("[fe80::1%25eth0]:80", "fe80::1", "fe80::/64"),
    ("unknown", "203.0.113.7", "203.0.113.7"),
    ("_hidden", "203.0.113.7", "203.0.113.7"),
    ("1.2.3.4.5", "203.0.113.7", "203.0.113.7"),
    ("999.1.1.1", "203.0.113.7", "203.0.113.7"),
    ("\ud800", "203.0.113.7", "203.0.113.7"),
    ("1" * 5000, "203.0.113.7", "203.0.113.7"),
]


@pytest.mark.parametrize("written, address, network", ADDRESSES)
def test_an_address_is_the_same_however_it_is_written(
    written: str, address: str, network: str, rf: RequestFactory, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1
    request = rf.get("/", REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR=f"198.51.100.1, {written}")
    assert client_address(request) == address
    assert client_network(request.META) == network_of(client_address(request)) == network
    settings.TRUSTED_PROXIES = 0
    assert client_address(rf.get("/", REMOTE_ADDR=written)) == (address if address != "203.0.113.7" else "")


@pytest.mark.parametrize("one, other, shared", [
    ("::ffff:192.0.2.1", "::ffff:203.0.113.9", False),
    ("::ffff:192.0.2.1", "192.0.2.1", True),
    ("64:ff9b::192.0.2.1", "64:ff9b::203.0.113.9", False),
    ("192.0.2.1:5555", "192.0.2.1:6666", True),
    ("[2001:db8:1:2::1]:443", "[2001:db8:1:2::1]:444", True),
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
])  # fmt: skip
def test_who_is_counted_together(one: str, other: str, shared: bool) -> None:
    assert (rates.neighbourhood(one) == rates.neighbourhood(other)) == shared


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
@pytest.mark.parametrize("address, inside", [
    ("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("192.168.1.1:5000", True), ("fd00::1", True),
    ("::ffff:10.0.0.1", True), ("fe80::1%eth0", True), ("64:ff9b::10.0.0.1", True),
    ("8.8.8.8", False), ("::ffff:8.8.8.8", False), ("64:ff9b::808:808", False), ("100.64.1.1", False),
    ("8.8.8.8:1234", False), ("[2001:4860:4860::8888]:443", False), ("garbage", False), ("", False),
])  # fmt: skip
@pytest.mark.django_db
@pytest.mark.one_database
def test_only_who_is_inside_is_told_how_the_blog_does(
    path: str, address: str, inside: bool, client: Client, settings: Any
) -> None:
    answer = client.get(path, REMOTE_ADDR=address, HTTP_HOST="10.0.0.9:8000")
    assert (answer.status_code != 404) == inside and answer["X-Content-Type-Options"] == "nosniff"
    settings.TRUSTED_PROXIES = 1
    if address:
        answer = client.get(path, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=address)
        assert (answer.status_code != 404) == inside
        forged = client.get(path, REMOTE_ADDR="", HTTP_X_FORWARDED_FOR="8.8.8.8", SERVER_NAME="8.8.8.8")
        assert forged.status_code == 404
    settings.TRUSTED_PROXIES = 0
    assert client.get(path, REMOTE_ADDR="8.8.8.8", SERVER_NAME="8.8.8.8").status_code != 404  # a host that asks itself
    assert client.get("/healthz", REMOTE_ADDR="8.8.8.8", HTTP_HOST="who.example").status_code == 200
