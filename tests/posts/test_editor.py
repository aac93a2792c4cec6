"""The requests of the writer's editor, who may send them, and the form around it."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from PIL import Image

from apps.core.http import rates
from apps.posts.models import Category, Post
from apps.posts.writing import views as editor
from apps.posts.writing.forms import BODY_MAX_BYTES, PostAdminForm
from tests.factories import make_administrator, make_post
from tests.languages import in_english
from tests.services import Redis

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PREVIEW, UPLOAD = "/admin/editor/preview/", "/admin/editor/upload/"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    with translation.override("en"):
        yield


def picture(kind: str = "PNG", size: tuple[int, int] = (30, 20)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, "teal").save(file, kind)
    return file.getvalue()


def sent(data: bytes = b"", name: str = "a.png", content_type: str = "image/png") -> dict[str, Any]:
    return {"image": SimpleUploadedFile(name, data or picture(), content_type)}


def user_with(*codenames: str, **fields: Any) -> Any:
    user = get_user_model()._default_manager.create_user(
        **{"username": f"user{len(codenames)}", "password": "pw", "is_staff": True, **fields}
    )
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="posts", codename__in=codenames))
    return user


@pytest.fixture
def writer(client: Client) -> Client:
    client.force_login(make_administrator())
    in_english(client)
    return client


# -- Who may ask --------------------------------------------------------------------------------------------------


def test_the_names_are_those_the_widget_knows() -> None:
    assert reverse("markdownx_markdownify") == PREVIEW and reverse("markdownx_upload") == UPLOAD


def test_markdownx_own_views_are_not_there(writer: Client) -> None:
    assert writer.post("/markdownx/upload/").status_code == 404
    assert writer.post("/markdownx/markdownify/").status_code == 404


@pytest.mark.parametrize(
    "user",
    [
        lambda: None,
        lambda: user_with("add_post", "change_post", is_staff=False),
        lambda: user_with("view_post", "delete_post", "add_tag", "change_category"),
        lambda: user_with(is_superuser=True, is_staff=False),
    ],
    ids=["anonymous", "no staff", "staff of something else", "superuser without staff"],
)
def test_nobody_else_gets_anything_done(user: Callable[[], Any], client: Client, tmp_path: Path) -> None:
    if who := user():
        client.force_login(who)
    answer = client.post(UPLOAD, sent())
    assert answer.status_code == 403 and answer.json()["error"]
    answer = client.post(PREVIEW, {"content": "# secret"})
    assert answer.status_code == 403 and "secret" not in answer.content.decode()
    assert not list(tmp_path.iterdir())


def test_an_account_that_was_closed_gets_nothing(client: Client) -> None:
    owner = make_administrator()
    client.force_login(owner)
    owner.is_active = False
    owner.save()
    assert client.post(UPLOAD, sent()).status_code == 403


@pytest.mark.parametrize("permission", ["add_post", "change_post"])
def test_one_of_the_two_permissions_is_enough(permission: str, client: Client) -> None:
    client.force_login(user_with(permission))
    assert client.post(UPLOAD, sent()).status_code == 200
    assert client.post(PREVIEW, {"content": "a"}).status_code == 200


@pytest.mark.parametrize("address", [PREVIEW, UPLOAD])
def test_only_post_is_answered(address: str, writer: Client) -> None:
    for method in (writer.get, writer.head, writer.put, writer.delete):
        assert method(address).status_code == 405


@pytest.mark.parametrize("address", [PREVIEW, UPLOAD])
def test_the_csrf_token_is_asked_for(address: str, tmp_path: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_administrator())
    assert strict.post(address, sent() | {"content": "a"}).status_code == 403
    page = strict.get(reverse("admin:posts_post_add")).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    assert not list(tmp_path.iterdir())
    fields = sent() | {"content": "a", "csrfmiddlewaretoken": token[1]}
    assert strict.post(address, fields).status_code == 200
    assert strict.post(address, sent() | {"content": "a"}, headers={"X-CSRFToken": token[1]}).status_code == 200


@pytest.mark.parametrize("address, length", [(UPLOAD, 50 * 2**20), (PREVIEW, 20 * 2**20)])
def test_a_body_that_is_too_long_is_not_read(address: str, length: int, writer: Client) -> None:
    class Unread(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("read")

    request = RequestFactory().post(address, content_type="multipart/form-data; boundary=x")
    request.META |= {"CONTENT_LENGTH": str(length), "wsgi.input": Unread()}
    request._stream = Unread()
    request.user = make_administrator()
    view = editor.upload if address == UPLOAD else editor.preview
    assert view(request).status_code == 413


def test_a_stranger_s_body_is_not_read_either() -> None:
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().post(UPLOAD, sent())
    request.user = AnonymousUser()
    assert editor.upload(request).status_code == 403
    assert not hasattr(request, "_files")


def test_the_rate_is_bounded_for_each_user(writer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [writer.post(UPLOAD).status_code for _ in range(editor.UPLOADS_PER_MINUTE + 1)]
    assert set(codes[:-1]) == {400} and codes[-1] == 429
    answer = writer.post(UPLOAD)
    assert "wait a moment" in answer.json()["error"] and answer.headers["Retry-After"] == "60"
    assert writer.post(PREVIEW, {"content": "a"}).status_code == 200
    other = Client()
    other.force_login(make_administrator())
    assert other.post(UPLOAD, sent()).status_code == 200
    later = rates.monotonic() + 60
    monkeypatch.setattr(rates, "monotonic", lambda: later)
    assert writer.post(UPLOAD, sent()).status_code == 200


def test_a_redis_that_is_down_stops_no_writer(
    writer: Client, own_redis: Redis, counting_in: Callable[[Redis], None]
) -> None:
    counting_in(own_redis)
    own_redis.stop()
    assert writer.post(UPLOAD, sent()).status_code == 200


# -- Preview ------------------------------------------------------------------------------------------------------


def test_the_preview_is_what_the_page_will_show(writer: Client) -> None:
    source = "# One\n\n**two** $x^2$\n\n```python\nx = 1\n```\n\n- [ ] three"
    answer = writer.post(PREVIEW, {"content": source})
    assert answer.content.decode() == f'<div class="prose">{make_post(body=source).html}</div>'
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_preview_is_sanitized(writer: Client) -> None:
    source = (
        '<script>alert(1)</script><img src=x onerror=alert(1)>\n\n[a](javascript:alert(1)) <iframe srcdoc="x"></iframe>'
    )
    html = writer.post(PREVIEW, {"content": source}).content.decode()
    assert "<script" not in html and "<img src=x onerror" not in html and 'href="javascript' not in html
    assert "srcdoc" not in html


def test_the_preview_names_what_the_page_will_not_show(writer: Client) -> None:
    source = '前\n\n<iframe src="//player.bilibili.com/x"></iframe>\n\n后 <title>'
    html = writer.post(PREVIEW, {"content": source}).content.decode()
    note, prose = html.split('<div class="prose">')
    assert "&lt;iframe&gt;" in note and "player.bilibili.com" in note and "role=" in note
    assert "<p>前</p>" in prose and "后 &lt;title&gt;" in prose


def test_the_preview_bounds_its_input(writer: Client) -> None:
    assert writer.post(PREVIEW).status_code == 400
    assert writer.post(PREVIEW, {"content": ""}).status_code == 200
    answer = writer.post(PREVIEW, {"content": "中" * (editor.PREVIEW_MAX_BYTES // 3 + 1)})
    assert answer.status_code == 413 and "too long" in answer.content.decode()
    assert writer.post(PREVIEW, {"content": "\ud83d lone \x00".encode("utf-16", "surrogatepass")}).status_code == 200


# -- Upload -------------------------------------------------------------------------------------------------------


def test_an_upload_is_answered_with_its_markdown(writer: Client, tmp_path: Path) -> None:
    answer = writer.post(UPLOAD, sent(picture("WEBP"), "photo.jpg", "image/jpeg"))
    code = re.fullmatch(r"!\[\]\(/media/(uploads/\d{4}/\d\d/[0-9a-f]{20}\.webp)\)", answer.json()["image_code"])
    assert answer.status_code == 200 and code
    assert (tmp_path / code[1]).is_file()
    assert 'src="/media/uploads' in writer.post(PREVIEW, {"content": answer.json()["image_code"]}).content.decode()


@pytest.mark.parametrize("data, name, content_type, message", [
    (b"<html><script>alert(1)</script>", "evil.html", "image/gif", "This is not a JPEG, PNG, GIF or WebP picture."),
    (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", "image/svg+xml", "This is not a JPEG"),
    (b"text", "a.png", "image/png", "This is not a JPEG"),
    (b"\xff\xd8\xff" + bytes(11 * 2**20), "a.jpg", "image/jpeg", "too large"),
    (b"\xff\xd8\xff" + bytes(10 * 2**20), "a.jpg", "image/jpeg", "The picture is larger than 10 MB."),
    (picture("JPEG", (300, 300))[:500], "a.jpg", "image/jpeg", "This picture is damaged and can't be read."),
])  # fmt: skip
def test_a_refusal_says_why(
    data: bytes, name: str, content_type: str, message: str, writer: Client, tmp_path: Path
) -> None:
    answer = writer.post(UPLOAD, sent(data, name, content_type))
    assert 400 <= answer.status_code < 500 and answer.headers["Content-Type"] == "application/json"
    assert message in answer.json()["error"] and "image_code" not in answer.json()
    assert not list(tmp_path.iterdir())


def test_an_empty_or_missing_file_is_a_400(writer: Client) -> None:
    empty = {"image": SimpleUploadedFile("a.png", b"", "image/png")}
    for fields in ({}, {"image": "text"}, {"other": sent()["image"]}, empty):
        answer = writer.post(UPLOAD, fields)
        assert answer.status_code == 400 and answer.json()["error"]
    assert writer.post(UPLOAD, b"{}", content_type="application/json").status_code == 400
    broken = writer.post(UPLOAD, b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    assert 400 <= broken.status_code < 500


def test_a_name_with_a_nul_is_only_a_name(writer: Client, tmp_path: Path) -> None:
    head = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a\x00.html"\r\nContent-Type: text/html\r\n\r\n'
    )
    answer = writer.post(UPLOAD, head + picture() + b"\r\n--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 200 and answer.json()["image_code"].endswith(".png)")
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".png"]


# -- The form -----------------------------------------------------------------------------------------------------


def filled(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "post",
        "title": "A title",
        "body": "Text.",
        "source": "1",
        "category": str(Category.objects.default().pk),
        "status": "draft",
        **fields,
    }


def test_the_widget_points_to_our_views() -> None:
    html = PostAdminForm().as_p()
    assert f'data-markdownx-urls-path="{PREVIEW}"' in html
    assert f'data-markdownx-upload-urls-path="{UPLOAD}"' in html
    media = str(PostAdminForm().media)
    assert "css/post.css" in media and "css/highlight.css" in media
    assert "markdownx" not in media  # its script takes undo away, tears compositions and doubles lines
    assert re.search(r'<script [^>]*js/editor\.js[^>]*type="module"|type="module"[^>]*js/editor\.js', media)


def test_the_admin_s_page_has_the_editor(writer: Client) -> None:
    html = writer.get(reverse("admin:posts_post_add")).content.decode()
    assert "markdownx-editor" in html and "js/editor.js" in html and 'accept="image/jpeg,' in html


def test_a_post_is_saved_with_its_cover_made_anew(writer: Client, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    file = BytesIO()
    Image.new("RGB", (5000, 100)).save(file, "JPEG", exif=exif)
    cover = SimpleUploadedFile("n" * 300 + ".html", file.getvalue() + b"<script>", "text/html")
    inline = {"old_addresses-TOTAL_FORMS": "0", "old_addresses-INITIAL_FORMS": "0"}
    answer = writer.post(reverse("admin:posts_post_add"), filled(cover=cover, **inline))
    assert answer.status_code == 302, answer.content.decode()
    post = Post.objects.get(title="A title")
    assert re.fullmatch(r"covers/\d{4}/\d\d/[0-9a-f]{20}\.jpg", post.cover.name)
    content = (tmp_path / post.cover.name).read_bytes()
    assert b"SecretCamera" not in content and b"script" not in content
    # Saving again without a new file keeps it, and the box takes it away.
    change = reverse("admin:posts_post_change", args=[post.pk])
    writer.post(change, filled(**inline))
    assert Post.objects.get(pk=post.pk).cover.name == post.cover.name
    writer.post(change, filled(**inline, **{"cover-clear": "on"}))
    assert not Post.objects.get(pk=post.pk).cover


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PDF"])
def test_a_cover_is_refused_as_any_picture_is(kind: str) -> None:
    form = PostAdminForm(filled(), {"cover": SimpleUploadedFile("a.png", picture(kind), "image/png")})
    assert form.errors["cover"] == ["This is not a JPEG, PNG, GIF or WebP picture."]
    assert "This is not a JPEG" in str(form["cover"].errors)


def test_the_form_says_what_is_wrong() -> None:
    assert PostAdminForm(filled()).is_valid()
    assert PostAdminForm(filled(title=" ")).errors["title"] == ["A post needs a title."]
    errors = PostAdminForm(filled(title="t" * 201)).errors["title"]
    assert errors == ["The title has 201 characters; at most 200 are allowed."]
    assert PostAdminForm(filled(body="文" * (BODY_MAX_BYTES // 3))).is_valid()
    errors = PostAdminForm(filled(body="文" * (2 * 2**20))).errors["body"]
    assert errors == ["The body has 6.0 MB; at most 5 MB are allowed. Split it into several posts."]


def test_the_admin_uses_this_form() -> None:
    assert issubclass(admin.site._registry[Post].form, PostAdminForm)
