"""The statistics page and the beacon in Chromium."""

import pytest

from tests.services import BROWSER, BlogServer

FILL = "from tests.stats.test_statistics_page import fill; fill()"
BARRIERS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(", ")}`);
}"""


@pytest.fixture(scope="module")
def owner(daphne_server: BlogServer) -> None:
    daphne_server.env["DJANGO_SUPERUSER_PASSWORD"] = "a-long-password-of-tests"
    daphne_server.manage("createsuperuser", "--noinput", "--username=owner", "--email=o@example.com")
    daphne_server.manage("shell", "--no-imports", "-c", FILL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_and_has_no_barrier(new_page, daphne_server, owner, axe, width: int, scheme: str) -> None:  # type: ignore[no-untyped-def]
    size = {"width": width, "height": 900}
    page = new_page(daphne_server.url, locale="en-US", user_agent=BROWSER, viewport=size, color_scheme=scheme)
    page.goto("/admin/login/?next=/admin/stats/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", "a-long-password-of-tests")
    page.press("#id_password", "Enter")
    page.locator("#content").get_by_role("link", name="Overview").click()
    for days in ("7", "365"):
        page.get_by_role("link", name=f"{days} days").click()
        page.locator("a[aria-current]", has_text=days).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator(".statistics-chart svg").bounding_box()["height"] > 100
        assert page.locator(".statistics-chart rect.uv").first.evaluate("bar => getComputedStyle(bar).fill") not in {
            "rgb(0, 0, 0)",
            "none",
        }
    page.get_by_text("As a table").click()
    page.evaluate(axe)
    assert page.evaluate(BARRIERS) == []
