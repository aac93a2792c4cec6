"""Fixtures that the tests of all pages share."""

from collections.abc import Callable, Iterator

import pytest

from tests.browser.showcase import Showcase
from tests.services import BROWSER, NODE_MODULES


@pytest.fixture(scope="session")
def showcase() -> Iterator[Showcase]:
    """One blog with everything on it for the whole run; tests only read it."""
    with Showcase() as server:
        yield server


@pytest.fixture
def show(new_page: Callable, showcase: Showcase) -> Callable:
    """show(**context) opens a window on the showcase; answers of 4xx are part of it."""

    def open_window(**context: object) -> object:
        return new_page(showcase.url, **{"allow_console": r"\b4\d\d\b", "user_agent": BROWSER, **context})

    return open_window


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core; evaluated by the driver, it needs no leave of the page's Content-Security-Policy."""
    return (NODE_MODULES / "axe-core/axe.min.js").read_text(encoding="utf-8")
