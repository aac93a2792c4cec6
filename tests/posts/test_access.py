"""What accounts may do with posts that are not public, and the addresses of unlisted ones."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from apps.comments.models import Comment
from apps.posts.models import OldAddress, Post
from apps.posts.secret_slugs import has_secret, with_secret, without_secret
from apps.posts.visibility import may_see_unpublished
from tests.factories import make_administrator, make_comment, make_post
from tests.readers import USERS, make_user, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", USERS)
def test_hidden_comments_are_read_by_moderators_and_by_those_who_see_everything(who: str) -> None:
    make, sees_all = USERS[who]
    client = signed_in(make())
    post = make_post()
    make_comment(post, "What was hidden.")
    Comment.objects.all().set_state("screened")
    expected = sees_all or who == "a moderator"
    for address in (post.get_absolute_url(), f"/article/{post.pk}/comment/floors/?after=0&to=1"):
        assert ("What was hidden." in client.get(address).content.decode()) is expected
    assert "What was hidden." not in client.get("/comments/feed/").content.decode()


def test_a_moderator_decides_only_under_posts_that_they_may_read() -> None:
    client = signed_in(make_user("comments.change_comment", "comments.view_comment", is_staff=True))
    hidden = [
        make_post(title="Hidden title", **fields)
        for fields in ({"status": "draft"}, {"status": "private"}, {"status": "unlisted"}, {"password": "x"})
    ]
    shown = make_post(title="Shown title")
    for post in (*hidden, shown):
        comment = make_comment(post, "Hidden words." if post in hidden else "Shown words.")
        answer = client.post(f"/article/{post.pk}/comment/1/moderate/", {"decision": "screen"})
        assert answer.status_code == (302 if post == shown else 404)
        assert post.slug not in answer.headers.get("Location", "") or post == shown
        page = client.get(f"/admin/comments/comment/{comment.pk}/change/")
        assert page.status_code == (200 if post == shown else 302)
        assert Comment.objects.get(pk=comment.pk).state == ("screened" if post == shown else "visible")
    unlisted = hidden[2]
    answer = client.post(f"/article/{unlisted.reference}/comment/1/moderate/", {"decision": "screen"})
    assert answer.status_code == 302  # who has the whole address moderates there
    queue = client.get("/admin/comments/comment/").content.decode()
    assert "Shown words." in queue and "Hidden" not in queue


@pytest.mark.parametrize("permissions, has_badge", [
    ((), False), (("comments.change_comment",), False), (("posts.view_post",), False), (("posts.add_post",), True),
    (("posts.change_post",), True),
])  # fmt: skip
def test_the_badge_is_for_those_who_write_here(permissions: tuple[str, ...], has_badge: bool) -> None:
    user = make_user(*permissions, is_staff=True)
    assert make_comment(make_post(), user=user).by_administrator is has_badge
    assert make_comment(make_post(), user=make_administrator()).by_administrator


def test_an_account_that_was_switched_off_sees_nothing() -> None:
    assert not may_see_unpublished(make_administrator(is_active=False))


@pytest.mark.parametrize("who, queries", [("anonymous", 0), ("a superuser", 0), ("staff who may view posts", 2)])
def test_the_right_costs_two_queries_at_most(who: str, queries: int, django_assert_num_queries) -> None:
    from django.contrib.auth.models import AnonymousUser

    user = USERS[who][0]() or AnonymousUser()
    user = user if user.is_anonymous else type(user)._default_manager.get(pk=user.pk)
    with django_assert_num_queries(queries):
        for _ in range(3):
            may_see_unpublished(user)


# -- The addresses of unlisted posts -----------------------------------------------------------------------------------


def test_an_unlisted_post_gets_a_slug_that_nobody_guesses() -> None:
    posts = [make_post(title="My notes", status="unlisted") for _ in range(20)]
    slugs = {post.slug for post in posts}
    assert len(slugs) == 20 and all(slug.startswith("my-notes-") and len(slug) == 21 for slug in slugs)
    long = make_post(title="长" * 150, status="unlisted")
    assert has_secret(long.slug) and len(long.slug) == 100
    assert has_secret(make_post(title="🎉", status="unlisted").slug)


@pytest.mark.parametrize("slug", [
    "my-javascript", "notes-of-2026", "order-234567892345", "strengths", "bcdfghjkmnpq", "my-bcdfghjkmnp", "数据库",
    "deploy-kubernetes-x", "rhythm-and-blues",
])  # fmt: skip
def test_no_ordinary_slug_is_taken_for_a_secret_one(slug: str) -> None:
    assert not has_secret(slug) and without_secret(slug) == slug
    assert has_secret(with_secret(slug)) and without_secret(with_secret(slug)) == slug


def test_the_ending_stays_until_the_post_is_published() -> None:
    post = make_post(title="Notes", status="unlisted")
    first = post.slug
    post = Post.objects.get(pk=post.pk)
    for slug in (first, "notes", ""):  # as a form, or an import, sends it
        post.slug = slug
        post.save()
        assert Post.objects.get(pk=post.pk).slug == first
    post.unpublish()
    assert post.slug == first
    post.status = Post.Status.UNLISTED
    post.save(update_fields=["status"])
    assert Post.objects.get(pk=post.pk).slug == first
    post.publish()
    assert Post.objects.get(pk=post.pk).slug == "notes"
    assert Client().get(f"/article/{post.pk}/{first}/")["Location"] == post.get_absolute_url()
    post.status = Post.Status.UNLISTED
    post.save()
    assert has_secret(post.slug) and post.slug != first


def test_what_was_public_has_no_address_that_somebody_knows() -> None:
    post = make_post(title="Notes")
    public = post.get_absolute_url()
    OldAddress.objects.create(path=public, post=post)
    post = Post.objects.get(pk=post.pk)
    post.status = Post.Status.UNLISTED
    post.save()
    client = Client()
    assert client.get(post.get_absolute_url()).status_code == 200
    for path in (public, f"/article/{post.pk}", f"/article/{post.pk}/", post.get_absolute_url().upper()):
        assert client.get(path).status_code == 404, path
    assert client.get(f"{post.get_absolute_url()}?page=1&utm_source=x").status_code == 200


def test_the_page_of_an_unlisted_post_works_for_those_who_have_its_address() -> None:
    post = make_post(status="unlisted")
    client = Client()
    page = client.get(post.get_absolute_url()).content.decode()
    for path in ("comment/?part", "comment/floors/", "reactions/"):
        assert f"/article/{post.reference}/{path}" in page
    assert f'data-live="/ws/article/{post.reference}/"' in page and f'data-post="{post.reference}"' in page
    assert f"/article/{post.pk}/c" not in page and f"/article/{post.pk}/r" not in page
    form = client.get(f"/article/{post.reference}/comment/").content.decode()
    assert f'action="/article/{post.reference}/comment/"' in form
    sent = {"author_name": "Ada", "author_email": "ada@example.com", "body": "A thought."}
    answer = client.post(f"/article/{post.reference}/comment/", sent)
    assert answer.status_code == 302 and Comment.objects.filter(post=post).exists()
    assert client.get(f"/article/{post.reference}/comment/1/edit/").status_code == 200
    assert client.get(f"/article/{post.pk}/comment/1/edit/").status_code == 404
    deleted = client.post(f"/article/{post.reference}/comment/1/delete/")
    assert deleted.status_code == 302 and not Comment.objects.filter(post=post).exists()


def test_an_account_that_commented_is_told_no_new_address() -> None:
    post, user = make_post(title="Notes"), make_user()
    make_comment(post, user=user)
    post.status = Post.Status.UNLISTED
    post.save()
    assert post.slug not in signed_in(user).get("/comments/mine/").content.decode()


def test_stored_unlisted_posts_get_a_secret_slug_and_keep_the_address_that_was_passed_on() -> None:
    post, done, public = make_post(title="Notes"), make_post(status="unlisted"), make_post()
    Post.objects.filter(pk=post.pk).update(status="unlisted", slug="笔记")
    migration = MigrationExecutor(connection).loader.get_migration("posts", "0009_unlisted_addresses")
    from django.apps import apps

    for _ in range(2):  # safe to run twice
        migration.operations[0].code(apps, None)
    post, slugs = Post.objects.get(pk=post.pk), dict(Post.objects.values_list("pk", "slug"))
    assert has_secret(post.slug) and without_secret(post.slug) == "笔记"
    assert (slugs[done.pk], slugs[public.pk]) == (done.slug, public.slug)
    client = Client()
    assert client.get(f"/article/{post.pk}/笔记/")["Location"] == post.get_absolute_url()
    for path in (f"/article/{post.pk}/", f"/article/{post.pk}", f"/article/{post.pk}/wrong/"):
        assert client.get(path).status_code == 404, path
    assert list(OldAddress.objects.values_list("post", flat=True)) == [post.pk]
