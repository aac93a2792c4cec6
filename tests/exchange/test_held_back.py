"""Posts that the old blog held back are not public here."""

import time
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.exchange.importing import import_folder
from apps.exchange.items import PostItem
from apps.exchange.models import ImportedPost
from apps.exchange.readers.markdown_folder import read_folder
from apps.posts.models import Post
from tests.factories import make_post

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

FUTURE = datetime(2099, 5, 6, tzinfo=UTC)
HUGO = {"hugo.toml": 'title = "Blog"\n'}
JEKYLL = {"_posts/2019-01-01-one.md": "---\ntitle: One\n---\n"}


def read(folder, files: dict[str, str], name: str = "blog") -> dict[str, PostItem]:
    found = read_folder(folder(files, name), UTC)
    return {entry.origin: entry for entry in found if isinstance(entry, PostItem)}


def read_one(folder, head: str, body: str = "Text", more: dict[str, str] | None = None) -> PostItem:
    files = {"a.md": f"---\ntitle: A\ndate: 2020-01-01\n{head}\n---\n{body}\n"}
    return read(folder, files | (more or {}))["a.md"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("draft: true", "draft"),
        ("Draft: TRUE", "draft"),
        ("isDraft: yes", "draft"),
        ("published: false", "draft"),
        ("publish: no", "draft"),
        ("dg-publish: false", "draft"),
        ("unlisted: true", "unlisted"),
        ("hidden: true", "unlisted"),
        ("hide: true", "unlisted"),
        ("hideInList: true", "unlisted"),
        ("hide_in_list: 1", "unlisted"),
        ("hiddenFromHomePage: true", "unlisted"),
        ("listed: false", "unlisted"),
        ("eleventyExcludeFromCollections: true", "unlisted"),
        ("permalink: false", "draft"),
        ("render: false", "draft"),
        ("private: true", "private"),
        ("status: draft", "draft"),
        ("Status: Hidden", "unlisted"),
        ("status: private", "private"),
        ("status: in progress", "draft"),
        ("status: [published]", "draft"),
        ("visibility: members", "draft"),
        ("status: scheduled", "draft"),
        ("visibility: public", "published"),
        ("layout: draft", "draft"),
        ("headless: true", "draft"),
        ("build: {render: never}", "draft"),
        ("build: {render: link}", "draft"),
        ("_build:\n  render: false", "draft"),
        ("build: {list: never}", "unlisted"),
        ("_build: {list: local, render: always}", "unlisted"),
        ("build: {list: sometimes}", "draft"),
        ("build: never", "draft"),
        ("expiryDate: 2021-01-01", "draft"),
        ("expiryDate: 2099-01-01", "draft"),
        ("expires: soon", "draft"),
        ("unpublishdate: 2021-01-01", "draft"),
        ("publishDate: soon", "draft"),
        ("params: {hidden: true}", "unlisted"),
        ("extra: {draft: true}", "draft"),
        ("草稿: 是", "draft"),
        # A value that can't be read.
        ("draft: maybe", "draft"),
        ("hidden: home", "draft"),
        ("unlisted: [a]", "draft"),
        # A key that no rule knows, whose name speaks of it.
        ("secret: true", "draft"),
        ("members_only: true", "draft"),
        ("paywall: yes", "draft"),
        ("isPublic: no", "draft"),
        ("visibleTo: friends", "draft"),
        ("protectedBy: me", "draft"),
        ("仅会员可见: 是", "draft"),
        # No more than one thing at a time is asked of a writer: the strictest rule decides.
        ("unlisted: true\nexpiryDate: 2021-01-01", "draft"),
        ("hidden: true\nprivate: true", "private"),
        # An unlisted post can't wait for its time.
        ("unlisted: true\npublishDate: 2099-01-01", "draft"),
    ],
)
def test_what_was_held_back_is_not_published(folder, head, status):
    item = read_one(folder, head)
    assert item.status == status
    assert bool(item.reasons) == (status != "published")


@pytest.mark.parametrize(
    "head",
    [
        "draft: false",
        "draft:",
        "published: true",
        "published: 2020-01-02",
        "publishDate: 2020-01-02",
        "hidden: no",
        "private: false",
        "status: published",
        "build: {render: always, list: true}",
        "encrypt: false",
        "password:",
        "password: false",
        "secret: false",
        "paywall: none",
        "hide_table_of_contents: true",
        "hidemeta: true",
        "hideComments: true",
        "hiddenFromSearch: true",
        "searchHidden: true",
        "publisher: A House",
        "publication: A Journal",
        "cover: {hidden: true}",
        "remember: me",
    ],
)
def test_what_was_public_stays_public(folder, head):
    item = read_one(folder, head)
    assert (item.status, item.reasons, item.password) == ("published", (), "")


@pytest.mark.parametrize(
    ("head", "password", "status"),
    [
        ("password: open sesame", "open sesame", "published"),
        ("encrypt: true\nenc_pwd: 1234", "1234", "published"),
        ("密码: 芝麻开门", "芝麻开门", "published"),
        ("protected: true\npassword: '0042'", "0042", "published"),
        ("password: x\nunlisted: true", "x", "unlisted"),
        ("encrypt: true", "", "draft"),
        ("locked: true", "", "draft"),
        ("password: true", "", "draft"),
        ("password: [a, b]", "", "draft"),
    ],
)
def test_passwords(folder, head, password, status):
    item = read_one(folder, head)
    assert (item.password, item.status) == (password, status)
    assert not any(password in reason.sentence for reason in item.reasons if password)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ('{{% fixit-encryptor "word" "Hint" %}}\nSecret\n{{% /fixit-encryptor %}}', "fixit-encryptor"),
        ("{{< encrypt >}}\nSecret\n{{< /encrypt >}}", "encrypt"),
        ("{% password %}\nSecret\n{% endpassword %}", "password"),
        ("[hide]Secret[/hide]", "[hide]"),
        ("[login type=a]Secret[/login]", "[login]"),
        ("<!--members-only-->\n\nSecret", "<!--members-only-->"),
    ],
)
def test_a_text_with_a_locked_part_is_a_draft(folder, part, name):
    item = read_one(folder, "", f"Open.\n\n{part}")
    assert item.status == "draft"
    assert [reason.sentence for reason in item.reasons] == [f"line 8: a part is behind {name}"]


@pytest.mark.parametrize(
    "body", ["`{{< encrypt >}}`", "```\n[hide]x[/hide]\n```", "[hide] alone", "{% note %}x{% endnote %}"]
)
def test_code_and_other_tags_hold_nothing_back(folder, body):
    assert read_one(folder, "", body).status == "published"


def test_a_time_to_come_schedules(folder):
    for head in (
        "publishDate: 2099-05-06",
        "publish_at: 2099-05-06",
        "date: 2099-05-06",
        "layout: page\ndate: 2099-05-06",
        "pubDatetime: 2099-05-06",
        "status: future\ndate: 2099-05-06",
    ):
        item = read_one(folder, head)
        assert (item.status, item.published_at) == ("published", FUTURE)
        assert [reason.name for reason in item.reasons] == ["scheduled"]


def test_an_embargo_leaves_the_old_address_as_it_was(folder):
    item = read(folder, {"_posts/a.md": "title: A\ndate: 2020-01-02\npublishDate: 2099-05-06\n---\n"})["_posts/a.md"]
    assert item.permalinks == ("/2020/01/02/a/",)


def test_pelicans_head(folder):
    head = "Title: A note\nDate: 2013-11-04 16:33\nCategory: Notes\nTags: one, two\nSlug: first\nStatus: {}\n\nText: of it.\n"
    found = read(
        folder, {"a.md": head.format("draft"), "b.md": head.format("hidden"), "c.md": head.format("published")}
    )
    assert [item.status for item in found.values()] == ["draft", "unlisted", "published"]
    item = found["c.md"]
    assert (item.title, item.body, item.slug) == ("A note", "Text: of it.\n", "first")
    assert (item.tags, item.categories) == (("one", "two"), (("Notes",),))
    assert item.published_at == datetime(2013, 11, 4, 16, 33, tzinfo=UTC)


def test_prose_with_colons_is_no_head(folder):
    texts = ("Note: this is prose.\n\nMore.", "Tags: are what I write about.\n\nMore.", "Title: x\nand a line\n\nMore.")
    for number, text in enumerate(texts):
        item = read(folder, {"a.md": text}, f"blog{number}")["a.md"]
        assert item.body.strip() == text


def test_pelicans_default_status(folder):
    config = "DEFAULT_METADATA = {'author': 'x', 'status': 'draft'}\n"
    found = read(
        folder, {"pelicanconf.py": config, "a.md": "Title: A\n\nx", "b.md": "Title: B\nStatus: published\n\nx"}
    )
    assert [item.status for item in found.values()] == ["draft", "published"]


def test_hugos_cascades(folder):
    text = "---\ntitle: x\ndate: 2020-01-01\n{}\n---\n"
    found = read(folder, {
        "hugo.toml": '[[cascade]]\ndraft = true\n[cascade.target]\npath = "{/wip,/x/{y,g}}*"\n',
        "content/secret/_index.md": "---\ncascade:\n  build: {render: never}\n---\n",
        "content/secret/a.md": text.format(""),
        "content/secret/deep/b/index.md": text.format(""),
        "content/notes/_index.md": "+++\n[[cascade]]\nunlisted = true\n[[cascade]]\n_target = {kind = 'section'}\ndraft = true\n+++\n",
        "content/notes/c.md": text.format(""),
        "content/notes/d.md": text.format("unlisted: false"),
        "content/wip/e.md": text.format(""),
        "content/posts/f.md": text.format(""),
        "content/x/g.md": text.format(""),
        "content/posts/bundle/index.md": text.format(""),
        "content/posts/bundle/part.md": text.format(""),
    })  # fmt: skip
    assert {origin: item.status for origin, item in found.items()} == {
        "secret/a.md": "draft",
        "secret/deep/b/index.md": "draft",
        "notes/c.md": "unlisted",
        "notes/d.md": "published",
        "wip/e.md": "draft",
        "posts/f.md": "published",
        "x/g.md": "draft",
        "posts/bundle/index.md": "published",
        "posts/bundle/part.md": "draft",
    }
    assert found["secret/a.md"].reasons[0].sentence == "secret/_index.md: cascade: build.render: never"


def test_a_configuration_that_cannot_be_read_publishes_nothing(folder):
    found = read(folder, {"hugo.toml": "title = \n", "content/posts/a.md": "---\ntitle: A\n---\n"})
    assert found["posts/a.md"].status == "draft"
    assert found["posts/a.md"].reasons[0].sentence == "hugo.toml can't be read"


def test_jekylls_defaults_and_exclusions(folder):
    config = """
exclude: [_posts/2020-01-01-left-out.md, "_posts/old/*"]
defaults:
  - scope: {path: ""}
    values: {layout: post}
  - scope: {path: _posts/private, type: posts}
    values: {published: false}
"""
    text = "---\ntitle: x\n---\n"
    found = read(folder, {
        "_config.yml": config,
        "_posts/2020-01-01-left-out.md": text,
        "_posts/old/2020-01-02-older.md": text,
        "_posts/private/2020-01-03-mine.md": text,
        "_posts/private/2020-01-04-yours.md": "---\ntitle: x\npublished: true\n---\n",
        "_posts/2020-01-05-one.md": text,
        "_drafts/two.md": text,
    })  # fmt: skip
    assert {origin.rpartition("/")[2]: item.status for origin, item in found.items()} == {
        "two.md": "draft",
        "2020-01-01-left-out.md": "draft",
        "2020-01-02-older.md": "draft",
        "2020-01-03-mine.md": "draft",
        "2020-01-04-yours.md": "published",
        "2020-01-05-one.md": "published",
    }


def test_hexos_own_ways(folder):
    found = read(folder, {
        "_config.yml": "encrypt:\n  tags:\n    - {name: diary, password: open sesame}\n",
        "source/_posts/a.md": "title: A\ntags: [diary]\n---\n",
        "source/_posts/b.md": "title: B\ntags: [diary]\npassword: ''\n---\n",
        "source/_posts/c.md": "title: C\ntags: [other]\n---\n",
        "source/_posts/_d.md": "title: D\n---\n",
    })  # fmt: skip
    assert {origin: (item.status, item.password) for origin, item in found.items()} == {
        "_posts/a.md": ("published", "open sesame"),
        "_posts/b.md": ("published", ""),
        "_posts/c.md": ("published", ""),
        "_posts/_d.md": ("draft", ""),
    }


def test_a_vault(folder):
    receipts = import_folder(folder({
        ".obsidian/templates.json": '{"folder": "Meta/Forms"}',
        "Meta/Forms/daily.md": "---\npublish: true\n---\n{{date}}",
        "Templates/note.md": "# {{title}}",
        "a.md": "---\ntitle: A\n---\nSee [[b]].",
        "b.md": "---\ntitle: B\npublish: true\n---\nShown. %%Mine\n\nalone.%% More.",
        "c.md": "---\ntitle: C\npublish: maybe\n---\n",
    }))  # fmt: skip
    assert {receipt.origin: (str(receipt.outcome), receipt.standing) for receipt in receipts} == {
        "Meta/Forms/daily.md": ("skipped", ""),
        "Templates/note.md": ("skipped", ""),
        "a.md": ("created", "draft"),
        "b.md": ("created", ""),
        "c.md": ("created", "draft"),
    }
    shown = Post.objects.get(title="B")
    assert "Mine" in shown.body
    assert shown.text.split() == ["Shown.", "More."]
    for where in (shown.html.partition("<!--")[0], shown.excerpt):
        assert "Mine" not in where


def test_a_folder_of_linked_notes_is_a_vault(folder):
    found = read(folder, {"a.md": "# A\n\n![[b]]", "b.md": "# B"})
    assert {item.status for item in found.values()} == {"draft"}
    found = read(folder, {"a.md": "# A\n\n`[[b]]` and [[1, 2], [3]]", "b.md": "# B"}, "other")
    assert {item.status for item in found.values()} == {"published"}
    found = read(folder, {"astro.config.mjs": "", "a.md": "# A\n\n[[b]]", "b.md": "# B"}, "astro")
    assert {item.status for item in found.values()} == {"published"}


def test_notion(folder):
    sign = "0123456789abcdef0123456789abcdef"
    head = "# My page\n\nCreated: May 15, 2023\nTags: one, two\nStatus: {}\n\nText.\n"
    found = read(folder, {
        f"A {sign}.md": head.format("Published"),
        f"B {sign}.md": head.format("In progress"),
        f"C {sign}.md": "# Sub page\n\nText.\n",
    })  # fmt: skip
    assert [item.status for item in found.values()] == ["published", "draft", "draft"]
    page = found[f"A {sign}.md"]
    assert (page.title, page.body, page.tags) == ("My page", "Text.\n", ("one", "two"))
    assert page.published_at == datetime(2023, 5, 15, tzinfo=UTC)


def test_eleventys_directory_data(folder):
    text = "---\ntitle: x\n---\n"
    found = read(folder, {"posts/posts.json": '{"permalink": false}', "posts/a.md": text, "b.md": text})
    assert [item.status for item in found.values()] == ["published", "draft"]


def test_folders_of_nobodys_generator(folder):
    found = read(folder, {"drafts/a.md": "# A", "私密/b.md": "# B", "_parts/c.md": "# C", "Java/d.md": "# D"})
    assert {item.title: item.status for item in found.values()} == {
        "A": "draft",
        "B": "draft",
        "C": "draft",
        "D": "published",
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Open {% comment %} nobody {% endcomment %} text.", "Open text."),
        ("Open {%- comment -%}nobody -- sees\n\n- nobody\n\n# nobody\n{%- endcomment -%}\ntext.", "Open text."),
        ("{% comment %}nobody{% endcomment %} *Open* text.", "Open text."),
        ("> Open\n> {% comment %}\n> nobody\n> {% endcomment %}\n> text.", "Open text."),
        ("| Open {% comment %}no|body{% endcomment %} | text. |\n|-|-|", "Open text."),
        ("Open {{< comment >}}nobody{{< /comment >}} text.", "Open text."),
        ("Open {{% comment %}}\n\nnobody\n\n{{% /comment %}}\n\ntext.", "Open text."),
        ("Open `{% comment %}` text.", "Open {% comment %} text."),
    ],
)
def test_remarks_are_kept_and_not_shown(folder, text, shown):
    import_folder(folder(JEKYLL | {"_posts/2019-01-02-two.md": f"---\ntitle: Two\n---\n{text}\n"}))
    post = Post.objects.get(title="Two")
    assert ("nobody" in post.body.replace("&#124;", "")) == ("body" in text)
    assert " ".join(post.text.split()) == shown
    assert "nobody" not in post.excerpt
    assert "<em>" in post.html or "*" not in text


def test_hexos_remarks(folder):
    import_folder(folder({"_posts/a.md": "title: A\n---\nOpen {# nobody #} text {#id}\n"}, "hexo"))
    assert Post.objects.get(title="A").text == "Open text {#id}"


def test_many_marks_take_no_time(folder):
    started = time.process_time()
    for number, body in enumerate(("[hide] " * 50_000, "%%" * 50_000, "{# " * 50_000, "{% comment %}" * 5_000)):
        read(folder, {".obsidian/x": "", "a.md": body, "b.md": f"# B\n\n{body}"}, f"blog{number}")
    assert time.process_time() - started < 10


# -- what the command says ---------------------------------------------------------------------------------------------


def run(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("import_markdown", *map(str, arguments), stdout=out, no_color=True)
    return out.getvalue().splitlines()


def test_a_run_and_its_dry_run_say_what_is_not_public_and_why(folder):
    head = "---\ntitle: x\ndate: 2020-01-01\n{}\n---\n"
    root = folder({
        "a.md": head.format("draft: maybe"),
        "b.md": head.format("draft: true"),
        "c.md": head.format("publishDate: 2099-05-06T08:00:00Z"),
        "d.md": head.format("hideInList: true"),
        "e.md": head.format("password: sesame"),
        "f.md": head.format("status: private"),
        "g.md": head.format(""),
    })  # fmt: skip
    said = [
        "created    a.md: draft, line 4: draft: maybe (can't be read)",
        "created    b.md: draft, line 4: draft: true",
        "created    c.md: scheduled, public from 2099-05-06 08:00+00:00",
        "created    d.md: unlisted, line 4: hideInList: true",
        "created    e.md: password",
        "created    f.md: private, line 4: status: private",
        "created    g.md",
        "held back: 2 drafts, 1 scheduled, 1 unlisted (hideInList 1), 1 private (status 1), 1 behind a password",
    ]
    assert run(root, "--dry-run") == [*said, "7 created; 0 warnings (dry run: nothing stored)"]
    assert run(root) == [*said, "7 created; 0 warnings"]
    assert Post.objects.listed().count() == 2
    assert run(root) == [*(f"unchanged  {name}.md" for name in "abcdefg"), "7 unchanged; 0 warnings"]


# -- a first look ------------------------------------------------------------------------------------------------------

DATED = "---\ntitle: {title}\ndate: 2020-01-01\n{head}\n---\n{body}\n"


def test_a_first_look_brings_drafts_and_the_next_run_publishes_what_was_public(folder):
    files = {
        "_posts/a.md": DATED.format(title="A", head="", body="{% post_link b %}"),
        "_posts/b.md": DATED.format(title="B", head="", body="two"),
        "_posts/c.md": DATED.format(title="C", head="unlisted: true", body="three"),
    }
    root = folder(files)
    lines = run(root, "--status", "draft")
    assert lines[0] == "created    _posts/a.md: draft, as --status draft asks"
    assert lines[-2] == "held back: 3 drafts (--status 3)"
    assert set(Post.objects.values_list("status", flat=True)) == {"draft"}
    assert run(root, "--status", "draft")[-1] == "3 unchanged; 0 warnings"
    assert run(root)[-1] == "3 updated; 0 warnings"
    assert list(Post.objects.order_by("title").values_list("status", flat=True)) == [
        "published",
        "published",
        "unlisted",
    ]
    assert Post.objects.get(title="A").body.startswith("[B](")
    assert run(root)[-1] == run(root, "--status", "draft")[-1] == "3 unchanged; 0 warnings"


def test_a_first_look_closes_nothing_that_is_here(folder):
    root = folder({"a.md": DATED.format(title="A", head="", body="one")})
    run(root)
    folder({"a.md": DATED.format(title="A", head="", body="two"), "b.md": "# B"})
    assert [line[:8] for line in run(root, "--status", "draft")][:2] == ["updated ", "created "]
    assert dict(Post.objects.values_list("title", "status")) == {"A": "published", "B": "draft"}


def test_what_was_edited_after_the_first_look_waits_for_its_writer(folder):
    root = folder({"a.md": DATED.format(title="A", head="", body="one")})
    run(root, "--status", "draft")
    post = Post.objects.get()
    post.body = "edited here"
    post.save()
    assert run(root)[0] == "kept       a.md: edited here since, kept"
    assert Post.objects.get().status == "draft"
    post.publish()
    assert run(root)[0] == "unchanged  a.md"


# -- what was closed here ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["draft", "private", "unlisted"])
def test_no_run_opens_what_was_closed_here(folder, status):
    root = folder({"a.md": DATED.format(title="A", head="", body="one")})
    run(root)
    Post.objects.update(status=status)
    for body in ("two", "three"):
        folder({"a.md": DATED.format(title="A", head="", body=body)})
        lines = run(root, "--overwrite")
        assert lines[:2] == ["updated    a.md: " + status, f"           warning: stays {status}, as it was set here"]
        assert (Post.objects.get().status, Post.objects.get().body) == (status, f"{body}\n")
    folder({"a.md": DATED.format(title="A", head="", body="four")})
    run(root, "--status", "draft")
    folder({"a.md": DATED.format(title="A", head="", body="five")})
    run(root)
    assert (Post.objects.get().status, Post.objects.get().body) == (status, "five\n")


def test_a_password_and_a_time_set_here_stay(folder):
    root = folder({"a.md": DATED.format(title="A", head="", body="one")})
    run(root)
    Post.objects.update(password="sesame", published_at=FUTURE)
    for body in ("two", "three"):
        folder({"a.md": DATED.format(title="A", head="", body=body)})
        run(root, "--overwrite")
        post = Post.objects.get()
        assert (post.body, post.password, post.published_at) == (f"{body}\n", "sesame", FUTURE)


def test_a_password_taken_out_of_the_file_is_taken_out_here(folder):
    root = folder({"a.md": DATED.format(title="A", head="password: x", body="one")})
    run(root)
    folder({"a.md": DATED.format(title="A", head="", body="one")})
    run(root)
    assert Post.objects.get().password == ""


def test_a_file_that_is_held_back_later_closes_its_post_or_says_that_it_is_open(folder):
    root = folder(
        {"a.md": DATED.format(title="A", head="", body="one"), "b.md": DATED.format(title="B", head="", body="")}
    )
    run(root)
    post = Post.objects.get(title="B")
    post.title = "Edited here"
    post.save()
    folder({name: DATED.format(title=name[0].upper(), head="hidden: true", body="") for name in ("a.md", "b.md")})
    assert run(root)[:3] == [
        "updated    a.md: unlisted, line 4: hidden: true",
        "kept       b.md: edited here since, kept",
        "           warning: its file makes it unlisted, and here it is published",
    ]
    assert Post.objects.get(title="A").status == "unlisted"


def test_records_of_older_imports_do_not_open_what_was_closed(folder):
    root = folder({"a.md": DATED.format(title="A", head="", body="one")})
    run(root)
    ImportedPost.objects.update(status="")
    Post.objects.get().unpublish()
    folder({"a.md": DATED.format(title="A", head="", body="two")})
    run(root, "--overwrite")
    assert (Post.objects.get().status, Post.objects.get().body) == ("draft", "two\n")


# -- what leads there --------------------------------------------------------------------------------------------------


def test_old_addresses_and_titles_of_what_is_held_back_lead_nowhere(client, folder):
    import_folder(folder({
        "_posts/a.md": "title: Open\ndate: 2020-01-02\n---\n{% post_link b %} {% post_link c %}",
        "_posts/b.md": "title: A secret title\ndate: 2020-01-02\ndraft: true\npermalink: /b/\n---\n",
        "_posts/c.md": "title: A later title\ndate: 2020-01-02\npublishDate: 2099-01-01\npermalink: /c/\n---\n",
    }))  # fmt: skip
    assert client.get("/2020/01/02/a/").status_code == 301
    assert client.get("/b/").status_code == client.get("/c/").status_code == 404
    page = client.get(Post.objects.get(title="Open").get_absolute_url()).content.decode()
    assert "secret title" not in page
    assert "later title" not in page


def test_a_post_that_no_import_made_is_not_touched(folder):
    make_post(title="A", status="private")
    import_folder(folder({"a.md": DATED.format(title="A", head="", body="one")}))
    assert sorted(Post.objects.values_list("status", flat=True)) == ["private", "published"]
    assert Post.objects.listed(timezone.now()).count() == 1
