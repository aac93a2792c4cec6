import os
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.exchange.models import ImportedPost
from apps.posts.models import Category, Post, Tag

from .conftest import FIXTURES

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("import_markdown", *map(str, arguments), stdout=out, no_color=True)
    return out.getvalue().splitlines()


def test_one_line_a_file_and_totals(folder):
    root = folder({"b.md": "# B\n\n![](x.png)", "a.md": "# A", "README.md": "# Read me"})
    assert run(root) == [
        "skipped    README.md: about the project, without front matter",
        "created    a.md",
        "created    b.md",
        "           warning: line 3: image not found: x.png",
        "2 created, 1 skipped; 1 warning",
    ]
    assert run(root)[-1] == "2 unchanged, 1 skipped; 1 warning"


@pytest.mark.parametrize("options", [("--dry-run",), ()])
def test_what_no_page_shows_of_a_file_is_named(folder, options):
    iframe = '<iframe src="//player.bilibili.com/x"></iframe>'
    root = folder({"a.md": f"# A\n\n{iframe}\n\n一个 <title>\n\n{iframe}"})
    warning = run(root, *options)[1]
    assert "<iframe>" in warning and "player.bilibili.com" in warning and "2" in warning and "title" not in warning


def test_a_failing_file_makes_the_exit_code_one(broken):
    out = StringIO()
    with pytest.raises(CommandError, match="8 files could not be imported") as caught:
        call_command("import_markdown", str(broken), stdout=out)
    assert caught.value.returncode == 1
    assert "failed     yaml.md: line 2: YAML: mapping values are not allowed here" in out.getvalue().splitlines()
    assert [post.title for post in Post.objects.all()] == ["Good"]


def test_a_dry_run_stores_nothing(media_files):
    lines = run(FIXTURES / "hexo", "--dry-run")
    assert lines[-1].startswith("7 created; ")
    assert lines[-1].endswith("(dry run: nothing stored)")
    assert not Post.objects.exists()
    assert not ImportedPost.objects.exists()
    assert not Tag.objects.exists()
    assert not Category.objects.filter(protected=False).exists()
    assert media_files() == []


def test_folders_that_cannot_be_imported(folder, tmp_path):
    empty = folder({"x.txt": "no Markdown"}, "empty")
    for path, message in (
        (tmp_path / "nowhere", "There is no folder"),
        (empty / "x.txt", "is a file"),
        (empty, "There is no Markdown file"),
    ):
        with pytest.raises(CommandError, match=message) as caught:
            run(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("named", ["", " ", str(Path(__file__).resolve().parents[2])])
def test_no_folder_is_not_this_one(named):
    with pytest.raises(CommandError, match="Name the folder"):
        call_command("import_markdown", named)
    assert not Post.objects.exists()


def test_symbolic_links_are_not_followed(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "s.md").write_text("# Secret")
    (secret / "s.png").write_bytes((FIXTURES / "hexo/source/images/red.png").read_bytes())
    root = folder({"a.md": "# A\n\n![](link.png) ![](../secret/s.png)"})
    (root / "loop").symlink_to(root)
    (root / "outside").symlink_to(secret)
    (root / "s.md").symlink_to(secret / "s.md")
    (root / "link.png").symlink_to(secret / "s.png")
    assert run(root) == [
        "created    a.md",
        "           warning: line 3: image not found: link.png",
        "           warning: line 3: image outside of the folder: ../secret/s.png",
        "skipped    loop: a symbolic link, not followed",
        "skipped    outside: a symbolic link, not followed",
        "skipped    s.md: a symbolic link, not followed",
        "1 created, 3 skipped; 2 warnings",
    ]


def test_the_author(folder):
    user = get_user_model().objects.create_user("xtg")
    root = folder({"a.md": "# A"})
    with pytest.raises(CommandError, match="no user 'nobody'"):
        run(root, "--author", "nobody")
    run(root, "--author", "xtg")
    assert Post.objects.get().author == user


@pytest.mark.one_database
def test_a_file_name_that_is_no_utf8(tmp_path: Path):
    name = "中文测试".encode("gb18030") + b".md"
    try:
        (Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))).write_text("Text")
    except OSError:
        pytest.skip("this file system takes no such names")
    assert run(tmp_path)[0] == "created    中文测试.md"
    assert Post.objects.get().title == "中文测试"
