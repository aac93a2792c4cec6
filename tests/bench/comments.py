"""The cost of a post with a million comments: `python -m tests.bench.comments [--comments 1000000]`.

Fills a throwaway MariaDB by bulk, then prints the median time of a whole page, made anew each time with warm components,
and its ratio to the page of a post with 20 comments: the first page, the last one, that of a permalink in the middle,
the floors that an open page fetches, and what it takes to add a comment. The posts take turns, so that a machine that
does other things as well is slow for both. Not a test.
"""

import argparse
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FEW = 20
RUNS = 100
BATCH = 100_000  # rows in one statement


def _fill(comments: int) -> Any:
    from django.db import connection

    from apps.posts.models import Post
    from tests.factories import make_post

    post = make_post(title=f"{comments} comments")
    columns = "post_id, floor, author_name, author_email, author_site, body, html, state, by_administrator, created_at"
    with connection.cursor() as cursor:
        for start in range(1, comments + 1, BATCH):
            end = min(start + BATCH - 1, comments)
            cursor.execute(
                f"INSERT INTO comments_comment ({columns}, reply_to_floor) SELECT %s, seq, CONCAT('Reader ', seq MOD 999), "
                "CONCAT('r', seq MOD 999, '@example.com'), '', CONCAT('Thought ', seq), "
                "CONCAT('<p>Thought ', seq, ', in <strong>a few</strong> words.</p>'), 'visible', 0, NOW(6), "
                f"IF(seq MOD 3, NULL, seq - 1) FROM seq_{start}_to_{end}",
                [post.pk],
            )
    Post.objects.filter(pk=post.pk).update(comment_count=comments, last_floor=comments)
    post.refresh_from_db()
    return post


def _measure(few: Any, many: Any) -> None:
    from django.test import Client

    from tests.factories import make_comment

    client = Client()
    client.get("/")

    def page(post: Any, number: int) -> Callable[[], None]:
        def get() -> None:
            address = f"{post.get_absolute_url()}?page={number}"
            assert client.get(address).status_code == 200

        return get

    def floors(post: Any, floor: int) -> Callable[[], None]:
        def get() -> None:
            address = f"/article/{post.pk}/comment/floors/?after={floor - FEW}&to={floor}"
            assert client.get(address).status_code == 200

        return get

    middle = many.last_floor // 2
    for name, one, other in [
        ("first page", page(few, 1), page(many, 1)),
        ("last page", page(few, 1), page(many, many.floor_pages)),
        (f"permalink, floor {middle}", page(few, 1), page(many, -(-middle // FEW))),
        ("20 floors for open pages", floors(few, FEW), floors(many, many.last_floor)),
        ("adding a comment", lambda: make_comment(few), lambda: make_comment(many)),
    ]:
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(RUNS):
            for call, spent in zip((one, other), times, strict=True):
                begun = time.perf_counter()
                call()
                spent.append((time.perf_counter() - begun) * 1000)
        least, most = (statistics.median(spent) for spent in times)
        print(f"{name:32}{least:8.2f} ms {most:8.2f} ms   ratio {most / least:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comments", type=int, default=1_000_000)
    chosen = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    from tests import services
    from tests.conftest import connect_to

    settings.TEST_DIR.mkdir(mode=0o700)
    settings.PAGE_CACHE_BYTES = 0
    setup_test_environment(debug=False)
    try:
        with services.MariaDB() as server:
            connect_to(services.site_settings(DATABASE_URL=server.url).DATABASES["default"])
            old = setup_databases(verbosity=0, interactive=False)
            begun = time.perf_counter()
            few, many = _fill(FEW), _fill(chosen.comments)
            print(f"{chosen.comments} comments made in {time.perf_counter() - begun:.0f} s")
            print(f"{'median of ' + str(RUNS):32}{FEW:8}    {chosen.comments:8}")
            _measure(few, many)
            teardown_databases(old, verbosity=0)
    finally:
        shutil.rmtree(settings.TEST_DIR, ignore_errors=True)


if __name__ == "__main__":
    main()
