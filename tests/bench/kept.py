"""How many kept pages a comment leaves alone: `python -m tests.bench.kept [--posts 1000] [--comments 20]`.

Fills a throwaway MariaDB with the benchmark's posts and reads every post and the first pages of every list, so that the
page cache has them all. Then a comment comes each second, and after each all pages are read again: what is answered
from memory has been kept. Comments come to any post, to one of the newest ten, and to any post of a blog whose sidebar
has the box of recent comments, which every page shows. Not a test.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EACH_SECONDS = 1
LIST_PAGES = 10  # of the home page; one of each category and tag
NEWEST = 10


def _paths() -> list[str]:
    from apps.posts.models import Category, Post, Tag

    shelves = [*Category.objects.filter(posts__isnull=False).distinct(), *Tag.objects.all()]
    return [
        *("/", "/archive/", "/tags/", "/feed/"),
        *(f"/?page={number}" for number in range(2, LIST_PAGES + 1)),
        *(shelf.get_absolute_url() for shelf in shelves),
        *(post.get_absolute_url() for post in Post.objects.all()),
    ]


def _shares(paths: list[str], posts: list[Any], comments: int) -> list[float]:
    """Which share of the pages was answered from memory after each comment."""
    from django.test import Client
    from prometheus_client import REGISTRY

    from tests.factories import make_comment

    client, chance, shares = Client(), random.Random(20261130), []

    def misses() -> int:
        return int(REGISTRY.get_sample_value("blog_page_cache_misses_total") or 0)

    def rendered() -> int:
        before = misses()
        for path in paths:
            response = client.get(path)
            assert response.status_code == 200, (path, response)
        return misses() - before

    rendered()
    for _ in range(comments):
        begun = time.monotonic()
        make_comment(chance.choice(posts), "A thought.")
        shares.append(1 - rendered() / len(paths))
        time.sleep(max(0.0, begun + EACH_SECONDS - time.monotonic()))
    return shares


def _measure(comments: int) -> None:
    from apps.components.models import Plugin
    from apps.posts.models import Post

    paths, posts = _paths(), list(Post.objects.order_by("-published_at"))
    print(f"{len(paths)} pages kept; still kept after a comment    median   least")

    def show(name: str, commented: list[Any]) -> None:
        shares = _shares(paths, commented, comments)
        print(f"{name:48}{statistics.median(shares):8.1%}{min(shares):8.1%}")

    show("on any post", posts)
    show(f"on one of the newest {NEWEST}", posts[:NEWEST])
    Plugin.objects.create(title="Recent comments", kind=Plugin.Kind.RECENT_COMMENTS)
    show("on any post, with the box of recent comments", posts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--comments", type=int, default=20)
    chosen = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    from apps.core.pages import coherence
    from tests import services
    from tests.bench import dataset
    from tests.conftest import connect_to

    settings.TEST_DIR.mkdir(mode=0o700)
    settings.PAGE_CACHE_BYTES = 2**30
    setup_test_environment(debug=False)
    try:
        with services.MariaDB() as server:
            connect_to(services.site_settings(DATABASE_URL=server.url).DATABASES["default"])
            old = setup_databases(verbosity=0, interactive=False)
            dataset.fill(chosen.posts)
            coherence.backend().snapshot_seconds = coherence.backend().page_seconds = 3600
            coherence.publish_change()
            _measure(chosen.comments)
            teardown_databases(old, verbosity=0)
    finally:
        shutil.rmtree(settings.TEST_DIR, ignore_errors=True)


if __name__ == "__main__":
    main()
