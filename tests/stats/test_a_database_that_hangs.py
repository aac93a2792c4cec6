"""MariaDB takes connections and answers nothing: a thread of the process waits for it, the others go on counting."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.core.db.gate import AWAY_SECONDS, WAIT_SECONDS
from tests.fleet.whole import ask
from tests.services import BROWSER, GunicornServer, MariaDB, Redis

pytestmark = [pytest.mark.gunicorn, pytest.mark.mariadb, pytest.mark.redis]
POSTS = 100
PACE_SECONDS = 0.05
LONG_SECONDS = WAIT_SECONDS + 1  # the machine has other things to do
MAKE_POSTS = f"""
from apps.posts.models import Post
for number in range({POSTS}):
    print(Post.objects.create(title=f"Post {{number}}", body="Text.", status="published").pk)
"""
COUNTED = """
from apps.stats.models import DailyViews, PostDailyViews
from apps.stats.services import flush_views
flush_views()
print(sum(DailyViews.objects.values_list("pv", flat=True)), sum(PostDailyViews.objects.values_list("views", flat=True)))
"""


@pytest.mark.alone
def test_beacons_do_not_queue_for_a_database_that_hangs(redis_server: Redis) -> None:
    with MariaDB() as database:
        blog = GunicornServer(DATABASE_URL=database.url, REDIS_URL=redis_server.url)
        blog.manage("migrate")
        posts = [int(line) for line in blog.manage("shell", "--no-imports", "-c", MAKE_POSTS).split() if line.isdigit()]

        def view(post: int) -> float:
            """Send a beacon of the post's page, return how long it took."""
            begun = time.monotonic()
            body = json.dumps({"post": post})
            status, _headers, text = ask(blog.port, "/stats/view", {"User-Agent": BROWSER}, method="POST", body=body)
            assert status == 200, text
            return time.monotonic() - begun

        def paced(some: Iterable[int]) -> Iterable[int]:
            for post in some:
                time.sleep(PACE_SECONDS)
                yield post

        seen, unseen = posts[:20], posts[20:]
        with blog, ThreadPoolExecutor(len(posts) * 2) as readers:
            list(readers.map(view, seen))
            database.pause()
            sent = [readers.submit(view, post) for post in paced([*unseen, *posts])]
            database.resume()
            took = sorted(each.result() for each in sent)
        assert len(sent) * PACE_SECONDS > AWAY_SECONDS + 2  # it was asked a second time
        # One thread asks for a post; none but that waits for its answer.
        assert took[-2] < LONG_SECONDS, took[-5:]
        assert took[len(took) // 2] < WAIT_SECONDS / 2
        counted = blog.manage("shell", "--no-imports", "-c", COUNTED).split()[-2:]
    assert counted == [str(len(seen) + len(sent))] * 2
