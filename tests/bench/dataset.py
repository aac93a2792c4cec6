"""Posts to measure with: `python -m tests.bench.dataset --posts 1000`, in the database of DATABASE_URL, migrated first.

600 words each, half of them Chinese, with headings, a list, a table and two code blocks, in 10 categories, over eight
years, three of 40 tags and one of 600 rare ones each, five comments on 500 of them. Forty bodies go through the real renderer and are used again
and again; titles, addresses and times are each post's own. Prints as JSON what there is to visit. The search index stays
empty: nothing measured reads it. 100,000 posts take about three minutes and 3 GB.
"""

import argparse
import json
from typing import Any

POSTS_AT_ONCE = 200
BODIES = 40
CATEGORIES = 10
TAGS = 40
RARE_TAGS = 600
YEARS = 8
COMMENTED_POSTS = 500
COMMENTS = 5
VISITED_POSTS = 1500
TITLE = "Benchmark"

CODE = """\
```python
from collections.abc import Iterator


def batches(rows: list[int], size: int = 500) -> Iterator[list[int]]:
    \"\"\"Cut the rows into pieces of that size.\"\"\"
    for start in range(0, len(rows), size):
        yield rows[start : start + size]  # the last one may be shorter
```"""
SHELL = """\
```sh
set -eu
for name in *.md; do
    test -s "$name" || continue
    wc -w "$name"
done
```"""


def _body(writer: Any) -> str:
    """300 Chinese words of two characters, 300 English ones."""

    def chinese(sentences: int) -> str:
        return "".join(f"{''.join(writer.words(writer.chinese, 10))}。" for _ in range(sentences))

    def english(words: int) -> str:
        return f"{' '.join(writer.words(writer.english, words)).capitalize()}."

    name, linked = writer.words(writer.english, 2)
    rows = "\n".join(f"| {' | '.join(writer.words(writer.english, 3))} |" for _ in range(4))
    items = "\n".join(f"- **{''.join(writer.words(writer.chinese, 2))}** {english(6)}" for _ in range(5))
    parts = [
        f"{chinese(6)} [{linked}](https://example.com/{linked}) {english(60)}",
        f"## {''.join(writer.words(writer.chinese, 4))}",
        chinese(8),
        CODE,
        f"{english(80)} `{name}()` {chinese(4)}",
        f"## {english(5)}",
        items,
        f"> {chinese(3)}",
        english(70),
        f"### {''.join(writer.words(writer.chinese, 3))}",
        SHELL,
        f"| a | b | c |\n|---|---|---|\n{rows}",
        f"{chinese(6)}\n\n{english(30)}",
    ]
    return "\n\n".join(parts)


def fill(number: int) -> None:
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from apps.comments.models import Comment
    from apps.components.models import SiteIdentity
    from apps.posts.models import Category, Post, Tag
    from apps.posts.models.post import month_number
    from apps.posts.rendering.comment_markdown import COMMENT_RENDERER_VERSION, render_comment
    from apps.posts.rendering.markdown import RENDERER_VERSION, render
    from apps.posts.rendering.plaintext import reading_minutes
    from apps.posts.slugs import slugify
    from tests.bench.search import Writer

    writer = Writer()
    SiteIdentity.objects.update_or_create(pk=1, defaults={"title": TITLE})
    author = get_user_model()._default_manager.create_superuser("owner", "o@example.com", "pw")
    categories = [Category.objects.create(name=f"Shelf {index + 1}") for index in range(CATEGORIES)]
    tags = Tag.objects.named("".join(writer.words(writer.chinese, 1)) + str(index) for index in range(TAGS))
    rare_tags = Tag.objects.named(f"rare {index}" for index in range(min(RARE_TAGS, number)))
    bodies = [(body, render(body)) for body in (_body(writer) for _ in range(BODIES))]
    titles = ["".join(writer.words(writer.chinese, 5)) for _ in range(BODIES)]
    now = timezone.now()
    apart = timezone.timedelta(days=YEARS * 365) / number
    every = max(1, number // COMMENTED_POSTS)  # so many posts lie between two that have comments

    def post(index: int) -> Post:
        body, rendered = bodies[index % BODIES]
        title = f"{titles[index * 7 % BODIES]} {index + 1}"
        published_at = now - apart * (number - index)
        commented = COMMENTS if index % every == 0 else 0
        return Post(
            title=title,
            slug=slugify(title),
            author=author,
            category=categories[index % CATEGORIES],
            body=body,
            html=rendered.html,
            toc=rendered.toc,
            text=rendered.text,
            excerpt=rendered.excerpt,
            reading_minutes=reading_minutes(rendered.text),
            renderer_version=RENDERER_VERSION,
            status=Post.Status.PUBLISHED,
            published_at=published_at,
            updated_at=published_at,
            published_month=month_number(published_at),
            view_count=index * 37 % 5000,
            comment_count=commented,
            last_floor=commented,
        )

    for start in range(0, number, POSTS_AT_ONCE):
        Post.objects.bulk_create([post(index) for index in range(start, min(start + POSTS_AT_ONCE, number))])
    ids = list(Post.objects.order_by("pk").values_list("pk", flat=True))

    links = Post.tags.through
    chosen = (
        (pk, tag)
        for index, pk in enumerate(ids)
        for tag in (
            *(tags[place] for place in {index % TAGS, index // TAGS % TAGS, index * 7 % TAGS}),
            rare_tags[index % len(rare_tags)],
        )
    )
    links.objects.bulk_create([links(post_id=pk, tag_id=tag.pk) for pk, tag in chosen], batch_size=5000)

    texts = [
        " ".join(writer.words(writer.english, 20)) + "，" + "".join(writer.words(writer.chinese, 10)) for _ in tags
    ]
    comments = [(text, render_comment(text)) for text in texts]
    Comment.objects.bulk_create(
        [
            Comment(
                post_id=pk,
                floor=floor,
                author_name=f"Reader {floor}",
                author_email=f"reader{floor}@example.com",
                body=comments[(pk + floor) % len(comments)][0],
                html=comments[(pk + floor) % len(comments)][1],
                renderer_version=COMMENT_RENDERER_VERSION,
            )
            for pk in ids[::every]
            for floor in range(1, COMMENTS + 1)
        ],
        batch_size=1000,
    )


def visits() -> dict[str, Any]:
    """The addresses to visit: `pages` (name -> path and the title it must have), `posts` (paths), `first_post` (id)."""
    from apps.posts.models import Category, Post
    from apps.posts.pages.paging import POSTS_PER_PAGE

    ids = list(Post.objects.order_by("pk").values_list("pk", flat=True))
    commented = Post.objects.exclude(comment_count=0).order_by("pk").values_list("pk", flat=True)
    post = Post.objects.get(pk=commented[len(commented) // 2])
    category = Category.objects.get(pk=post.category_id)
    last_page = -(-len(ids) // POSTS_PER_PAGE)
    return {
        "pages": {
            "home": ["/", TITLE],
            "post": [post.get_absolute_url(), post.title],
            "category": [category.get_absolute_url(), category.name],
            "feed": ["/feed/", TITLE],
            "last page": [f"/?page={last_page}", TITLE],
        },
        "last_page": last_page,
        "posts": [post.get_absolute_url() for post in Post.objects.only("slug").order_by("-pk")[:VISITED_POSTS]],
        "first_post": ids[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1000)
    chosen = parser.parse_args()
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from apps.core.pages import cache_epoch
    from blog_xtg.preparing import make_folder

    # As `manage.py prepare` does, but for the posts that welcome a writer.
    make_folder(settings.MEDIA_ROOT)
    cache_epoch.begin()
    call_command("migrate", verbosity=0)
    fill(chosen.posts)
    with connection.cursor() as cursor:
        # A server that has run for a while knows its tables' sizes.
        for table in connection.introspection.table_names():
            if connection.vendor == "mysql" and table.startswith(("posts_", "comments_")):
                cursor.execute(f"ANALYZE TABLE {connection.ops.quote_name(table)}")
                cursor.fetchall()
    print(json.dumps(visits()))


if __name__ == "__main__":
    main()
