"""Lighthouse's marks: full ones are demanded where they don't depend on the machine, speed is only reported."""

import json
import subprocess
from typing import Any

import pytest

from tests import services
from tests.browser.showcase import Showcase
from tests.browser.test_budgets import MAX_SHIFT

DEMANDED = ("accessibility", "best-practices", "seo")
# Search engines are kept out of search pages on purpose, so there is nobody to describe them to either.
NOT_ASKED = {"search with results": ["is-crawlable", "meta-description"]}
JUDGED = ["home", "post without diagrams", "category", "search with results"]
TIMEOUT_SECONDS = 600


@pytest.fixture(scope="session")
def lighthouse(showcase: Showcase) -> list[dict[str, Any]]:
    tasks = [
        {"name": name, "form": form, "url": showcase.url + showcase.paths[name], "skip": NOT_ASKED.get(name)}
        for name in JUDGED
        for form in ("mobile", "desktop")
    ]
    done = subprocess.run(
        [
            services.program("node"),
            "lighthouse.mjs",
            services.program("chromium", "chromium-browser"),
            json.dumps(services.CHROMIUM_ARGS),
            json.dumps(tasks),
        ],
        cwd=services.NODE_MODULES.parent,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_lighthouse_gives_full_marks(lighthouse: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    with capsys.disabled():
        print()
        for judged in lighthouse:
            page, scores = f"{judged['name']}, {judged['form']}", judged["scores"]
            assert not judged.get("error"), f"{page}: {judged['error']}"
            paints = f"first paint {judged['paint']:.0f} ms, largest {judged['largest']:.0f} ms"
            print(f"{page:36} {' '.join(f'{name} {score}' for name, score in scores.items())}; {paints}")
            if any(scores[name] != 100 for name in DEMANDED):
                wrong.append("\n  ".join([page, *judged["wrong"]]))
            assert judged["shift"] < MAX_SHIFT, f"{page}: moves by {judged['shift']}"
    assert len(lighthouse) == 2 * len(JUDGED)
    assert not wrong, "\n".join(wrong)
