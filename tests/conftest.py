"""Every database test runs on SQLite and again on MariaDB, in one pytest run; services start when first asked for.

Write tests as functions with `pytest.mark.django_db`. `--database sqlite` (or mariadb) runs them once. A service that
isn't installed skips its tests and is named in the closing lines; with REQUIRE_SERVICES=1 it fails them.
"""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from urllib.parse import urlsplit

import pytest
from asgiref.local import Local
from django.conf import settings
from django.core.cache import caches
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import Settings

from apps.core import resilience
from tests import services
from tests.services import BlogServer, MariaDB, Nginx, Redis

GROUP_OF_FIXTURE = {
    "redis_server": "redis",
    "fleet": "gunicorn",
    "whole_fleet": "networks",
    "own_redis": "redis",
    "member": "redis",
    "mariadb_server": "mariadb",
    "mariadb_url": "mariadb",
    "nginx": "nginx",
    "browser": "chromium",
    "new_page": "chromium",
    "page": "chromium",
    "show": "chromium",
    "axe": "axe",
    "vnu": "vnu",
    "lighthouse": "lighthouse",
    "sitemap_schema": "sitemap_schema",
    "json_feed_schema": "json_feed_schema",
}
REQUIRED = os.environ.get("REQUIRE_SERVICES", "") not in {"", "0"}
skipped_groups: Counter[str] = Counter()


# -- Which tests run, on which database, in which order -----------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=["sqlite", "mariadb", "both"], default="both", help="where the database tests run"
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.TEST_DIR.mkdir(mode=0o700)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(settings.TEST_DIR, ignore_errors=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    item = metafunc.definition
    if metafunc.cls and issubclass(metafunc.cls, TransactionTestCase):
        raise pytest.UsageError(f"{item.nodeid}: write functions, a TestCase can't run on both databases.")
    if not item.get_closest_marker("django_db") and not {"db", "transactional_db"} & set(metafunc.fixturenames):
        return
    wanted = metafunc.config.getoption("--database")
    names = ["sqlite", "mariadb"] if wanted == "both" else [wanted]
    if only := item.get_closest_marker("one_database"):
        names = list(only.args) or ["sqlite"]
    marks = {"mariadb": [pytest.mark.mariadb]}
    databases = [pytest.param(name, marks=marks.get(name, [])) for name in names]
    if "database" not in metafunc.fixturenames:
        metafunc.fixturenames.append("database")
    metafunc.parametrize("database", databases, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    for item in items:
        for name in getattr(item, "fixturenames", ()):
            if name in GROUP_OF_FIXTURE:
                item.add_marker(GROUP_OF_FIXTURE[name])
        # A test with real transactions ends in a flush; the rows that the migrations made are put back for the next.
        marker = item.get_closest_marker("django_db")
        if (marker and marker.kwargs.get("transaction")) or "transactional_db" in getattr(item, "fixturenames", ()):
            item.fixturenames.append("django_db_serialized_rollback")
    yield
    # Playwright leaves an event loop running in the main thread, where no other test wants one: browser tests last.
    items.sort(key=lambda item: item.get_closest_marker("chromium") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    # Before the test's transaction begins: a thread that the test before has left behind may be about to write, and
    # would read this test's tables.
    resilience.reset_all()
    for group in services.NEEDS:
        if item.get_closest_marker(group):
            need(group)


def need(group: str) -> None:
    if reason := services.missing(group):
        if REQUIRED:
            pytest.fail(f"{group}: {reason}, and REQUIRE_SERVICES is set", pytrace=False)
        skipped_groups[group] += 1
        pytest.skip(f"{group}: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for group, count in sorted(skipped_groups.items()):
        tests = "1 test" if count == 1 else f"{count} tests"
        terminalreporter.write_line(
            f"{group}: {tests} skipped, {services.missing(group)}; `make services` and then `make test` runs them"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, services.Service) and value.log:
                report.sections.append((f"log of {name}", value.log[-8000:]))
    return report


# -- Databases ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    """One MariaDB for the whole run; tests that make databases in it name them after themselves."""
    need("mariadb")
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the database under test; while it lasts the default connection leads there.

    For MariaDB the connection is what the site's own settings make of its DATABASE_URL.
    """
    name = getattr(request, "param", "sqlite")
    if name == "sqlite":
        yield name
        return
    url = request.getfixturevalue("mariadb_server").url
    sqlite = settings.DATABASES["default"]
    connect_to(services.site_settings(DATABASE_URL=url).DATABASES["default"])
    yield name
    connect_to(sqlite)


def connect_to(database: dict) -> None:
    connections.close_all()
    settings.DATABASES["default"] = database
    connections.configure_settings(settings.DATABASES)
    # All threads forget their connections, not only this one.
    connections._connections = Local(connections.thread_critical)


@pytest.fixture(scope="session")
def django_db_setup(
    database: str, django_test_environment: None, django_db_blocker: object, request: pytest.FixtureRequest
) -> Iterator[None]:
    from django.contrib.contenttypes.models import ContentType
    from django.test.utils import setup_databases, teardown_databases

    ContentType.objects.clear_cache()
    with django_db_blocker.unblock():
        old = setup_databases(verbosity=0, interactive=False, aliases={"default"}, serialized_aliases={"default"})
    yield
    with django_db_blocker.unblock():
        teardown_databases(old, verbosity=0)
    ContentType.objects.clear_cache()


@pytest.fixture(autouse=True)
def _empty_caches(request: pytest.FixtureRequest, settings: Settings) -> None:
    """Entries that one test cached are gone for the next, as its rows are.

    Pages are kept only where commits happen: a test inside one transaction never announces its changes.
    """
    for alias in settings.CACHES:
        if "locmem" in settings.CACHES[alias]["BACKEND"]:
            caches[alias].clear()
    marker = request.node.get_closest_marker("django_db")
    if marker and not marker.kwargs.get("transaction"):
        settings.PAGE_CACHE_BYTES = 0


# -- Redis, nginx -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _redis() -> Iterator[Redis]:
    need("redis")
    with Redis() as server:
        yield server


@pytest.fixture
def redis_server(_redis: Redis) -> Redis:
    """The run's Redis, emptied; leave it running (see own_redis)."""
    with _redis.client() as client:
        client.flushall()
    return _redis


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A Redis of the test's own, to be stopped, paused and started again."""
    need("redis")
    with Redis() as server:
        yield server


@pytest.fixture
def member(own_redis: Redis, settings: Settings) -> Iterator[Redis]:
    """This process is one of a fleet that shares the test's own Redis, and hears of what the others change."""
    from apps.core.pages.coherence import RedisBackend, backend
    from apps.core.redis import clients as redis
    from apps.stats.counters import counter

    def forget() -> None:
        for remembered in (redis.client, backend, counter):
            remembered.cache_clear()
        resilience.reset_all()

    forget()
    settings.REDIS_URL = own_redis.url
    present = backend()
    assert isinstance(present, RedisBackend)
    services.wait_until(present.is_current, 5)
    yield own_redis
    present.listener.stop()
    forget()


@pytest.fixture
def counting_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Redis], None]:
    """counting_in(server) makes limits be counted in that Redis, as a fleet's are; nothing else goes there."""
    import redis

    from apps.core.redis import clients as ours

    def count(server: Redis) -> None:
        url = ours.numbered(server.url, ours.OWN)
        client = redis.Redis(connection_pool=redis.ConnectionPool.from_url(url, **ours.guarded(server.url)))
        monkeypatch.setattr(ours, "client", lambda: client)

    return count


@pytest.fixture
def nginx() -> Iterator[Callable[[str], Nginx]]:
    """nginx(http) starts one with these contents of its http block, until the test ends."""
    need("nginx")
    running: list[Nginx] = []

    def start(http: str) -> Nginx:
        server = Nginx(http)
        running.append(server)
        return server.__enter__()

    yield start
    for server in running:
        server.close()


# -- The blog in a browser ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def daphne_server() -> Iterator[BlogServer]:
    """A running blog of the test module's own: `.url`, `.env`, `.manage("setup_link")`, `.log`."""
    with BlogServer() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Debian's Chromium, driven by Playwright."""
    need("chromium")
    from playwright.sync_api import sync_playwright

    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=services.program("chromium", "chromium-browser"), args=list(services.CHROMIUM_ARGS)
        )
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def new_page(browser, request: pytest.FixtureRequest) -> Iterator[Callable]:
    """new_page(url, allow_console=None, language="", **context) opens a page in a context of its own; paths are relative.

    `language` is the reader's choice, as the switch at the foot of each page remembers it; without one it is the site's.
    The test fails at its end when a page logged an error to the console (but for what the regular expression
    allow_console finds), let an exception go uncaught, or asked any host but url's for anything.
    """
    contexts: list = []
    problems: list[str] = []

    def open_page(url: str, allow_console: str | None = None, language: str = "", **context_options):
        host = urlsplit(url).netloc

        def on_console(message) -> None:
            if message.type == "error" and not (allow_console and re.search(allow_console, message.text)):
                problems.append(f"console: {message.text} ({message.location.get('url', '')})")

        def on_address(address: str) -> None:
            parts = urlsplit(address)
            if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != host:
                problems.append(f"asked another host: {address}")

        context = browser.new_context(**{"base_url": url, "locale": "zh-CN", **context_options})
        contexts.append(context)
        context.set_default_timeout(10_000)
        if language:
            context.add_cookies([{"name": "language", "value": language, "url": url}])
        context.on("console", on_console)
        context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
        context.on("request", lambda asked: on_address(asked.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: on_address(socket.url)))
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    if problems:
        pytest.fail("The browser saw:\n" + "\n".join(problems), pytrace=False)


@pytest.fixture
def page(new_page: Callable, daphne_server: BlogServer, request: pytest.FixtureRequest) -> object:
    """A page on daphne_server; `pytest.mark.page(language="en", viewport=…, allow_console="404")` sets it up."""
    marker = request.node.get_closest_marker("page")
    return new_page(daphne_server.url, **(marker.kwargs if marker else {}))
