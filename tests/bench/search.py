"""How long a search takes among N posts: `python -m tests.bench.search [--posts 10000] [--database mariadb]`.

Makes posts of 600 words in a throwaway database (two thirds Chinese, both with word frequencies as natural texts have
them), then prints for each query the median, the 99th percentile and the processor time (MariaDB's included) of 50
runs: of the search alone, and of the whole page with warm components. On a machine that does other things as well the
processor time is the number to go by. Not a test.
"""

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from itertools import accumulate, cycle
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORDS = 600
RUNS = 50
BATCH = 500


def _vocabulary() -> tuple[list[str], list[str]]:
    from pypinyin.phrases_dict import phrases_dict

    shuffled = random.Random(1)
    chinese = sorted(phrase for phrase in phrases_dict if len(phrase) == 2)
    shuffled.shuffle(chinese)
    onsets, vowels, codas = (
        "b c d f g h l m n p r s t v w br ch st tr".split(),
        "a e i o u ea ou".split(),
        "d l n r s t".split(),
    )
    english = {
        "".join(shuffled.choice(part) for _ in range(shuffled.randint(1, 3)) for part in (onsets, vowels))
        + shuffled.choice(codas)
        for _ in range(30_000)
    }
    return ["数据", "优化", *chinese[:20_000]], ["django", "database", *sorted(english)[:20_000]]


class Writer:
    """Texts by Zipf's law: the word of rank r comes 1/(r + 2.7) as often as the first."""

    def __init__(self) -> None:
        self.random = random.Random(2)
        self.chinese, self.english = _vocabulary()
        self.weights = {
            id(words): list(accumulate(1 / (rank + 2.7) for rank in range(len(words))))
            for words in (self.chinese, self.english)
        }

    def words(self, words: list[str], number: int) -> list[str]:
        return self.random.choices(words, cum_weights=self.weights[id(words)], k=number)

    def post(self, number: int) -> tuple[str, str]:
        if number % 3 == 0:
            return " ".join(self.words(self.english, 6)), " ".join(self.words(self.english, WORDS))
        title = "".join(self.words(self.chinese, 5)) + (" Django" if number % 20 == 1 else "")
        if number % 100 == 1:
            title = f"数据库{title}"
        sentences = ["".join(self.words(self.chinese, 9)) for _ in range(WORDS // 10)]
        return title, "，".join(sentences) + " " + " ".join(self.words(self.english, WORDS // 20))


def _fill(number: int) -> None:
    from django.utils import timezone

    from apps.posts.models import Category, Post, Tag
    from apps.posts.rendering.markdown import RENDERER_VERSION
    from apps.posts.services import index_missing

    writer = Writer()
    now = timezone.now()
    tags = Tag.objects.named(["Python", "数据库", "生活", "Machine learning"])
    category = Category.objects.default()
    for start in range(0, number, BATCH):
        posts = []
        for index in range(start, min(start + BATCH, number)):
            title, body = writer.post(index)
            posts.append(
                Post(
                    title=title[:200],
                    slug="post",
                    body=body,
                    html=f"<p>{body}</p>",
                    text=body,
                    excerpt=body[:120],
                    renderer_version=RENDERER_VERSION,
                    category=category,
                    status=Post.Status.PUBLISHED,
                    published_at=now - timezone.timedelta(minutes=7 * index % number + 1),
                )
            )
        Post.objects.bulk_create(posts)
    links = Post.tags.through
    ids = list(Post.objects.values_list("pk", flat=True))
    links.objects.bulk_create([links(post_id=pk, tag_id=tags[pk % len(tags)].pk) for pk in ids], batch_size=BATCH)
    begun = time.perf_counter()
    index_missing()
    print(f"index of {number} posts made in {time.perf_counter() - begun:.0f} s")


def _cpu_seconds(server: Any) -> float:
    """Return the processor time used by this process, and by MariaDB where there is one."""
    own = time.process_time()
    if server is None:
        return own
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _measure(server: Any) -> None:
    def timed(call: Callable[[], Any]) -> str:
        times = []
        cpu = _cpu_seconds(server)
        for _ in range(RUNS):
            begun = time.perf_counter()
            call()
            times.append((time.perf_counter() - begun) * 1000)
        cpu = (_cpu_seconds(server) - cpu) / RUNS * 1000
        ordered = sorted(times)
        figures = statistics.median(times), ordered[0], ordered[int(RUNS * 0.99) - 1], cpu
        return "".join(f"{figure:8.1f}" for figure in figures)

    from django.test import Client

    from apps.posts.models import Post, SearchEntry, SearchWord
    from apps.posts.search.query import search, suggest

    writer = Writer()
    common_chinese, common_english = writer.chinese[:3], writer.english[:3]
    rare = Post.objects.order_by("?").first().text[40:48]
    queries = {
        "common Chinese word": common_chinese[0],
        "three common words": " ".join(common_chinese),
        "common English word": common_english[0],
        "three in English": " ".join(common_english),
        "phrase of common words": f'"{common_english[0]} {common_english[1]}"',
        "数据库": "数据库",
        "one character": "数",
        "mixed": "Django 数据库",
        "pinyin": "shujuku",
        "initials": "sjk",
        "rare text": rare,
        "a long question": "怎样优化数据库查询的性能",
        "nothing": "kxqzvwpt",
    }
    client = Client()
    readers = cycle(range(250))  # searches are counted by address
    client.get("/")
    print(f"{'milliseconds of':24}{'found':>7}    search: p50, least, p99, CPU        page: p50, least, p99, CPU")
    for name, query in queries.items():
        alone = timed(lambda query=query: search(query))
        page = timed(lambda query=query: client.get("/search/", {"q": query}, REMOTE_ADDR=f"10.0.0.{next(readers)}"))
        print(f"{name:24}{search(query).total:7}    {alone}         {page}")
    for typed in ("d", "数", "shuj", "sj", "datab"):
        print(f"{'suggest ' + typed:24}{len(suggest(typed)):7}    {timed(lambda typed=typed: suggest(typed))}")
    post = Post.objects.order_by("-pk").first()
    assert post

    def write() -> None:
        title, body = writer.post(1)
        Post(title=title[:200], body=body, category_id=post.category_id, author=post.author).save()

    def edit() -> None:
        post.body += " another"
        post.save()

    print(f"{'save a new post':31}    {timed(write)}")
    print(f"{'edit a post':31}    {timed(edit)}")
    print(f"rows: {SearchWord.objects.count()} words, {SearchEntry.objects.count()} entries")


def _sizes() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            print(f"whole database: {cursor.fetchone()[0] / 1e6:.0f} MB")
        else:
            cursor.execute(
                "SELECT name, file_size FROM information_schema.innodb_sys_tablespaces WHERE name LIKE '%/posts_%'"
            )
            for name, size in cursor.fetchall():
                print(f"{name.split('/')[1]}: {size / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")
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
    setup_test_environment(debug=False)
    server = services.MariaDB() if chosen.database == "mariadb" else None
    try:
        if server:
            server.__enter__()
            connect_to(services.site_settings(DATABASE_URL=server.url).DATABASES["default"])
        old = setup_databases(verbosity=0, interactive=False)
        _fill(chosen.posts)
        _sizes()
        _measure(server)
        teardown_databases(old, verbosity=0)
    finally:
        if server:
            server.close()
        import shutil

        shutil.rmtree(settings.TEST_DIR, ignore_errors=True)


if __name__ == "__main__":
    main()
