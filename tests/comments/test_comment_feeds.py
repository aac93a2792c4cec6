"""Feeds of comments, and the page of one's own."""

import feedparser
import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from apps.comments.mail.models import SilencedAuthor
from apps.comments.models import Comment
from apps.components.models import SiteIdentity
from apps.core.pages import store
from apps.posts.models import Post
from tests.factories import make_administrator, make_comment, make_post
from tests.languages import in_english

pytestmark = pytest.mark.django_db

FORMATS = ["feed/", "feed/atom/"]


def parsed(response):
    assert response.status_code == 200
    feed = feedparser.parse(response.content)
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


@pytest.fixture(autouse=True)
def _english() -> None:
    SiteIdentity(pk=1, title="Between the lines", language="en").save()
    store.drop()


@pytest.mark.parametrize("end", FORMATS)
def test_the_newest_comments_of_the_site_and_of_a_post(client: Client, end: str) -> None:
    post, other = make_post(title="On <walking> & more"), make_post(title="Other")
    for number in range(22):
        make_comment(post, f"Thought **{number}** ]]> [here](/about/).", author_name="Ada <b>")
    make_comment(other, "Elsewhere.")
    site = parsed(client.get(f"/comments/{end}"))
    assert site.feed.title == "Comments · Between the lines" and len(site.entries) == 20
    assert site.entries[0].title == "Ada on “Other”"
    entry = site.entries[1]
    assert entry.link == f"http://testserver{post.get_absolute_url()}?page=2#floor-22"
    assert entry.id == f"http://testserver/article/{post.pk}#floor-22"
    assert "<strong>21</strong>" in entry.content[0].value and entry.author == "Ada <b>"
    assert 'href="http://testserver/about/"' in entry.content[0].value
    own = parsed(client.get(f"/article/{post.pk}/comments/{end}"))
    assert own.feed.title == "Comments on “On <walking> & more”" and own.entries[0].id == entry.id
    assert len(own.entries) == 20 and "Elsewhere" not in str(own)
    assert "ada@example.com" not in client.get(f"/comments/{end}").content.decode()


@pytest.mark.parametrize("end", FORMATS)
@pytest.mark.parametrize("state", ["pending", "spam", "screened"])
def test_only_what_everybody_sees_is_in_them(client: Client, end: str, state: str) -> None:
    post = make_post()
    make_comment(post)
    Comment.objects.all().set_state(state)
    for address in (f"/comments/{end}", f"/article/{post.pk}/comments/{end}"):
        assert parsed(client.get(address)).entries == []


@pytest.mark.parametrize(
    "fields", [{"status": "draft"}, {"status": "private"}, {"status": "unlisted"}, {"password": "x"}]
)
def test_a_post_that_is_not_everybodys_has_none(client: Client, admin_client: Client, fields: dict) -> None:
    post = make_post()
    make_comment(post)
    Post.objects.update(**fields)
    for reader in (client, admin_client):
        assert reader.get(f"/article/{post.pk}/comments/feed/").status_code == 404
        assert parsed(reader.get("/comments/feed/")).entries == []
        assert "comments/feed" not in reader.get(post.get_absolute_url()).content.decode()
    for pk in ("0", "9" * 18):
        assert client.get(f"/article/{pk}/comments/feed/").status_code == 404


def test_the_post_names_its_feeds(client: Client) -> None:
    post = make_post(title='Quotes "here"')
    page = in_english(client).get(post.get_absolute_url()).content.decode()
    title = "Comments on “Quotes &#34;here&#34;”"
    address = f"/article/{post.pk}/comments/feed/"
    assert f'<link rel="alternate" type="application/rss+xml" title="{title}" href="{address}">' in page
    assert f'<link rel="alternate" type="application/atom+xml" title="{title} (Atom)" href="{address}atom/">' in page
    assert client.get(address).status_code == 200


CHANGES = {
    "added": lambda post: make_comment(post),
    "screened": lambda post: Comment.objects.all().set_state("screened"),
    "deleted": lambda post: Comment.objects.filter(floor=2).delete(),
    "edited": lambda post: Comment.objects.filter(floor=2).update(html="<p>Other words.</p>"),
    "renamed": lambda post: Post.objects.update(title="Another"),
}


@pytest.mark.parametrize("end", FORMATS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("start", "queries"), [("/", 1), ("/article/{}/", 2)])
def test_unchanged_they_answer_304_and_changed_never(
    client: Client, django_assert_num_queries, end: str, change: str, start: str, queries: int
) -> None:
    post = make_post()
    for _ in range(2):
        make_comment(post)
    address = f"{start.format(post.pk)}comments/{end}"
    client.get("/")
    with django_assert_num_queries(queries):
        first = client.get(address)
    known = [{"if-none-match": first["ETag"]}, {"if-modified-since": first["Last-Modified"]}]
    for headers in known:
        assert client.get(address, headers=headers).status_code == 304
    assert in_english(Client()).get(address).content == first.content
    CHANGES[change](post)
    store.drop()
    for headers in known:
        assert client.get(address, headers=headers).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_kept_feed_shows_the_next_comment(client: Client, settings) -> None:
    """Also the site's, when the comment is on a post that stands nowhere in it and the numbers stay the same."""
    old, post = make_post(), make_post()
    for _ in range(21):
        make_comment(post)
    gone = make_comment(old, "An old one.")
    Comment.objects.filter(pk=gone.pk).update(created_at="2020-01-01T00:00Z")
    assert len(parsed(client.get("/comments/feed/")).entries) == 20
    assert parsed(client.get(f"/article/{post.pk}/comments/feed/")).entries[0].title == "Ada · #21"
    gone.delete()
    make_comment(old, "News.")
    assert "News." in client.get("/comments/feed/").content.decode()
    make_comment(post, "News, too.")
    assert "News, too." in client.get(f"/article/{post.pk}/comments/feed/").content.decode()


# -- One's own -----------------------------------------------------------------------------------------------------


def test_ones_own_comments_by_page(django_assert_num_queries) -> None:
    user, other = (get_user_model().objects.create_user(name) for name in ("ada", "bob"))
    post = make_post(title="On walking")
    for number in range(25):
        make_comment(post, f"Mine {number}.", user=user)
    make_comment(post, "Not mine.", user=other)
    Comment.objects.filter(floor=25).set_state("spam")
    Comment.objects.filter(floor=24).set_state("screened")
    client = in_english(Client())
    assert client.get("/comments/mine/")["Location"] == "/admin/login/?next=/comments/mine/"
    client.force_login(user)
    client.get("/")
    with django_assert_num_queries(5):  # session, account, how many, which, whether an author
        page = client.get("/comments/mine/").content.decode()
    assert "Mine 24." in page and "Mine 5." in page and "Mine 4." not in page and "Not mine." not in page
    assert page.count(">Pending<") == 1 and page.count(">Hidden<") == 1 and "spam" not in page
    assert "Mine 4." in client.get("/comments/mine/?page=2").content.decode()
    assert client.get("/comments/mine/?page=3").status_code == 404
    assert f'href="{post.floor_url(23)}"' in page
    Post.objects.update(status="private")
    assert f'href="{post.floor_url(23)}"' not in client.get("/comments/mine/").content.decode()


def test_who_is_signed_in_finds_the_way_there(client: Client, admin_client: Client) -> None:
    post = make_post()
    for reader, finds in ((client, False), (admin_client, True)):
        assert ("/comments/mine/" in reader.get(post.get_absolute_url()).content.decode()) is finds


def test_an_author_switches_mail_off_and_on() -> None:
    author = make_administrator()
    client = in_english(Client())
    client.force_login(author)
    assert "Turn off" not in client.get("/comments/mine/").content.decode()
    make_post(author=author)
    assert "Turn off" in client.get("/comments/mine/").content.decode()
    client.post("/comments/mine/", {"mail": "off"})
    assert SilencedAuthor.objects.get().user == author
    assert "Turn on" in client.get("/comments/mine/").content.decode()
    client.post("/comments/mine/", {"mail": "on"})
    assert not SilencedAuthor.objects.exists()
