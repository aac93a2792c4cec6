"""The owner looks at the numbers, in the admin and in a spreadsheet."""

import csv
import datetime
import io

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from apps.posts.models import Post
from apps.stats.models import DailyReferrer, DailyViews, PostDailyViews
from apps.stats.services import site_day
from tests.factories import make_administrator, make_post
from tests.languages import in_english

PAGE = "/admin/stats/dailyviews/"


def fill(days: int = 400) -> None:
    """Numbers for so many days; some titles and hosts that a spreadsheet would take for formulas."""
    titles = (
        "=HYPERLINK(1)",
        "+1",
        "普通的标题",
        "A very long title that has to be broken somewhere on a small screen",
    )
    posts = [make_post(title=title) for title in titles]
    today = site_day()
    for number in range(days):
        day = today - datetime.timedelta(days=number)
        pv = 40 + number * 37 % 90
        DailyViews.objects.create(day=day, pv=pv, uv=pv // 3, robots=number % 50)
        for share, post in enumerate(posts, start=2):
            PostDailyViews.objects.create(post=post, day=day, views=pv // share)
        for kind, name in (("engine", "Google"), ("engine", "Baidu"), ("host", "example.com"), ("other", "")):
            DailyReferrer.objects.create(day=day, kind=kind, name=name, views=1 + len(name))


@pytest.fixture
def owner() -> Client:
    client = in_english(Client())
    client.force_login(make_administrator())
    return client


def export(owner: Client, name: str, days: int = 7) -> list[list[str]]:
    answer = owner.get(f"{PAGE}export/{name}.csv", {"days": days})
    assert answer["Content-Disposition"] == f'attachment; filename="{name}-{days}-days.csv"'
    text = b"".join(answer).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.django_db
def test_the_page_shows_days_posts_and_referrers(owner: Client) -> None:
    fill(10)
    page = owner.get(PAGE, {"days": "7"}).content.decode()
    assert page.count('<rect class="pv"') == 7 and page.count('<th scope="row">20') == 7
    assert "普通的标题" in page and "Google" in page and "example.com" in page and "other sites" in page
    assert "=HYPERLINK" in page and f"{sum(40 + number * 37 % 90 for number in range(7))}" in page
    assert "<style" not in page.split("</head>")[1] and " style=" not in page
    assert owner.get(PAGE, {"days": "nonsense"}).content.decode().count('class="day"') == 30
    assert 'href="/admin/stats/dailyviews/"' in owner.get("/admin/stats/").content.decode()


@pytest.mark.django_db
def test_a_blog_nobody_has_read_yet_has_a_page_too(owner: Client) -> None:
    page = owner.get(PAGE, {"days": "365"}).content.decode()
    assert page.count('class="day"') == 365 and 'class="pv" x' not in page and "Nothing was read." in page
    assert export(owner, "posts") == [["id", "title", "views"]]


@pytest.mark.django_db
def test_the_page_costs_the_same_however_long_the_period_is(owner: Client, django_assert_num_queries) -> None:
    fill(40)
    owner.get(PAGE)
    for days in (7, 365):
        with django_assert_num_queries(8):  # session, user, and six of the report's
            owner.get(PAGE, {"days": days})


@pytest.mark.django_db
def test_each_part_can_be_opened_in_a_spreadsheet(owner: Client) -> None:
    fill(10)
    days = export(owner, "days")
    assert days[0] == ["day", "page views", "unique visitors"] and len(days) == 8
    assert days[-1] == [str(site_day()), "40", "13"]
    assert export(owner, "robots")[-2:] == [[str(site_day() - datetime.timedelta(days=1)), "1"], [str(site_day()), "0"]]
    posts = {row[1] for row in export(owner, "posts", 30)[1:]}
    assert posts == {"'=HYPERLINK(1)", "'+1", "普通的标题", Post.objects.order_by("-pk")[0].title}
    referrers = export(owner, "referrers")
    assert referrers[0] == ["kind", "referrer", "views"] and ["other", "", "7"] in referrers
    assert owner.get(f"{PAGE}export/salts.csv").status_code == 404


@pytest.mark.django_db
def test_only_who_may_see_the_numbers_sees_them() -> None:
    users = get_user_model()._default_manager
    staff = users.create_user("staff", password="pw", is_staff=True)
    client = Client()
    client.force_login(staff)
    for address in (PAGE, f"{PAGE}export/posts.csv"):
        assert client.get(address).status_code == 403
        assert Client().get(address).status_code == 302
    staff.user_permissions.add(Permission.objects.get(codename="view_dailyviews"))
    fill(1)
    page = client.get(PAGE)
    assert page.status_code == 200 and "/admin/posts/post/" not in page.content.decode()
    assert client.get(f"{PAGE}export/posts.csv").status_code == 200
