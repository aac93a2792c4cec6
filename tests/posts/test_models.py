"""The invariants of a post."""

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db.models import F, ProtectedError
from django.test import Client
from django.utils import timezone

from apps.posts.models import Category, Post, Tag
from apps.posts.rendering.markdown import RENDERER_VERSION
from apps.posts.search import index
from apps.posts.search.query import search
from apps.posts.services import correct_months, rerender_stale
from apps.posts.slugs import slugify
from blog_xtg.celery import app
from tests.factories import make_category, make_post

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text, slug", [
    ("Hello, World!", "hello-world"),
    ("数据库 调优（一）", "数据库-调优-一"),
    ("C++", "c-plus-plus"),
    ("C#", "c-sharp"),
    ("ＦＵＬＬ　Ｗｉｄｔｈ", "full-width"),
    ("🎉", ""),
    ("a" * 300, "a" * 100),
    ("__init__.py", "init-py"),
])  # fmt: skip
def test_slugs(text: str, slug: str) -> None:
    assert slugify(text) == slug


def test_saving_renders_and_an_edit_renders_anew() -> None:
    post = make_post(body="**one**")
    assert "<strong>one</strong>" in post.html and post.excerpt == "one" and post.renderer_version == RENDERER_VERSION
    post.body = "*two*"
    post.save()
    post = Post.objects.get(pk=post.pk)
    assert "<em>two</em>" in post.html and post.text == "two"


def test_a_summary_stands_before_the_text() -> None:
    assert make_post(body="Body.", summary="Mine.").excerpt == "Mine."


def test_updated_at_moves_by_edits_alone() -> None:
    post = make_post()
    first = Post.objects.get(pk=post.pk).updated_at
    Post.objects.filter(pk=post.pk).update(view_count=F("view_count") + 1)
    post = Post.objects.get(pk=post.pk)
    post.pinned = True
    post.save()
    post.unpublish()
    post.publish()
    post.move_to(make_category())
    post.rerender()
    assert Post.objects.get(pk=post.pk).updated_at == first
    post = Post.objects.get(pk=post.pk)
    post.title = "Another"
    post.save()
    assert Post.objects.get(pk=post.pk).updated_at > first


def test_saving_an_old_copy_sets_no_counter_back() -> None:
    post = Post.objects.get(pk=make_post().pk)
    Post.objects.filter(pk=post.pk).update(view_count=5, comment_count=2, last_floor=3)
    post.title = "Edited meanwhile"
    post.save()
    assert Post.objects.values_list("view_count", "comment_count", "last_floor").get(pk=post.pk) == (5, 2, 3)


def test_publishing_pulls_a_time_to_come_forward_and_keeps_one_that_passed() -> None:
    past = timezone.now() - datetime.timedelta(days=3)
    scheduled = make_post(published_at=timezone.now() + datetime.timedelta(days=3))
    draft = make_post(status="draft", published_at=past)
    for post in (scheduled, draft):
        post.publish()
        assert Post.objects.get(pk=post.pk).is_public
    assert Post.objects.get(pk=draft.pk).published_at == past


def test_deleting_a_category_moves_its_posts_to_the_protected_one() -> None:
    category = make_category()
    posts = [make_post(category=category), make_post(category=category)]
    Category.objects.filter(pk=category.pk).delete()
    assert {Post.objects.get(pk=post.pk).category for post in posts} == {Category.objects.default()}
    for delete in (Category.objects.default().delete, Category.objects.all().delete):
        with pytest.raises(ProtectedError):
            delete()
    assert Category.objects.default().hidden


def test_a_big_body_and_an_emoji_title_survive() -> None:
    line = "这一段文字反复出现，直到五兆字节。🎉\n\n"
    body = line * (5 * 1024 * 1024 // len(line.encode()))
    post = make_post(title="🎉𠮷" * 100, body=body)
    stored = Post.objects.get(pk=post.pk)
    assert stored.body == body and stored.title == "🎉𠮷" * 100 and "五兆字节" in stored.html


def test_tags_of_one_slug_are_one_tag() -> None:
    post = make_post(tags=("Python", "python", " PYTHON ", "数据库"))
    assert sorted(tag.name for tag in post.tags.all()) == ["Python", "数据库"]
    assert Tag.objects.named(["python"])[0].name == "Python"
    with pytest.raises(ValidationError):
        Tag(name="🎉").full_clean()


@pytest.mark.parametrize("title", ["Comment", "Reactions"])
def test_a_post_leaves_the_addresses_alone_of_what_hangs_on_posts(client: Client, title: str) -> None:
    post = make_post(title=title)
    page = client.get(post.get_absolute_url())
    assert page.status_code == 200 and f"<h1>{title}</h1>" in page.content.decode()


def test_stale_posts_are_rendered_anew_and_only_they() -> None:
    stale, fresh = make_post(body="**x**"), make_post()
    Post.objects.filter(pk=stale.pk).update(html="old", renderer_version=0)
    before = Post.objects.get(pk=stale.pk).updated_at
    assert rerender_stale() == 1
    stale.refresh_from_db()
    assert "<strong>" in stale.html and stale.updated_at == before and fresh.renderer_version == RENDERER_VERSION


@pytest.mark.parametrize("status", Post.Status.values)
def test_a_new_release_of_the_renderer_reaches_each_post_by_the_schedule(status: str) -> None:
    post = make_post(body="先写 <zzquux>，后面的话。", status=status)
    old = {
        "html": "<p>先写</p>",
        "toc": [],
        "text": "先写",
        "excerpt": "先写",
        "renderer_version": RENDERER_VERSION - 1,
    }
    Post.objects.filter(pk=post.pk).update(**old)
    index.write(list(Post.objects.to_index([post.pk])))
    due = next(entry for entry in app.conf.beat_schedule.values() if entry["task"].endswith("rerender_stale_posts"))
    app.autodiscover_tasks(force=True)
    assert app.tasks[due["task"]]() == 1
    post.refresh_from_db()
    assert post.text == post.excerpt == "先写 <zzquux>，后面的话。" and "&lt;zzquux&gt;" in post.html
    # Publishing writes no index: the word is there because the job put it there.
    post.publish()
    assert [hit.post.pk for hit in search("zzquux", limit=5).hits] == [post.pk]


def test_rendering_anew_keeps_an_edit_made_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_post(body="one"), make_post(body="old")
    Post.objects.update(renderer_version=0)
    rerender = Post.rerender

    def edit_meanwhile(post: Post) -> None:
        rerender(post)
        if post.pk == first.pk:
            edited = Post.objects.get(pk=second.pk)
            edited.body = "new"
            edited.save()

    monkeypatch.setattr(Post, "rerender", edit_meanwhile)
    rerender_stale()
    assert "new" in Post.objects.get(pk=second.pk).html


def test_each_edit_of_one_object_moves_updated_at() -> None:
    post = make_post()
    moments = [post.updated_at]
    for title in ("Second", "Third"):
        post.title = title
        post.save()
        moments.append(Post.objects.get(pk=post.pk).updated_at)
    assert moments == sorted(set(moments))


def test_a_new_time_zone_moves_posts_to_its_months(settings) -> None:
    post = make_post(published_at=datetime.datetime(2026, 1, 31, 20, tzinfo=datetime.UTC))
    assert post.published_month == 202602
    settings.TIME_ZONE = "America/New_York"
    assert correct_months() == 1
    assert Post.objects.get(pk=post.pk).published_month == 202601
    assert correct_months() == 0


def test_different_words_are_different_tags() -> None:
    assert len(Tag.objects.named(["はし", "ばし", "cafe", "café"])) == 4
