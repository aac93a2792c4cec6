"""Whole blogs of Hexo, Hugo and Jekyll, as their generators lay them out."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.exchange.importing import import_folder
from apps.posts.models import OldAddress, Post

from .conftest import FIXTURES, outcomes

SHARED = Path(__file__).resolve().parents[3] / "shared/data/hexo-unit-test"

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def post(title: str) -> Post:
    return Post.objects.get(title=title)


def addresses(of: Post) -> set[str]:
    return set(of.old_addresses.values_list("path", flat=True))


@pytest.mark.parametrize("inside", ["", "source"])
def test_hexo_is_found_from_its_root_and_its_source(inside):
    receipts = import_folder(FIXTURES / "hexo" / inside)
    assert outcomes(receipts) == {
        "_drafts/someday.md": "created",
        "_posts/hello-world.md": "created",
        "_posts/json.md": "created",
        "_posts/no-title.md": "created",
        "_posts/pictures.md": "created",
        "_posts/tags.md": "created",
        "about/index.md": "created",
    }
    assert [receipt.origin for receipt in receipts] == sorted(receipt.origin for receipt in receipts)


def test_posts_alone_and_the_whole_blog_are_the_same_blog():
    import_folder(FIXTURES / "hexo/source/_posts")
    assert Post.objects.count() == 5
    assert set(outcomes(import_folder(FIXTURES / "hexo/source/_posts")).values()) == {"unchanged"}
    again = outcomes(import_folder(FIXTURES / "hexo"))
    assert again.pop("_drafts/someday.md") == again.pop("about/index.md") == "created"
    assert set(again.values()) == {"unchanged"}
    assert Post.objects.count() == 7


def test_hexo_fields():
    import_folder(FIXTURES / "hexo")
    hello = post("你好，世界")
    assert hello.published_at == datetime(2018, 7, 24, 15, 31, 6, tzinfo=UTC)
    assert hello.updated_at == datetime(2019, 1, 1, 19, 4, 5, tzinfo=UTC)
    assert hello.category.name == "生活"
    assert {tag.name for tag in hello.tags.all()} == {"随笔", "C++", "2024", "1.10", "旅行"}
    assert (hello.summary, hello.slug, hello.pinned, hello.comments_open) == ("第一篇", "hello-world", True, False)
    assert hello.status == "published"
    assert "<!-- more -->" in hello.body
    assert addresses(hello) == {"/2018/07/24/hello-world/"}

    pictures = post("Pictures")
    assert pictures.category.name == "A"
    assert {tag.name for tag in pictures.tags.all()} == {"one", "two", "three", "B", "C"}

    assert post("Someday").status == "draft"
    assert post("Someday").published_at is None
    assert (post("About").kind, post("About").status) == ("page", "published")
    assert addresses(post("About")) == {"/about/"}
    assert post("JSON head").body == "Body\n"
    assert post("No title").slug == "no-title"


def test_hexo_pictures(media_files):
    receipts = import_folder(FIXTURES / "hexo")
    body = post("Pictures").body
    lines = body.split("\n")
    assert lines[0].startswith("![red](/media/uploads/")
    assert '.png "Blue one") and <img alt="x" src="/media/uploads/' in lines[0]
    assert lines[2].startswith("![A title](/media/uploads/")
    assert body.count("![red](/images/red.png)") == 2, "what stands in code stays"
    assert "![gone](/images/gone.png) ![remote](https://example.com/a.png)" in body
    assert "../../etc/hostname.png)" in body
    assert post("Pictures").cover.name.startswith("uploads/")
    assert len(media_files()) == 2
    receipt = next(receipt for receipt in receipts if receipt.title == "Pictures")
    assert receipt.warnings == [
        "line 21: image not found: /images/gone.png",
        "line 23: image outside of the folder: ../../../../../../../../../../etc/hostname.png",
    ]


def test_hexo_tag_plugins():
    receipts = import_folder(FIXTURES / "hexo")
    body = post("Tag plugins").body
    pictures, hello = post("Pictures").get_absolute_url(), post("你好，世界").get_absolute_url()
    for part in (
        '````python title="Say hello"\nprint("{% youtube no %} ```")\n````\n\n[source](https://example.com/hello)\n',
        f"\n> Roads **are made**.\n>\n> [Pictures]({pictures})\n>\n> — Lu Xun, *Hometown*\n",
        "- item\n  \n  > Indented.\n  >\n  > — Somebody, [A Book](https://example.com/book/)\n",
        "\n> Pulled.\n",
        "\n![An alt](/media/uploads/",
        '.png "A title")\n',
        '[Example](https://example.com/ "Title")',
        f"[另一篇]({hello}#part), Nowhere, [path]({pictures})",
        "<https://www.youtube.com/watch?v=dQw4w9WgXcQ> <https://vimeo.com/1> <https://jsfiddle.net/abc/>"
        " <https://gist.github.com/42> <https://example.com/frame>",
        '```js title="Greeting"\nconsole.log("hello");\n```',
        "\n<b>{{ kept }}</b>\n",
        "{% note info %}\nA note.\n{% endnote %}",
        "`{% youtube in-code %}`",
        '{{< figure src="/images/red.png" >}}',
    ):
        assert part in body
    receipt = next(receipt for receipt in receipts if receipt.title == "Tag plugins")
    assert receipt.warnings == [
        "line 29: link to an unknown post: nowhere",
        "line 37: tag left as it is: {% note %}",
        "line 43: shortcode left as it is: figure",
    ]


def test_hugo():
    receipts = import_folder(FIXTURES / "hugo")
    assert outcomes(receipts) == {
        "about.md": "created",
        "posts/_index.md": "skipped",
        "posts/bundle/index.md": "created",
        "posts/json.md": "created",
        "posts/toml.md": "created",
    }
    toml = post("TOML head")
    assert toml.published_at == datetime(2021, 2, 3, 2, 5, 6, tzinfo=UTC)
    assert toml.updated_at == datetime(2021, 3, 3, 16, tzinfo=UTC)
    assert toml.category.name == "Notes"
    assert addresses(toml) == {"/old/toml/", "/older.html"}
    assert "{{< youtube abc >}}" in toml.body
    assert "![grey](/media/uploads/" in toml.body
    assert f"[bundle]({post('Bundle').get_absolute_url()}#part)" in toml.body
    assert post("A JSON head").status == "draft"
    assert addresses(post("A JSON head")) == {"/somewhere/else/"}
    bundle = post("Bundle")
    assert (bundle.slug, bool(bundle.cover)) == ("bundle", True)
    assert addresses(bundle) == {"/posts/bundle/"}
    assert (post("About").kind, post("About").status) == ("page", "published")


def test_jekyll():
    receipts = import_folder(FIXTURES / "jekyll")
    assert outcomes(receipts) == {
        "README.md": "skipped",
        "_posts/2022-03-04-first-post.markdown": "created",
        "_posts/2022-03-05-second.md": "created",
        "about.md": "created",
    }
    first, second = post("First: a post"), post("Second")
    assert first.published_at == datetime(2022, 3, 3, 16, tzinfo=UTC)
    assert first.category.name == "jekyll"
    assert {tag.name for tag in first.tags.all()} == {"a", "b", "update"}
    assert first.slug == "first-post"
    assert addresses(first) == {"/jekyll/update/2022/03/04/first-post.html"}
    assert first.body.startswith('```ruby\nputs "hi"\n```\n')
    assert "![gold](/media/uploads/" in first.body
    assert f"[second]({second.get_absolute_url()})" in first.body
    assert (second.status, addresses(second)) == ("draft", {"/two.html"})
    assert (post("About").kind, post("About").status) == ("page", "published")


@pytest.mark.parametrize(("name", "address"), [("hexo", "/about/"), ("hugo", "/about/"), ("jekyll", "/about.html")])
def test_the_old_address_of_a_page_leads_to_it(client, name, address):
    import_folder(FIXTURES / name)
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (301, post("About").get_absolute_url())
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert page.content.decode().count(f'href="{answer["Location"]}"') >= 1  # in the navbar


def test_pages_that_the_theme_filled_are_left_out(folder):
    loop = "<ul>{% for tag in site.tags %}<li>{{ tag | first }}</li>{% endfor %}</ul>\n"
    files = {
        "hexo/_config.yml": "title: x\n",
        "hexo/source/_posts/a.md": "---\ntitle: A\ndate: 2020-01-02\n---\n",
        "hexo/source/tags/index.md": "---\ntitle: 标签\ndate: 2020-01-02\ntype: tags\n---\n",
        "hexo/source/links/index.md": "---\ntitle: 友链\ntype: links\n---\n\n欢迎来换\n",
        "hexo/source/picture/index.md": "---\ntitle: 图\n---\n\n<img src='https://a.example/a.png'>\n",
        "hexo/source/secret/index.md": "---\ntitle: 密\ndraft: true\n---\n\n私\n",
        "hugo/hugo.toml": "",
        "hugo/content/posts/a.md": "---\ntitle: A\ndate: 2020-01-02\n---\nx",
        "hugo/content/search.md": "---\ntitle: Search\nlayout: search\n---\n",
        "hugo/content/archives.md": "---\ntitle: Archive\ndate: 2020-01-02\nlayout: archives\n---\n",
        "jekyll/_config.yml": "title: x\n",
        "jekyll/_posts/2020-01-02-a.md": "---\ntitle: A\n---\nx",
        "jekyll/tags.md": f"---\ntitle: Tags\n---\n{loop}",
        "jekyll/books.md": f"---\ntitle: Books\n---\nI read:\n{loop}",
    }
    root = folder(files)
    found = {name: outcomes(import_folder(root / name)) for name in ("hexo", "hugo", "jekyll")}
    left_out = {f"{name}/{origin}" for name in found for origin, outcome in found[name].items() if outcome == "skipped"}
    assert left_out == {"hexo/tags/index.md", "hugo/search.md", "hugo/archives.md", "jekyll/tags.md"}
    status = {title: post(title).status for title in ("友链", "图", "密", "Books")}
    assert status == {"友链": "published", "图": "published", "密": "draft", "Books": "published"}


@pytest.mark.parametrize("name", ["hexo", "hugo", "jekyll"])
def test_a_second_run_changes_nothing(name, media_files):
    import_folder(FIXTURES / name)
    before = list(Post.objects.order_by("pk").values()), media_files(), OldAddress.objects.count()
    receipts = import_folder(FIXTURES / name)
    assert set(outcomes(receipts).values()) <= {"unchanged", "skipped"}
    assert (list(Post.objects.order_by("pk").values()), media_files(), OldAddress.objects.count()) == before


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared folder with Hexo's theme unit test is not here")
def test_hexo_theme_unit_test():
    receipts = import_folder(SHARED)
    assert len(receipts) == len(list(SHARED.rglob("*.md")))
    assert set(outcomes(receipts).values()) == {"created"}
    assert post("中文測試").slug == "中文測試"
    assert post("Categories").category.name == "Foo"
    assert not Post.objects.filter(body__contains="{%").exists()
    assert set(outcomes(import_folder(SHARED)).values()) == {"unchanged"}


def test_the_welcome_posts(media_files):
    from blog_xtg.preparing import WELCOME

    receipts = import_folder(WELCOME)
    assert set(outcomes(receipts).values()) == {"created"}
    assert [receipt.warnings for receipt in receipts] == [[], [], [], []]
    assert len(media_files()) == 1
    assert set(Post.objects.values_list("category__name", flat=True)) == {"入门", "Guides"}
    for found in Post.objects.all():
        assert found.is_public
        assert found.toc
    assert Post.objects.get(slug="markdown-showcase").get_absolute_url() in Post.objects.get(slug="welcome").body
    for showcase in Post.objects.filter(title__icontains="Markdown"):
        for sign in ("<math", 'class="mermaid"', "<figcaption>", "footnotes", "<table>", "data-title", "checkbox"):
            assert sign in showcase.html
    assert set(outcomes(import_folder(WELCOME)).values()) == {"unchanged"}
