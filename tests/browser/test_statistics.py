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
def test_the_page_fits_and_has_no_barrier(new_page, daphne_server, owner, axe, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900}
    page = new_page(daphne_server.url, language="en", user_agent=BROWSER, viewport=size, color_scheme=scheme)
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


# Chromium fetches no page ahead while it is driven, and shows every window: what beacon.js looks at is set by hand.
STATE = """
  window.state = %s;
  Object.defineProperty(document, "prerendering", { get: () => state.prerendering });
  Object.defineProperty(document, "visibilityState", { get: () => state.visibility });
"""
AHEAD = '{ prerendering: true, visibility: "hidden" }'
BACKGROUND = '{ prerendering: false, visibility: "hidden" }'


@pytest.mark.parametrize(
    ("begins", "steps"),
    [
        (AHEAD, [("prerenderingchange", '{ prerendering: false, visibility: "visible" }')]),
        (BACKGROUND, [("visibilitychange", '{ prerendering: false, visibility: "visible" }')]),
        # fetched ahead for a tab in the background, and looked at after that
        (AHEAD, [("prerenderingchange", BACKGROUND), ("visibilitychange", '{ visibility: "visible" }')]),
    ],
)
def test_a_page_counts_when_it_is_seen(new_page, daphne_server, begins: str, steps: list) -> None:
    page = new_page(daphne_server.url, language="en", user_agent=BROWSER)
    beacons: list[str] = []
    page.on("request", lambda asked: beacons.append(asked.url) if asked.url.endswith("/stats/view") else None)
    page.add_init_script(STATE % begins)
    page.goto("/", wait_until="networkidle")
    for event, state in steps[:-1]:
        page.evaluate(f"state = {state}; document.dispatchEvent(new Event('{event}')); undefined")
    page.wait_for_timeout(200)
    assert beacons == []
    event, state = steps[-1]
    with page.expect_response("**/stats/view"):
        page.evaluate(f"state = {state}; document.dispatchEvent(new Event('{event}')); undefined")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange')); undefined")
    page.wait_for_timeout(200)
    assert len(beacons) == 1


def test_another_site_is_named_as_where_the_reader_came_from(new_page, daphne_server) -> None:
    page = new_page(daphne_server.url, language="en", user_agent=BROWSER)
    sent = []
    for referrer in ("https://www.google.com/search?q=blog", f"{daphne_server.url}/archive/", None):
        with page.expect_request("**/stats/view") as beacon:
            page.goto("/", referer=referrer)
        sent.append(beacon.value.post_data_json)
    assert sent == [{"referrer": "https://www.google.com"}, {}, {}]
