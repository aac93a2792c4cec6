"""The mark in the key of every page: renewed, it makes all older copies unreachable, the app dead or alive."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from tests.nginx.asking import answering, ask, cache
from tests.proxy import BlogNginx

pytestmark = pytest.mark.gunicorn

NOTICED_SECONDS = 1.0  # nginx looks at the mark once in each second of its clock
_marks = count(1_000)


@pytest.fixture
def mark(var: Path) -> Path:
    (var / "media").mkdir(exist_ok=True)
    return var / "media/.epoch"


def renew(mark: Path) -> None:
    mark.touch()
    os.utime(mark, (number := next(_marks), number))
    time.sleep(NOTICED_SECONDS)


def test_pages_are_kept_without_a_mark_and_made_anew_with_each(nginx: BlogNginx, mark: Path) -> None:
    page = answering("/marked/", X_Accel_Expires="60")
    mark.unlink(missing_ok=True)
    time.sleep(NOTICED_SECONDS)
    seen = set()
    for _mark in range(3):
        answers = [ask(nginx, page) for _ in range(3)]
        assert [(answer.status, cache(answer)) for answer in answers[1:]] == [(200, "HIT")] * 2
        seen.add(answers[0].told["number"])
        renew(mark)
    assert len(seen) == 3
    assert "crit" not in nginx.log


def test_what_stands_where_the_mark_should_be_breaks_no_page(nginx: BlogNginx, mark: Path) -> None:
    mark.unlink(missing_ok=True)
    mark.mkdir()
    time.sleep(NOTICED_SECONDS)
    try:
        page = answering("/folder/", X_Accel_Expires="60")
        assert [ask(nginx, page).status for _ in range(2)] == [200, 200]
        assert ask(nginx, page, If_None_Match='"x"', Range="bytes=0-1", If_Modified_Since="x").status in {200, 206}
        assert ask(nginx, "/folder/", "POST", b"x=1").status == 200
    finally:
        mark.rmdir()


def test_a_page_begun_before_a_withdrawal_is_kept_for_nobody_after_it(nginx: BlogNginx, mark: Path) -> None:
    renew(mark)
    slow = answering("/slow/", X_Accel_Expires="60", seconds=2)
    with ThreadPoolExecutor(1) as readers:
        begun = readers.submit(ask, nginx, slow)
        time.sleep(0.5)
        renew(mark)
        before = begun.result().told["number"]
    after = ask(nginx, slow)
    assert cache(after) == "MISS" and after.told["number"] != before
    assert ask(nginx, slow).told["number"] == after.told["number"]


def test_nobody_reads_the_mark(nginx: BlogNginx, mark: Path) -> None:
    renew(mark)
    for path in ("/media/.epoch", "/media/%2eepoch", "/media//.epoch", "/media/x/../.epoch"):
        assert ask(nginx, path).status == 404, path
    answer = ask(nginx, "/.epoch")
    assert (answer.status, answer.body, answer.headers["ETag"]) == (204, b"", None)
