"""The language of the interface: the reader's choice, else the site's; and what language each text says it is in."""

import re
from html import unescape

import pytest
from django.test import Client

from apps.components.models import Menu, MenuItem, Plugin, SiteIdentity
from apps.components.services import new_setup_token
from apps.core.pages import store
from apps.posts.models import Category, Source
from tests.factories import make_category, make_comment, make_post
from tests.languages import in_english

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
CHINESE, ENGLISH = ("zh-hans", "归档"), ("en", "Archive")


@pytest.mark.parametrize("cookie, shown", [
    ("", CHINESE), ("language=en", ENGLISH), ("language=zh-hans", CHINESE), ("a=b; language=en; c=d", ENGLISH),
    ("language=fr", CHINESE), ("language=EN", CHINESE), ("language=", CHINESE), ("language", CHINESE),
    ("language=en\"'<>", CHINESE), ("languages=en", CHINESE), ("xlanguage=en", CHINESE),
    # Spelled oddly, or more than once: the first of any spelling. nginx keeps no such page.
    ("language=zh-hans; language=en", CHINESE), ("language=en; language=zh-hans", ENGLISH), ("Language=en", ENGLISH),
    ("a=b,language=en", ENGLISH), ("language=en,language=zh-hans", CHINESE),
])  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/nowhere/", "/admin/login/", "/search/?q=x"])
def test_the_language_is_the_readers_choice_or_the_sites(path: str, cookie: str, shown: tuple[str, str]) -> None:
    language, word = shown
    words = {"/admin/login/": {"归档": "登录", "Archive": "Log in"}}.get(path, {})
    answer = Client().get(path, headers={"cookie": cookie, "accept-language": "de, en;q=0.9"})
    assert answer["Content-Language"] == language and words.get(word, word) in answer.content.decode()
    assert "Cookie" in answer["Vary"] and "Accept-Language" not in answer["Vary"]


def test_the_sites_language_can_be_english(client: Client) -> None:
    SiteIdentity(language="en").save()
    store.drop()
    assert client.get("/")["Content-Language"] == "en"
    client.cookies["language"] = "zh-hans"
    assert client.get("/")["Content-Language"] == "zh-hans"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path", ["/", "/archive/?page=1", "/search/?q=%E4%B8%AD&x=1", "/nowhere/?a=b%22%3E", "/links/"]
)
def test_the_switch_at_the_foot_leads_back_to_the_page(path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get(path).content.decode()
    form = re.search(r'<form class="languages" method="post" action="([^"]+)">(.*?)</form>', page, re.S)
    back = unescape(re.search(r'name="next" value="([^"]*)"', form[2])[1])
    assert re.findall(r'value="([a-z-]+)" lang="\1">([^<]+)<', form[2]) == [("en", "English")]
    answer = client.post(form[1], {"next": back, "language": "en"})
    assert (answer.status_code, answer["Location"]) == (303, path)
    cookie = answer.cookies["language"]
    assert (cookie.value, cookie["max-age"], cookie["path"], cookie["samesite"]) == ("en", 365 * 86400, "/", "Lax")
    assert not cookie["secure"] and "no-store" in answer["Cache-Control"]
    english = client.get(path)
    assert english["Content-Language"] == "en" and ">简体中文</button>" in english.content.decode()


def test_what_a_form_answers_offers_no_switch(client: Client) -> None:
    """Its address may show nothing by itself, and what the reader typed would be lost."""
    post, switch = make_post(), 'class="languages"'
    form = f"/article/{post.pk}/comment/"
    assert switch in client.get(form).content.decode()
    for path, told in ((f"{form}preview/", {"body": "你好"}), (form, {"body": ""})):
        answer = client.post(path, told).content.decode()
        assert "<textarea" in answer and switch not in answer
    refused = client.post("/article/1/comment/1/moderate/", {"decision": "screen"})
    assert refused.status_code == 403 and switch not in refused.content.decode()
    setup = {"token": new_setup_token(), "username": "owner"}
    asked_again = client.post("/setup/", setup)
    assert asked_again.status_code == 422 and switch not in asked_again.content.decode()


def test_the_choice_travels_by_https_alone_where_there_is_https(client: Client) -> None:
    assert client.post("/language/", {"language": "en"}, secure=True).cookies["language"]["secure"]


@pytest.mark.parametrize("back", [
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
    "evil.example", "", " //evil.example", "/\t/evil.example", "\x01//evil.example", "http:/evil.example",
])  # fmt: skip
def test_the_switch_leads_to_no_other_site(client: Client, back: str) -> None:
    answer = client.post("/language/", {"language": "en", "next": back})
    assert (answer.status_code, answer["Location"]) == (303, "/")


def test_the_switch_knows_its_languages_and_changes_nothing_by_get(client: Client) -> None:
    answer = client.post("/language/", {"language": "fr\r\nSet-Cookie: a=b", "next": "/archive/"})
    assert (answer.status_code, answer["Location"], answer.cookies.keys()) == (303, "/archive/", set())
    assert client.get("/language/?language=en").status_code == 405


@pytest.mark.parametrize("accepted, language", [
    ("fr, en, zh", "en"), ("en-GB,en;q=0.9", "en"), ("zh-TW", "zh-hans"), ("fr-FR", "zh-hans"), ("", "zh-hans"),
    ("*", "zh-hans"), ("\x00;;q=zz,,en", "zh-hans"), ("en;q=0.2, zh;q=0.8", "zh-hans"), ("x" * 501 + ",en", "zh-hans"),
])  # fmt: skip
def test_the_set_up_page_speaks_the_browsers_language_and_the_blog_learns_it(accepted: str, language: str) -> None:
    token = new_setup_token()
    client = Client(headers={"accept-language": accepted})
    page = client.get(f"/setup/?token={token}")
    assert page["Content-Language"] == language and "Accept-Language" in page["Vary"]
    assert f'<option value="{language}" selected>' in page.content.decode()
    password = "correct horse battery"
    fields = {"token": token, "username": "lin", "email": "a@example.com", "password1": password, "password2": password}
    assert client.post("/setup/", fields | {"language": language}).status_code == 302
    assert SiteIdentity.objects.get().language == language


# -- The language of texts -------------------------------------------------------------------------------------------


def lang_of(page: str, text: str) -> str:
    """The lang attribute of the innermost element around the text, blank when only that of the page applies."""
    before = page[: page.index(f">{text}")]
    return (re.search(r'lang="([^"]+)"', before[before.rindex("<") :]) or ["", ""])[1]


@pytest.mark.django_db(transaction=True)
def test_texts_of_the_owner_say_their_language_where_the_interface_speaks_another(client: Client) -> None:
    SiteIdentity(title="林间小记", signature="走走停停", footer="<b>页脚</b>").save()
    shelf = make_category("随笔集", introduction="闲话")
    MenuItem.objects.create(menu=Menu.objects.create(name="栏目"), category=shelf)
    make_category("散记")
    Plugin.objects.create(title="最新", kind="recent_posts", order=5)
    chinese = make_post(
        title="在路上", body="# 一\n\n# 二\n\n# 三\n\n走路。", category=shelf, tags=("旅行",), summary="摘要"
    )
    english = make_post(title="On the road", body="Walking.", category=shelf, language="en", tags=("旅行",))
    make_comment(chinese, "说得好")
    store.drop()

    page = in_english(client).get(chinese.get_absolute_url()).content.decode()
    assert '<html lang="en">' in page and '<div class="prose" lang="zh-Hans">' in page and '<ol lang="zh-Hans">' in page
    for text in ("林间小记", "栏目", "随笔集", "散记", "在路上</h1>", "旅行", "最新", "在路上</a>"):
        assert lang_of(page, text) == "zh-Hans", text
    assert '<div lang="zh-Hans"><b>页脚' in page and '<div class="prose" lang="zh-Hans"><p>说得好' in page
    assert lang_of(page, "On the road") == ""  # neighbour, related post, box: in the language of the interface
    home = client.get("/").content.decode()
    for text in ("走走停停", "在路上</a></h2>", "摘要"):
        assert lang_of(home, text) == "zh-Hans", text
    assert lang_of(client.get(shelf.get_absolute_url()).content.decode(), "闲话") == "zh-Hans"
    assert lang_of(client.get("/search/?q=在路上").content.decode(), "<mark>在路上") == "zh-Hans"
    assert client.get("/search/suggest/?q=在路上").json()["suggestions"][0]["lang"] == "zh-Hans"
    assert lang_of(client.get("/nowhere/").content.decode(), "在路上") == "zh-Hans"

    in_chinese = Client().get(chinese.get_absolute_url()).content.decode()
    assert re.findall(r' lang="([^"]+)"', in_chinese.replace('value="en" lang="en"', "")) == ["zh-hans", *["en"] * 3]
    assert lang_of(in_chinese, "On the road") == "en"
    page = Client().get(english.get_absolute_url()).content.decode()
    assert '<h1 lang="en">' in page and '<div class="prose" lang="en">' in page
    assert '"inLanguage":"en"' in page and 'property="og:locale" content="en_US"' in page


@pytest.mark.django_db(transaction=True)
def test_what_the_program_named_is_translated_until_the_owner_renames_it(client: Client) -> None:
    category = Category.objects.get(protected=True)
    category.hidden = False
    category.save()
    post = make_post(category=category, source_id=1, tags=("翻译",))
    page = in_english(client).get("/").content.decode()
    for name in ("Original", "Repost", "Translation", "Uncategorized", "Statistics"):
        assert f">{name}<" in page, name
    tagline = "The faintest ink is better than the best memory"
    assert f"<p>{tagline}</p>" in page and f'name="description" content="{tagline}"' in page
    assert not re.search("原创|转载|翻译|未分类|博客统计|好记性", page)
    assert ">翻译<" in client.get(post.get_absolute_url()).content.decode()  # a tag is the owner's
    for path, heading in ((category.get_absolute_url(), "Uncategorized"), ("/source/2/", "Repost")):
        listed = client.get(path).content.decode()
        assert f"<h1>{heading}</h1>" in listed and f"<title>{heading} · " in listed
    head = client.get(post.get_absolute_url()).content.decode()
    assert 'property="article:section" content="Uncategorized"' in head and '"articleSection":"Uncategorized"' in head
    chinese = Client().get("/").content.decode()
    for name in ("原创", "转载", "翻译", "未分类", "博客统计", "好记性不如烂笔头"):
        assert f">{name}<" in chinese, name
    Source.objects.filter(pk=1).update(name="自家")
    Plugin.objects.update(title="数字")
    store.drop()
    page = client.get("/").content.decode()
    assert lang_of(page, "自家") == lang_of(page, "数字") == "zh-Hans" and ">Original<" not in page


def test_feeds_of_an_english_site_name_the_default_category_in_english(client: Client) -> None:
    category = Category.objects.get(protected=True)
    make_post(category=category)
    SiteIdentity.objects.update(language="en")
    store.drop()
    feed = client.get(f"{category.get_absolute_url()}feed/").content.decode()
    assert "<title>Uncategorized · blog_xtg</title>" in feed and "<category>Uncategorized</category>" in feed
    whole = client.get("/feed/").content.decode()
    assert "<description>The faintest ink is better than the best memory</description>" in whole
    Category.objects.update(name="杂记")
    store.drop()
    assert "<title>杂记 · blog_xtg</title>" in client.get(f"{category.get_absolute_url()}feed/").content.decode()
