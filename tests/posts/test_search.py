"""Search results, their order and their cost; the same on both databases."""

import datetime
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.posts.models import Post, SearchBlock, SearchEntry, SearchWord, Tag
from apps.posts.search import blocks, index, pinyin, tokens
from apps.posts.search.marks import Marker
from apps.posts.search.query import search, suggest
from apps.posts.search.terms import parse
from apps.posts.services import index_missing, rebuild_search
from tests.factories import make_category, make_post, make_posts
from tests.languages import in_english

database_test = pytest.mark.django_db
STARTED = timezone.now()


def found(query: str, **options) -> list[str]:
    return [hit.post.title for hit in search(query, **{"limit": 50, **options}).hits]


def text_of(response) -> str:
    return response.content.decode()


# -- Words, without a database ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, words", [
    ("Django", {"wdjango"}),
    ("ＤＪＡＮＧＯ", {"wdjango"}),
    ("Café", {"wcafe"}),
    ("数据库", {tokens.bigrams("数据")[0], tokens.bigrams("据库")[0], tokens.single("库")}),
    ("C++", {"wc", "wc++"}),
    ("C#", {"wc", "wc#"}),
    (".NET", {"wnet", "w.net"}),
    ("🎉 —，。!", set()),
    ("", set()),
])  # fmt: skip
def test_words_of_a_text(text: str, words: set[str]) -> None:
    assert tokens.words(text) == words


def test_every_word_fits_the_table_and_is_ascii() -> None:
    for text in ("a" * 500, "é" * 500, "я" * 500, "𠀀" * 50, "हिन्दी", "ภาษาไทย", "한국어", "مرحبا", "C+++++", "x.y.z#"):
        for word in tokens.words(text):
            assert word.isascii() and len(word) < 64 and "~" not in word and " " not in word


def test_a_set_of_posts_survives_its_packing() -> None:
    for numbers in ([], [0], [4095], range(255), range(256), range(257), range(4096), range(0, 4096, 7)):
        bits = sum(1 << number for number in numbers)
        packed = blocks.pack(bits)
        assert blocks.unpack(packed) == bits and len(packed) <= 512
        assert list(blocks.ids({3: bits})) == [3 * 4096 + number for number in numbers]


def test_at_least() -> None:
    assert blocks.at_least(2, [{0: 0b0111}, {0: 0b0110, 5: 1}, {0: 0b1100}]) == {0: 0b0110}


@pytest.mark.parametrize("letters, ways", [
    ("shujuku", {("shu", "ju", "ku")}),
    ("xian", {("xian",), ("xi", "an")}),
    ("python", set()),
    ("lvse", {("lv", "se")}),
    ("luse", {("lu", "se"), ("lv", "se")}),
    ("nvxing", {("nv", "xing")}),
    ("lue", {("lve",), ("lu", "e"), ("lv", "e")}),
])  # fmt: skip
def test_letters_as_syllables(letters: str, ways: set) -> None:
    assert set(pinyin.segmentations(letters)) == ways


def test_letters_that_can_be_read_in_many_ways_stay_bounded() -> None:
    assert len(pinyin.segmentations("xian" * 10)) <= pinyin.MAX_SEGMENTATIONS
    assert pinyin.segmentations("a" * 40)


def test_every_syllable_of_the_library_is_known() -> None:
    library = import_module("pypinyin")
    common = "".join(chr(code) for code in range(0x4E00, 0x9FA6))
    said = set(library.lazy_pinyin(common, style=library.Style.NORMAL, errors="ignore"))
    assert said - pinyin.SYLLABLES <= {"m", "n", "ng", "hm", "hng", "ê"}


def test_polyphones_are_read_by_the_phrase_they_stand_in() -> None:
    first = [part.split("/")[0] for part in pinyin.syllables("重庆银行").split()]
    assert first == ["chong", "qing", "yin", "hang"]


@pytest.mark.parametrize("query", ["", " ", "🎉", "\"'", "——", "%_*", '""', "“”", "\ud800"])
def test_nothing_to_look_for(query: str) -> None:
    assert parse(query) == []


@pytest.mark.parametrize("query, text, marked", [
    ("数据库", "讲讲数据库的索引", "讲讲<mark>数据库</mark>的索引"),
    ("数据库", "数据与库", "<mark>数据</mark>与库"),
    ("go", "Go, golang & cargo", "<mark>Go</mark>, golang &amp; cargo"),
    ("<b>", "<b>bold</b>", "&lt;<mark>b</mark>&gt;bold&lt;/<mark>b</mark>&gt;"),
    ("c++", "C and C++", "C and <mark>C++</mark>"),
    ("full width", "ＦＵＬＬ　ｗｉｄｔｈ", "<mark>ＦＵＬＬ</mark>　<mark>ｗｉｄｔｈ</mark>"),
    ("ﬁne", "a ﬁne ﬁt", "a <mark>ﬁne</mark> ﬁt"),
    ("strasse", "die Straße!", "die <mark>Straße</mark>!"),
    ('"black cat"', "cat, black cat", "cat, <mark>black cat</mark>"),
    ("cafe", "un cafe\u0301… là", "un <mark>cafe\u0301</mark>… là"),
    ("が", "それか\u3099①", "それ<mark>か\u3099</mark>①"),
    ("优化", "……优化，⑳优化", "……<mark>优化</mark>，⑳<mark>优化</mark>"),
])  # fmt: skip
def test_marks(query: str, text: str, marked: str) -> None:
    assert Marker(parse(query)).title(text) == marked


def test_marks_of_pinyin() -> None:
    title = "学 Django 数据库"
    reading = pinyin.syllables(tokens.fold(title))
    assert Marker(parse("shujuku")).title(title, reading) == "学 Django <mark>数据库</mark>"
    assert Marker(parse("sjk")).title(title, reading) == "学 Django <mark>数据库</mark>"
    assert Marker(parse("shuju")).title(title, reading) == "学 Django <mark>数据</mark>库"
    green = pinyin.syllables("绿色的路")
    for typed in ("lvse", "lüsè", "luse"):
        assert Marker(parse(typed)).title("绿色的路", green) == "<mark>绿色</mark>的路"
    assert Marker(parse("lv")).title("绿色的路", green) == "<mark>绿</mark>色的路"


def test_an_excerpt_stands_around_the_first_match_and_is_bounded() -> None:
    text = "word " * 400 + "the needle & <b> " + "word " * 400
    excerpt = Marker(parse("needle")).excerpt(text)
    assert "<mark>needle</mark> &amp; &lt;b&gt;" in excerpt
    assert excerpt.startswith("…word") and excerpt.endswith("…") and len(excerpt) < 250
    assert Marker(parse("absent")).excerpt(text) is None


@pytest.mark.parametrize("filler", ["讲讲别的…", "ﬁne words… ", "e\u0301 ", "⑳"])
def test_a_match_far_down_a_long_text_is_marked_where_it_stands(filler: str) -> None:
    text = filler * 4_000 + "这里是数据库。" + filler * 500
    excerpt = Marker(parse("数据库")).excerpt(text)
    assert excerpt and "这里是<mark>数据库</mark>。" in excerpt
    assert excerpt.count("<mark>") == 1


def test_letters_written_in_another_way_are_the_same_word() -> None:
    for one, two in (("", ""), ("e", "\u0301"), ("数", "\u0338"), ("<", "か"), ("。", "\u3099")):
        for code in (*range(0xD800), *range(0xE000, 0x20000)):
            text = f"{one}{chr(code)}{two}"
            assert tokens.fold(text) == tokens.fold(unicodedata.normalize("NFKC", text))


# -- What is found ------------------------------------------------------------------------------------------------


@database_test
def test_words_in_titles_bodies_and_tags_titles_first() -> None:
    make_post(title="In the body", body="Some django here.")
    make_post(title="In the tags", tags=("Django",))
    make_post(title="Django in the title")
    make_post(title="Nowhere")
    assert found("django") == ["Django in the title", "In the tags", "In the body"]
    assert found("DJANGO") == found("ｄｊａｎｇｏ") == found("django")


@database_test
def test_the_order_is_the_same_wherever_it_is_asked() -> None:
    """The very same list on both databases: rank first, then the newest."""
    now = timezone.now()
    for age, (title, body) in enumerate([
        ("数据库 调优", "x"),
        ("调优 数据库", "x"),
        ("调优", "数据库"),
        ("数据库", "调优"),
        ("其他", "数据库的调优"),
        ("数据库 调优 二", "x"),
        ("别的", "调优数据库"),
    ]):  # fmt: skip
        make_post(title=title, body=body, published_at=now - datetime.timedelta(days=age))
    assert found("数据库 调优") == [
        "数据库 调优", "数据库 调优 二", "调优 数据库", "调优", "数据库", "其他", "别的",
    ]  # fmt: skip


@database_test
def test_chinese_words_of_any_length() -> None:
    make_post(title="数据库调优")
    make_post(title="数据分析", body="用不到库。")
    make_post(title="仓库", body="管理")
    assert found("数据") == ["数据分析", "数据库调优"]
    assert found("数据库") == ["数据库调优"]
    assert found("库") == ["仓库", "数据库调优", "数据分析"]
    assert found("据库调") == ["数据库调优"]


@database_test
@pytest.mark.parametrize("query, title", [
    ("shujuku", "数据库调优"),
    ("SHUJUKU", "数据库调优"),
    ("shuju", "数据库调优"),
    ("sjk", "数据库调优"),
    ("sj", "数据库调优"),
    ("sjkty", "数据库调优"),
    ("tiaoyou", "数据库调优"),
    ("yinhang", "重庆银行"),
    ("cq", "重庆银行"),
    ("Django shujuku", "Django 数据库"),
    ("Django 数据库", "Django 数据库"),
    ("Django数据库", "Django 数据库"),
    ("django sjk", "Django 数据库"),
    ("lvse", "绿色"),
    ("lüsè", "绿色"),
    ("luse", "绿色"),
    ("lücheng", "旅程"),
])  # fmt: skip
def test_pinyin(query: str, title: str) -> None:
    for text in ("数据库调优", "重庆银行", "Django 数据库", "绿色", "旅程", "Something else"):
        make_post(title=text)
    assert title in found(query)
    assert "Something else" not in found(query)


@database_test
def test_pinyin_finds_tags_and_stands_below_the_word_itself() -> None:
    make_post(title="龙")
    make_post(title="Other", body="A long text.")
    make_post(title="Tagged", tags=("数据库",))
    assert found("long") == ["Other", "龙"]
    assert found("shujuku") == ["Tagged"]


@database_test
def test_phrases_in_quotes() -> None:
    make_post(title="Right", body="The quick brown fox.")
    make_post(title="Wrong", body="The brown and quick fox; quick, then brown.")
    make_post(title="数据与库存", body="数据有，据库也有")
    make_post(title="有", body="数据库存在")
    assert found('"quick brown"') == ["Right"]
    assert found("“quick brown” fox") == ["Right"]
    assert sorted(found("quick brown")) == ["Right", "Wrong"]
    assert found('"数据库"') == ["有"]
    assert found("「数据库」") == ["有"]
    assert found('"quick brown') == found("quick brown")  # nobody closed it


@database_test
def test_a_phrase_in_a_tag() -> None:
    make_post(title="Tagged", tags=("machine learning",))
    make_post(title="Other", tags=("learning machine",))
    assert found('"machine learning"') == ["Tagged"]


@database_test
def test_names_with_signs_are_words_of_their_own() -> None:
    for title in ("C++ 模板", "C# 入门", "C 语言", ".NET 核心", "A net for fish", "node.js"):
        make_post(title=title)
    assert found("C++") == ["C++ 模板"]
    assert found("c#") == ["C# 入门"]
    assert found(".NET") == [".NET 核心"]
    assert found("node.js") == ["node.js"]
    assert set(found("c")) == {"C++ 模板", "C# 入门", "C 语言"}


@database_test
def test_where_no_post_holds_everything_most_of_it_is_enough() -> None:
    make_post(title="优化数据库查询")
    make_post(title="别的")
    results = search("怎样优化数据库查询")
    assert [hit.post.title for hit in results.hits] == ["优化数据库查询"] and results.nearly
    assert not search("优化数据库").nearly
    assert search("kxqz vwpt").total == 0


@database_test
def test_other_scripts() -> None:
    for title in ("Привет мир", "한국어 블로그", "ブログエンジン", "ภาษาไทย", "Crème brûlée"):
        make_post(title=title)
    assert found("ПРИВЕТ") == ["Привет мир"]
    assert found("블로그") == ["한국어 블로그"]
    assert found("ｴﾝｼﾞﾝ") == ["ブログエンジン"]
    assert found("ไทย") == ["ภาษาไทย"]
    assert found("creme") == ["Crème brûlée"]


@database_test
@pytest.mark.parametrize("query", [
    "a" * 10_000, "数" * 10_000, '"' * 10_000, "a " * 5_000, '"a b" ' * 2_000, "xian" * 2_500,
    "'", '"', "\\", "%", "_", "*", "(", "[", "a*", "a OR b", "a AND NOT b", "NEAR(a b, 2)", "title:a", "+a -b", "a^2",
    "' OR 1=1 --", "'; DROP TABLE posts_post; --", "{{ 7*7 }}", "<script>alert(1)</script>", "\\x00", "%00",
    "🎉", "👨‍👩‍👧‍👦", "⁉️", "。。。", "\u202e", "\ufeff", "０", "～", "ﷺ" * 100, "𠮷", "İ", "ß", "\x1b[0m",
])  # fmt: skip
def test_bad_input_is_answered_with_a_page(client: Client, query: str) -> None:
    make_post(title="A post")
    page = client.get("/search/", {"q": query})
    assert page.status_code == 200
    assert '<input id="query"' in text_of(page) and "<script>alert" not in text_of(page)
    assert client.get("/search/suggest/", {"q": query}).status_code == 200


@database_test
def test_bytes_that_are_no_text(client: Client) -> None:
    for raw in ("%ff%fe", "%ed%a0%80", "%00", "%"):
        assert client.get(f"/search/?q={raw}").status_code == 200
        assert client.get(f"/search/suggest/?q={raw}").status_code == 200


def make_many(number: int, title: str, body: str = "", minutes: int = 0, **fields) -> None:
    """Far more posts than are looked up one by one, a minute between them; `minutes` ago came the newest."""
    Post.objects.bulk_create(
        Post(
            title=f"{title} {index:03}",
            text=body,
            status=fields.get("status", Post.Status.PUBLISHED),
            kind=fields.get("kind", Post.Kind.POST),
            published_at=STARTED - datetime.timedelta(minutes=minutes + index),
        )
        for index in range(number)
    )
    index_missing()


@database_test
def test_of_very_many_posts_every_page_is_the_right_one(django_assert_max_num_queries) -> None:
    make_many(600, "Other", "needle")
    make_many(600, "Needle", minutes=10_000)  # far from the newest
    make_many(3, "Needle hay", "stack", minutes=20_000)
    make_many(40, "Needle draft", status=Post.Status.DRAFT)
    make_many(40, "Needle unlisted", status=Post.Status.UNLISTED)
    make_many(40, "Needle later", minutes=-100_000)
    make_many(3, "Needle page", minutes=9_999, kind=Post.Kind.PAGE)
    Post.objects.filter(title="Needle 007").update(published_at=None)
    titles = [
        "Needle page 000", "Needle page 001", "Needle 000", "Needle page 002", "Needle 001",
        *(f"Needle {index:03}" for index in range(2, 600) if index != 7),
        *(f"Needle hay {index:03}" for index in range(3)),
    ]  # fmt: skip
    everything = [*titles, *(f"Other {index:03}" for index in range(600))]
    for offset in (0, 10, 590, 600, 610, 1_100, 1_200):
        with django_assert_max_num_queries(4):
            results = search("needle", offset=offset)
        assert [hit.post.title for hit in results.hits] == everything[offset : offset + 10]
        assert results.total == len(everything) and not results.nearly
    assert [hit.post.title for hit in search("needle hay").hits] == titles[-3:]
    assert search('"needle hay"').total == 3 and search("needle stack").total == 3


@database_test
def test_of_very_many_posts_a_change_shows_at_once() -> None:
    make_many(600, "Needle", minutes=1)
    later = make_post(title="Needle later", published_at=timezone.now() + datetime.timedelta(hours=1))
    assert (search("needle").total, found("needle")[0]) == (600, "Needle 000")
    Post.objects.filter(pk=later.pk).update(published_at=timezone.now())
    assert (search("needle").total, found("needle")[0]) == (601, "Needle later")
    later.refresh_from_db()
    later.unpublish()
    assert (search("needle").total, found("needle")[0]) == (600, "Needle 000")
    Post.objects.get(title="Needle 000").delete()
    assert (search("needle").total, found("needle")[0]) == (599, "Needle 001")


# -- Who may be found ---------------------------------------------------------------------------------------------


@database_test
def test_only_what_is_public_now_is_found() -> None:
    now = timezone.now()
    for status in Post.Status.values:
        make_post(title=f"Needle {status}", status=status, published_at=now - datetime.timedelta(1))
    later = make_post(title="Needle later", published_at=now + datetime.timedelta(hours=1))
    make_post(title="Needle page", kind=Post.Kind.PAGE, published_at=now - datetime.timedelta(2))
    assert found("needle") == ["Needle published", "Needle page"]
    assert {post.title for post in suggest("need")} == {"Needle published", "Needle page"}
    Post.objects.filter(pk=later.pk).update(published_at=now)
    assert found("needle")[0] == "Needle later"
    later.unpublish()
    assert "Needle later" not in found("needle")


@database_test
def test_a_password_hides_the_text_from_the_index_at_once(client: Client) -> None:
    post = make_post(title="Guarded", body="The treasure lies here.", tags=("map",))
    assert found("treasure") == ["Guarded"]
    post.password = "sesame"
    post.save()
    assert found("treasure") == [] and found('"treasure lies"') == []
    assert found("guarded") == found("map") == ["Guarded"]
    assert "treasure" not in text_of(client.get("/search/?q=guarded"))
    post.password = ""
    post.save()
    assert found("treasure") == ["Guarded"]


# -- What changes -------------------------------------------------------------------------------------------------


@database_test
def test_a_change_is_found_at_once() -> None:
    post = make_post(title="First title", body="alpha beta", tags=("one",))
    post.title, post.body = "Second title", "beta gamma"
    post.save()
    assert not found("first") and not found("alpha")
    assert found("second") == found("gamma") == found("beta") == ["Second title"]
    post.tags.set(Tag.objects.named(["two"]))
    assert not found("one") and found("two") == ["Second title"]
    tag = post.tags.get()
    tag.name = "三号"
    tag.save()
    assert not found("two") and found("三号") == found("sanhao") == ["Second title"]
    tag.posts.clear()
    assert not found("三号")
    tag.posts.add(post)
    assert found("三号")
    tag.delete()
    assert not found("三号")
    tags = Tag.objects.named(["four", "five"])
    post.tags.add(*tags)
    assert found("four") and found("five")
    post.tags.clear()
    assert not found("four")
    post.delete()
    assert not found("second")


@database_test
def test_nothing_is_left_of_deleted_posts() -> None:
    make_posts(3, tags=("左", "right"), body="数据库 and words")
    Post.objects.all().delete()
    assert not SearchWord.objects.exists() and not SearchEntry.objects.exists()


@database_test
def test_a_save_that_fails_leaves_the_index_as_it_was() -> None:
    post = make_post(title="Before")
    with transaction.atomic():
        post.title = "After"
        post.save()
        transaction.set_rollback(True)
    assert found("before") and not found("after")


@database_test
def test_saving_what_isnt_searched_doesnt_touch_the_index(django_assert_num_queries) -> None:
    post = make_post()
    post.status = Post.Status.DRAFT
    with django_assert_num_queries(3):  # the savepoint and the row
        post.save(update_fields=["status"])


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_dont_lose_each_others_posts() -> None:
    make_post(title="Needle")

    def write(number: int) -> None:
        try:
            for turn in range(5):
                make_post(title=f"Needle {number} new{number}x{turn}", body="common 数据库")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert search("needle").total == 21 and search("数据库").total == 20
    assert search("new3x4").total == 1


@database_test
def test_posts_of_many_blocks() -> None:
    make_post(title="Needle 0")
    for pk in (5_000, 4_095, 4_096, 10_000_000):
        post = Post(pk=pk, title=f"Needle {pk}", body="far", status=Post.Status.PUBLISHED)
        post.save(force_insert=True)
    assert set(found("needle")) == {"Needle 0", "Needle 5000", "Needle 4095", "Needle 4096", "Needle 10000000"}
    assert SearchBlock.objects.count() >= 3


@database_test
def test_more_posts_than_a_list_holds() -> None:
    posts = make_posts(300, body="common")
    assert search("common").total == 300
    posts[0].delete()
    assert search("common").total == 299
    assert len(bytes(SearchWord.objects.get(token="bwcommon").posts)) == 512


@database_test
def test_an_index_made_anew_finds_the_same() -> None:
    make_post(title="数据库 Django", body="alpha", tags=("beta",))
    make_post(title="Guarded", body="secret", password="x")
    before = sorted(SearchWord.objects.values_list("token", "block"))
    assert index_missing() == 0
    assert rebuild_search() == 2
    assert sorted(SearchWord.objects.values_list("token", "block")) == before
    SearchEntry.objects.update(version=0)
    assert index_missing() == 2
    assert sorted(SearchWord.objects.values_list("token", "block")) == before
    index.clear()
    assert found("alpha") == []
    call_command("rebuild_search", missing=True, verbosity=0)
    assert found("alpha") == found("beta") == ["数据库 Django"]


@database_test
def test_the_task_indexes_what_is_missing() -> None:
    make_post(title="Needle")
    index.clear()
    assert import_module("apps.posts.tasks").index_missing_posts() == 1
    assert found("needle") == ["Needle"]


# -- The pages ----------------------------------------------------------------------------------------------------


@database_test
def test_the_page_shows_marked_titles_facts_and_excerpts(client: Client) -> None:
    make_post(
        title="数据库 <调优>", body="前言。" * 60 + "讲讲数据库。" + "后记。" * 60, category=make_category("技术")
    )
    page = text_of(in_english(client).get("/search/", {"q": "数据库"}))
    assert "<mark>数据库</mark> &lt;调优&gt;</a></h2>" in page
    assert "讲讲<mark>数据库</mark>。" in page and "技术" in page
    assert "1 post found." in page and 'content="noindex"' in page


@database_test
def test_results_are_paged_and_the_query_is_kept(client: Client) -> None:
    make_posts(25, body="needle")
    first = text_of(client.get("/search/?q=needle"))
    third = text_of(client.get("/search/?q=needle&page=3"))
    assert first.count('<article class="card hit">') == 10 and third.count('<article class="card hit">') == 5
    assert 'href="?q=needle&amp;page=2"' in first
    assert client.get("/search/?q=needle&page=4").status_code == 404
    titles = re.findall(r"<h2><a[^>]+>([^<]+)</a>", first + third)
    assert len(set(titles)) == 15


@database_test
def test_nothing_found_says_so_and_helps(client: Client) -> None:
    page = text_of(client.get("/search/?q=nowhere"))
    assert "没有找到相关文章。" in page and "中文标题可用拼音或首字母，如 shujuku、sjk。" in page
    page = text_of(in_english(client).get("/search/?q=nowhere"))
    assert "No posts found." in page and "Use “quotes” for exact phrases." in page


@database_test
@pytest.mark.parametrize("query, expected", [
    ("dj", ["Django 数据库"]),
    ("django 数", ["Django 数据库"]),
    ("数", ["数学", "Django 数据库"]),
    ("shuj", ["Django 数据库"]),
    ("shux", ["数学"]),
    ("sj", ["Django 数据库"]),
    ("jango", []),
    ("", []),
])  # fmt: skip
def test_suggestions_while_typing(client: Client, query: str, expected: list[str]) -> None:
    post = make_post(title="Django 数据库")
    make_post(title="数学")
    make_post(title="Body only", body="django 数据库")
    response = client.get("/search/suggest/", {"q": query})
    assert [found["title"] for found in response.json()["suggestions"]] == expected
    assert response["Cache-Control"] == "no-cache"
    if "Django 数据库" in expected:
        assert post.get_absolute_url() in [found["url"] for found in response.json()["suggestions"]]


@database_test
def test_suggestions_are_few(client: Client) -> None:
    make_posts(30, title="The same beginning")
    assert len(client.get("/search/suggest/?q=beg").json()["suggestions"]) == 8


@database_test
def test_queries_of_a_search_dont_grow_with_the_posts(django_assert_num_queries) -> None:
    def look() -> None:
        wanted = {"needle": 3, "数据库 needle": 3, "库": 3, '"needle here"': 4, "zheteng": 1, "🎉": 0}
        for query, queries in wanted.items():
            with django_assert_num_queries(queries, info=query):
                search(query)
        for query, queries in {"need": 2, "needle ku": 2, "库": 2, "zheteng": 1, "🎉": 0}.items():
            with django_assert_num_queries(queries, info=query):
                suggest(query)

    for number in (12, 120):
        make_posts(number, title="Needle 库", body="数据库 needle here", tags=("one", "two"))
        look()
    make_many(600, "Needle 库", "数据库 needle here")
    look()
