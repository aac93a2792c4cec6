"""Lists and posts as readers see them, and what each page costs."""

import datetime
import random
import re

import pytest
from django.test import Client
from django.utils import timezone

from apps.components.models import MenuItem
from apps.core.pages import store
from apps.posts.models import OldAddress, Post, Source, Tag
from tests.factories import make_administrator, make_category, make_comment, make_post, make_posts
from tests.languages import in_english

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    return response.content.decode()


def titles(response) -> list[str]:
    return re.findall(r"<h2><a href=[^>]+>([^<]+)</a>", text_of(response))


def test_home_lists_ten_posts_newest_first_with_their_facts(client: Client) -> None:
    now = timezone.now()
    for age in range(12):
        make_post(title=f"Aged {age}", published_at=now - datetime.timedelta(days=age), body=f"Words of {age}.")
    newest = Post.objects.get(title="Aged 0")
    make_comment(newest)
    Post.objects.filter(pk=newest.pk).update(view_count=321)
    page = in_english(client).get("/")
    assert titles(page) == [f"Aged {age}" for age in range(10)]
    first = text_of(page).split("<article")[1]
    assert "321" in first and "views" in first
    assert ">1 comment<" in first
    assert "Original" in first and "Uncategorized" in first and "Words of 0." in first
    assert timezone.localdate(now).isoformat() in first
    assert titles(client.get("/?page=2")) == ["Aged 10", "Aged 11"]


def test_pinned_posts_stand_first_on_the_home_page_alone(client: Client) -> None:
    old = make_post(title="Old", pinned=True, published_at=timezone.now() - datetime.timedelta(days=9))
    make_post(title="New")
    assert titles(client.get("/")) == ["Old", "New"]
    assert titles(client.get("/archive/")) == ["New", "Old"]
    assert old.get_absolute_url() in text_of(client.get("/"))


@pytest.mark.parametrize("number", ["0", "-1", "3", "x", "", "1.5", "٣", "99999999999999999999", "1%00", "1;DROP", "²"])
@pytest.mark.parametrize("address", ["/", "/archive/", "/search/?q=Post"])
def test_a_bad_page_number_is_a_404(client: Client, address: str, number: str) -> None:
    make_posts(11)
    joint = "&" if "?" in address else "?"
    assert client.get(f"{address}{joint}page={number}").status_code == 404


def test_the_pager_shows_ends_neighbours_and_ellipses(client: Client) -> None:
    make_posts(91)
    pager = re.search(r'<nav class="pager".*?</nav>', text_of(client.get("/?page=5")), re.S)[0]
    assert re.findall(r">([0-9]+|…)<", pager) == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"][:7] + ["…", "10"]
    assert 'href="/"' in pager  # page 1 has one address


def test_category_source_and_tag_lists_hold_their_own(client: Client) -> None:
    python = make_category("Python 语言", introduction="所有蛇")
    mine = make_post(category=python, tags=("C++",), source=Source.objects.get(name="翻译"))
    make_post(tags=("C#",))
    page = client.get(python.get_absolute_url())
    assert titles(page) == [mine.title] and "所有蛇" in text_of(page)
    assert titles(client.get("/source/3/")) == [mine.title]
    assert titles(client.get(Tag.objects.get(name="C++").get_absolute_url())) == [mine.title]


def test_a_hidden_category_is_out_of_the_navbar_and_readable(client: Client) -> None:
    hidden = make_category("Secret shelf", hidden=True)
    shown = make_category("Open shelf")
    post = make_post(category=hidden)
    store.drop()
    navbar = re.search(r"<header class=\"navbar.*?</header>", text_of(client.get("/")), re.S)[0]
    assert "Open shelf" in navbar and "Secret shelf" not in navbar
    assert titles(client.get(hidden.get_absolute_url())) == [post.title]
    assert MenuItem.objects.count() == 0 and shown.get_absolute_url() in navbar


def test_archive_by_year_and_month_in_the_sites_time_zone(client: Client) -> None:
    # 18:00 UTC on the last day of the year is next year in Shanghai.
    moment = datetime.datetime(2019, 12, 31, 18, 0, tzinfo=datetime.UTC)
    post = make_post(published_at=moment)
    assert titles(client.get("/archive/2020/")) == [post.title]
    assert titles(client.get("/archive/2020/01/")) == [post.title]
    assert client.get("/archive/2019/").status_code == client.get("/archive/2020/02/").status_code == 404
    assert client.get("/archive/2020/13/").status_code == 404
    assert "2020-01" in text_of(client.get("/archive/"))


@pytest.mark.parametrize("status, listed, by_link, for_staff", [
    ("published", True, 200, 200),
    ("unlisted", False, 200, 200),
    ("draft", False, 404, 200),
    ("private", False, 404, 200),
])  # fmt: skip
def test_who_sees_which_status(
    client: Client, admin_client: Client, status: str, listed: bool, by_link: int, for_staff: int
) -> None:
    post = make_post(status=status)
    assert (post.title in titles(client.get("/"))) is listed
    assert client.get(post.get_absolute_url()).status_code == by_link
    assert admin_client.get(post.get_absolute_url()).status_code == for_staff
    assert (post.title in text_of(client.get("/feed/"))) is listed


def test_a_scheduled_post_appears_when_its_time_comes(client: Client) -> None:
    post = make_post(published_at=timezone.now() + datetime.timedelta(hours=1))
    assert client.get(post.get_absolute_url()).status_code == 404 and titles(client.get("/")) == []
    Post.objects.filter(pk=post.pk).update(published_at=timezone.now())
    assert client.get(post.get_absolute_url()).status_code == 200 and titles(client.get("/")) == [post.title]


def test_a_password_guards_the_text_everywhere(client: Client) -> None:
    post = make_post(title="Guarded", body="The treasure is buried here.", password="开门")
    places = ("/", "/feed/", "/feed/json/", "/search/?q=treasure", post.get_absolute_url())
    assert not any("treasure is buried" in text_of(client.get(place)) for place in places)
    assert client.get(f"/article/{post.pk}/comment/").status_code == 302
    assert client.post(post.get_absolute_url(), {"password": "wrong"}).status_code == 403
    assert client.post(post.get_absolute_url(), {"password": "开门"}).status_code == 302
    assert "treasure is buried" in text_of(client.get(post.get_absolute_url()))
    Post.objects.filter(pk=post.pk).update(password="changed")
    assert "treasure is buried" not in text_of(client.get(post.get_absolute_url()))


def test_the_post_page_shows_rendered_markdown_and_its_origin(client: Client) -> None:
    post = make_post(
        title="Emoji 🎉 标题",
        body="# One\n\n**bold** <script>alert(1)</script>\n\n## Two\n\n### Three\n",
        original_url="https://example.com/original",
        tags=("Tag One",),
    )
    page = text_of(client.get(post.get_absolute_url()))
    assert "<strong>bold</strong>" in page and "alert(1)</script>" not in page
    assert "Emoji 🎉 标题" in page and "https://example.com/original" in page and "Tag One" in page
    assert page.count('class="toc-') == 3


def test_the_id_decides_and_the_slug_is_put_right(client: Client) -> None:
    post = make_post(title="数据库 调优")
    right = post.get_absolute_url()
    assert right.startswith(f"/article/{post.pk}/") and client.get(right).status_code == 200
    for wrong in (f"/article/{post.pk}/wrong/?page=1", f"/article/{post.pk}/", f"/article/{post.pk}"):
        response = client.get(wrong)
        assert (response.status_code, response["Location"].split("?")[0]) == (301, right)


def test_old_addresses_answer_301(client: Client) -> None:
    posts = make_posts(21)
    category = posts[0].category
    address = category.get_absolute_url()
    for old, new in {
        f"/article/{posts[0].pk}": posts[0].get_absolute_url(),
        f"/article/{posts[0].pk}?pageNo=-1": posts[0].get_absolute_url(),
        f"/type/{category.pk}/articles": address,
        f"/type/{category.pk}/articles?pageNo=2": f"{address}?page=2",
        f"/type/{category.pk}/articles?pageNo=-1": f"{address}?page=3",
        "/source/1/articles": "/source/1/",
        "/source/1/articles?pageNo=-2": "/source/1/?page=2",
        "/?pageNo=-1": "/?page=3",
        "/?pageNo=-99": "/",
        "/?pageNo=zzz": "/",
        "/super/init": "/setup/",
    }.items():
        response = client.get(old)
        assert (response.status_code, response["Location"]) == (301, new), old


def test_an_imports_old_address_leads_to_the_post(client: Client) -> None:
    post = make_post()
    draft = make_post(status="draft")
    OldAddress.objects.create(path="/2013/12/24/你好/", post=post)
    OldAddress.objects.create(path="/secret/", post=draft)
    for path in ("/2013/12/24/你好/", "/2013/12/24/你好"):
        response = client.get(path)
        assert (response.status_code, response["Location"]) == (301, post.get_absolute_url())
    assert client.get("/secret/").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/article/999999/", "/article/999999999999999999/x/", "/article/99999999999999999999999/x/", "/article/0/x/",
     "/category/999/x/", "/source/999/", "/tag/none/", "/tag/%00/", "/nowhere", "/%00", "/static/none.css",
     "/media/none.png", "/media/../settings.py", "/" + "a" * 600, "/article/1/comment/", "/archive/0000/00/",
     "/media/" + "x" * 300],
)  # fmt: skip
def test_what_is_not_there_is_a_readable_404(client: Client, path: str) -> None:
    response = in_english(client).get(path)
    assert response.status_code == 404
    assert "Page not found." in text_of(response) and "Traceback" not in text_of(response)


def test_search_finds_words_in_title_text_and_tags(client: Client) -> None:
    by_title = make_post(title="数据库调优")
    by_text = make_post(body="讲讲 **数据库** 的索引。")
    by_tag = make_post(tags=("数据库",))
    make_post()
    page = text_of(client.get("/search/?q=数据库"))
    places = [page.index(f'<h2><a href="{post.get_absolute_url()}">') for post in (by_title, by_tag, by_text)]
    assert places == sorted(places) and page.count("<h2><a") == 3
    assert titles(client.get("/search/?q=数据库 索引")) == [by_text.title]
    for odd in ("%00", "'\"%", "a" * 10_000, "🎉", "", "%25", "_"):
        assert client.get(f"/search/?q={odd}").status_code == 200


# Queries with warm site components; the components themselves are pinned in tests/components.
PAGE_QUERIES = {
    "home": 1,
    "category": 1,
    "source": 1,
    "tag": 1,
    "tags": 0,
    "archive": 1,
    "month": 1,
    "search": 3,
    "feed": 1,
    "post": 1,
}


def _addresses() -> dict[str, str]:
    post = Post.objects.get(title="Pinned down")
    return {
        "home": "/",
        "category": post.category.get_absolute_url(),
        "source": "/source/1/",
        "tag": "/tag/common/",
        "tags": "/tags/",
        "archive": "/archive/",
        "month": f"/archive/{timezone.localdate():%Y/%m}/",
        "search": "/search/?q=Text",
        "feed": "/feed/",
        "post": post.get_absolute_url(),
    }


def test_queries_per_page_don_t_grow_with_the_rows(client: Client, django_assert_num_queries) -> None:
    post = make_post(title="Pinned down", tags=("common", "rare"))
    make_posts(11, tags=("common",))
    make_comment(post)

    def look() -> None:
        for name, address in _addresses().items():
            client.get(f"{address}{'&' if '?' in address else '?'}mine")  # warms the components, and is not kept
            with django_assert_num_queries(PAGE_QUERIES[name], info=name):
                assert client.get(address).status_code == 200

    look()
    for other in make_posts(110, tags=("common", "other")):
        make_comment(other)
    for _ in range(10):
        make_comment(post, reply_to_floor=1)
    store.drop()
    look()


def test_queries_with_everything_expired(client: Client, django_assert_max_num_queries) -> None:
    make_post(title="Pinned down", tags=("common", "rare"))
    for rows in (11, 110):
        for post in make_posts(rows, tags=("common", "other")):
            make_comment(post)
        addresses = _addresses()
        for name in ("home", "category", "archive", "feed", "post"):
            store.drop()
            # the snapshot, the page, what its tags were given to last
            with django_assert_max_num_queries(3, info=name):
                assert client.get(addresses[name]).status_code == 200


def test_related_posts_share_the_most_tags_then_the_category(client: Client) -> None:
    shelf = make_category("Shelf")
    beside = make_post(title="Beside", category=shelf)
    make_post(title="Draft", tags=("a", "b"), status="draft")
    make_post(title="Elsewhere")
    one, two = make_post(title="One tag", tags=("a", "x")), make_post(title="Two tags", tags=("a", "b"))
    post = make_post(title="Middle", category=shelf, tags=("a", "b", "c"))
    last = make_post(title="Last of all", tags=("y",))
    page = text_of(client.get(post.get_absolute_url()))
    related = re.search(r'<section class="related">.*?</section>', page, re.S)[0]
    assert re.findall(r'<a href="[^"]+">([^<]+)</a>', related) == [two.title, one.title, beside.title]
    assert re.findall(r'rel="(?:prev|next)" href="([^"]+)"', page) == [two.get_absolute_url(), last.get_absolute_url()]


def test_from_every_post_one_comes_to_the_one_before_and_the_one_after(client: Client) -> None:
    now = timezone.now()
    # In fours at the same moment, as from an import that knows days alone.
    posts = [
        make_post(title=f"Day {n // 4}, {n}", published_at=now - datetime.timedelta(20 - n // 4)) for n in range(26)
    ]
    make_post(title="Tomorrow", published_at=now + datetime.timedelta(1))
    addresses = [post.get_absolute_url() for post in posts]
    for number in random.Random(1).sample(range(26), 26):
        page = text_of(client.get(addresses[number]))
        expected = [("prev", address) for address in addresses[:number][-1:]]
        expected += [("next", address) for address in addresses[number + 1 :][:1]]
        assert re.findall(r'rel="(prev|next)" href="([^"]+)"', page) == expected


def test_the_tags_of_one_post_are_known_for_the_next(client: Client, django_assert_num_queries) -> None:
    one, two = make_post(tags=("a", "b")), make_post(tags=("b", "a"))
    client.get(one.get_absolute_url())
    with django_assert_num_queries(1):
        client.get(two.get_absolute_url())


def test_the_page_of_an_anonymous_reader_is_the_same_for_all(client: Client) -> None:
    post = make_post()
    make_comment(post)
    for address in ("/", post.get_absolute_url()):
        first, second = client.get(address), Client().get(address)
        assert first.content == second.content and not first.cookies and "csrf" not in text_of(first)


def test_the_administrators_page_says_who_sees_a_draft(admin_client: Client) -> None:
    draft = make_post(status="draft")
    page = in_english(admin_client).get(draft.get_absolute_url())
    assert "Only administrators can see this post." in text_of(page)


def test_no_get_writes(client: Client, django_assert_num_queries) -> None:
    make_administrator()
    post = make_post()
    before = list(Post.objects.values())
    for address in ("/", post.get_absolute_url(), f"/article/{post.pk}/comment/", "/feed/"):
        client.get(address)
    assert list(Post.objects.values()) == before
