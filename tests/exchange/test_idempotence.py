"""The same again: what is the same post, and what happens to it."""

import shutil
from datetime import UTC, datetime
from time import process_time

import pytest

from apps.exchange.importing import import_folder
from apps.exchange.models import ImportedPost
from apps.posts.models import Category, OldAddress, Post, Tag

from .conftest import outcomes

pytestmark = pytest.mark.django_db

DATED = "---\ntitle: {title}\ndate: 2020-01-01 00:00:00\n---\n{body}\n"


def run(path, **options) -> dict[str, str]:
    return outcomes(import_folder(path, **options))


def test_a_changed_file_updates_its_post(folder):
    root = folder({"a.md": DATED.format(title="A", body="one"), "b.md": "# B\n\ntext"})
    run(root)
    pk = Post.objects.get(title="A").pk
    (root / "a.md").write_text(DATED.format(title="A new title", body="two"), encoding="utf-8")
    (root / "b.md").write_text("# Another B\n\ntext", encoding="utf-8")
    assert run(root) == {"a.md": "updated", "b.md": "updated"}
    post = Post.objects.get(pk=pk)
    assert (post.title, post.body) == ("A new title", "two\n")
    assert post.updated_at > datetime(2026, 1, 1, tzinfo=UTC)
    assert Post.objects.count() == 2
    assert run(root) == {"a.md": "unchanged", "b.md": "unchanged"}


def test_the_authors_own_time_of_change_stands(folder):
    head = "---\ntitle: A\ndate: 2020-01-01\nupdated: 2021-01-01 08:00:00\n---\n"
    root = folder({"a.md": head + "one"})
    run(root)
    folder({"a.md": head + "two"})
    assert run(root) == {"a.md": "updated"}
    assert Post.objects.get().updated_at == datetime(2021, 1, 1, tzinfo=UTC)


def test_the_guessed_date_does_not_move(folder):
    import os

    root = folder({"a.md": "# A\n\none"})
    run(root)
    before = Post.objects.get().published_at
    folder({"a.md": "# A\n\ntwo"})
    os.utime(root / "a.md", (1_000_000_000, 1_000_000_000))
    assert run(root) == {"a.md": "updated"}
    assert Post.objects.get().published_at == before


@pytest.mark.parametrize("change", ["body", "category", "status", "tags"])
def test_what_was_edited_here_is_kept(folder, change):
    root = folder({"a.md": DATED.format(title="A", body="one")})
    run(root)
    post = Post.objects.get()
    if change == "body":
        post.body = "edited here"
        post.save()
    elif change == "category":
        post.move_to(Category.objects.create(name="Elsewhere"))
    elif change == "status":
        post.unpublish()
    else:
        post.tags.add(Tag.objects.create(name="new"))
    assert run(root) == {"a.md": "unchanged"}
    folder({"a.md": DATED.format(title="A", body="two")})
    receipt = import_folder(root)[0]
    assert (str(receipt.outcome), receipt.reason) == ("kept", "edited here since, kept")
    assert Post.objects.get().body != "two\n"
    assert run(root, overwrite=True) == {"a.md": "updated"}
    assert Post.objects.get().body == "two\n"
    # A post closed here stays closed.
    assert Post.objects.get().status == ("draft" if change == "status" else "published")
    assert run(root) == {"a.md": "unchanged"}


def test_a_moved_folder_is_still_the_same(folder, tmp_path):
    files = {f"{n}.md": f"# Title {n}\n\nText" for n in range(4)} | {"d.md": DATED.format(title="D", body="one")}
    root = folder(files)
    run(root)
    moved = shutil.move(root, tmp_path / "elsewhere")
    folder({"0.md": "# Title 0\n\nChanged", "d.md": DATED.format(title="New", body="two")}, name="elsewhere")
    assert run(moved) == {f"{n}.md": "unchanged" if n else "updated" for n in range(4)} | {"d.md": "updated"}
    assert Post.objects.count() == 5


def test_two_blogs_do_not_overwrite_each_other(folder):
    one = folder({"_posts/hello-world.md": DATED.format(title="Hello World", body="one")}, "one")
    two_text = DATED.format(title="Hello World", body="two").replace("2020-01-01", "2021-05-05")
    two = folder({"_posts/hello-world.md": two_text, "about/index.md": "title: About\n---\nTwo"}, "two")
    three = folder(
        {"_posts/hello-world.md": "title: Hello World\n---\nthree", "about/index.md": "title: About\n---\nThree"},
        "three",
    )
    assert run(one) == {"_posts/hello-world.md": "created"}
    assert set(run(two).values()) == {"created"}
    assert set(run(three).values()) == {"created"}
    assert Post.objects.filter(title="Hello World").count() == 3
    assert Post.objects.filter(title="About").count() == 2
    for root in (one, two, three):
        assert set(run(root).values()) == {"unchanged"}


def test_a_draft_that_is_published_stays_the_same_post(folder):
    root = folder({"_drafts/a.md": "title: A\n---\ntext", "_posts/b.md": "title: B\n---\ntext"})
    run(root)
    assert Post.objects.get(title="A").status == "draft"
    (root / "_drafts/a.md").rename(root / "_posts/a.md")
    assert run(root) == {"_posts/a.md": "updated", "_posts/b.md": "unchanged"}
    post = Post.objects.get(title="A")
    assert post.status == "published"
    assert post.published_at is not None


def test_a_picture_that_comes_later_is_fetched(folder, media_files):
    root = folder({"a.md": "# A\n\n![x](x.png)"})
    assert import_folder(root)[0].warnings == ["line 3: image not found: x.png"]
    shutil.copy(__file__.replace("test_idempotence.py", "fixtures/hexo/source/images/red.png"), root / "x.png")
    assert run(root) == {"a.md": "updated"}
    assert "/media/uploads/" in Post.objects.get().body
    folder({"a.md": "# A\n\nMore. ![x](x.png)"})
    assert run(root) == {"a.md": "updated"}
    assert len(media_files()) == 1


def test_the_same_picture_in_another_month_is_not_stored_again(folder, media_files, monkeypatch):
    from django.utils import timezone

    root = folder({"a.md": "# A\n\n![x](x.png)"})
    shutil.copy(__file__.replace("test_idempotence.py", "fixtures/hexo/source/images/red.png"), root / "x.png")
    run(root)
    monkeypatch.setattr("apps.posts.media.images.timezone.localtime", lambda: datetime(2031, 1, 1, tzinfo=UTC))
    folder({"a.md": "# A\n\nMore. ![x](x.png)"})
    monkeypatch.setattr("apps.posts.models.post.timezone.localtime", timezone.localtime, raising=False)
    from apps.exchange.items import Picture
    from apps.exchange.media import PictureStore

    name = PictureStore().name(Picture(root / "x.png", "x.png"), Post.objects.get(), [])
    assert len(media_files()) == 1
    assert name in Post.objects.get().body


def test_a_damaged_picture_is_a_warning(folder, media_files):
    root = folder({"a.md": "# A\n\n![x](x.png)\n![y](y.svg)", "x.png": b"no picture", "y.svg": "<svg/>"})
    receipt = import_folder(root)[0]
    assert str(receipt.outcome) == "created"
    assert [warning.partition(" (")[0] for warning in receipt.warnings] == [
        "line 3: image left out: x.png",
        "line 4: image left out: y.svg",
    ]
    assert "![x](x.png)" in Post.objects.get().body
    assert media_files() == []


def test_links_between_posts_work_in_any_order(folder):
    root = folder({
        "_posts/a.md": "title: A\n---\n{% post_link b %}",
        "_posts/b.md": "title: B\n---\n{% post_link a Back %} [file](a.md#x) [none](none.md)",
    })  # fmt: skip
    run(root)
    a, b = Post.objects.get(title="A"), Post.objects.get(title="B")
    assert a.body == f"[B]({b.get_absolute_url()})\n"
    assert b.body == f"[Back]({a.get_absolute_url()}) [file]({a.get_absolute_url()}#x) [none](none.md)\n"
    assert a.get_absolute_url() in b.html
    assert set(run(root).values()) == {"unchanged"}


def test_a_link_to_a_post_that_failed(folder):
    root = folder({"_posts/a.md": "title: A\n---\n{% post_link b %}", "_posts/b.md": "title: B\ndate: x\n---\n"})
    receipts = import_folder(root)
    assert outcomes(receipts) == {"_posts/a.md": "created", "_posts/b.md": "failed"}
    assert receipts[0].warnings == ["line 3: the linked post was not imported: _posts/b.md"]
    assert Post.objects.get().body == "b\n"
    assert run(root)["_posts/a.md"] == "unchanged"
    folder({"_posts/b.md": "title: B\n---\n"})
    assert run(root) == {"_posts/a.md": "updated", "_posts/b.md": "created"}
    assert Post.objects.get(title="B").get_absolute_url() in Post.objects.get(title="A").body


def test_one_failing_post_leaves_nothing_and_the_rest_goes_on(folder, monkeypatch):
    root = folder({
        "a.md": "---\ntitle: A\ntags: [ta]\ncategories: [ca]\n---\n",
        "b.md": "---\ntitle: B\ntags: [tb]\ncategories: [cb]\n---\n",
        "c.md": '---\ntitle: "\\ud800"\n---\n',
        "d.md": f"---\ntitle: D\npassword: {'p' * 65}\n---\n",
    })  # fmt: skip
    original = Post.save

    def save(self, *args, **kwargs):
        original(self, *args, **kwargs)
        if self.title == "A":
            raise ValueError("broken")

    monkeypatch.setattr(Post, "save", save)
    assert run(root) == {"a.md": "failed", "b.md": "created", "c.md": "failed", "d.md": "failed"}
    assert [post.title for post in Post.objects.all()] == ["B"]
    assert not Category.objects.filter(name="ca").exists()
    assert not Tag.objects.filter(name="ta").exists()
    assert ImportedPost.objects.count() == 1


def test_too_long_is_cut_with_a_word(folder):
    root = folder({
        "a.md": f"---\ntitle: {'长' * 201}\ntags: [{'t' * 65}, '!!!']\ncategories: [{'c' * 65}]\nsummary: {'s' * 1001}\n---\n"
    })  # fmt: skip
    receipt = import_folder(root)[0]
    post = Post.objects.get()
    assert (len(post.title), len(post.summary), len(post.category.name)) == (200, 1000, 64)
    assert [warning.partition(":")[0] for warning in receipt.warnings] == [
        "title cut to 200 characters",
        "summary cut to 1000 characters",
        "category cut to 64 characters",
        "tag cut to 64 characters",
        "tag without a letter or digit left out",
    ]
    assert run(root) == {"a.md": "unchanged"}


def test_an_old_address_is_never_taken_from_another_post(folder):
    other = Post.objects.create(title="Other")
    OldAddress.objects.create(path="/taken/", post=other)
    head = "---\ntitle: A\npermalink: https://example.com/taken/?x#y\naliases:\n- /%E4%B8%AD/\n- free.html\n---\n"
    receipt = import_folder(folder({"a.md": head}))[0]
    assert receipt.warnings == ["old address /taken/ leads to another post already"]
    assert set(OldAddress.objects.values_list("path", "post__title")) == {
        ("/taken/", "Other"),
        ("/中/", "A"),
        ("/free.html", "A"),
    }


def test_categories_are_found_by_name_or_slug(folder):
    Category.objects.create(name="Data Base")
    run(
        folder(
            {"a.md": "---\ntitle: A\ncategory: data-base\n---\n", "b.md": "---\ntitle: B\ncategory: data BASE\n---\n"}
        )
    )
    assert {post.category.name for post in Post.objects.all()} == {"Data Base"}


def test_a_repost_names_its_source(folder):
    run(
        folder(
            {
                "a.md": "---\ntitle: A\n转载: https://example.com/x\n---\n",
                "b.md": "---\ntitle: B\noriginal_url: nowhere\n---\n",
            }
        )
    )
    post = Post.objects.get(title="A")
    assert (post.source.name, post.original_url) == ("转载", "https://example.com/x")
    assert Post.objects.get(title="B").original_url == ""


def test_long_names_and_hostile_bodies(folder):
    hostile = ["[a](" + " " * 100_000, "{% quote %}\n" * 3_000, "{% codeblock %}" * 3_000, "![](" * 30_000]
    files = {f"{'long-name-' * 20}.md": "Text"} | {f"{n}.md": f"# {n}\n\n{text}" for n, text in enumerate(hostile)}
    started = process_time()  # another process's turn is no fault of the program's
    assert set(run(folder(files)).values()) == {"created"}
    assert process_time() - started < 20
