"""Uploads that are accepted as images, and what is left of them."""

import hashlib
import random
import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from PIL import ExifTags, Image, ImageCms, ImageDraw, features

from apps.posts.media import images
from apps.posts.media.images import EncodedImage, ImageRejected, encode_image, store_image

HTML = b"<html><script>alert(document.cookie)</script></html>"
SVG = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
)


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    with translation.override("en"):
        yield


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def drawing(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red at the top left, blue at the bottom right, on white."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), "red")
    draw.rectangle((width // 2, height // 2, width, height), "blue")
    return picture.convert(mode)


def movie(frames: int = 12, *, opaque: bool = True) -> list[Image.Image]:
    chance = random.Random(frames)
    pictures = []
    for _ in range(frames):
        picture = Image.new("RGBA", (64, 48), (10, 20, 30, 255) if opaque else (0, 0, 0, 0))
        for _ in range(6):
            x, y = chance.randrange(50), chance.randrange(34)
            color = tuple(chance.choice((0, 51, 102, 255)) for _ in "rgb")
            ImageDraw.Draw(picture).rectangle((x, y, x + 13, y + 13), (*color, 255))
        pictures.append(picture)
    return pictures


def opened(made: EncodedImage) -> Image.Image:
    picture = Image.open(BytesIO(made.content))
    picture.load()
    assert picture.size == (made.width, made.height)
    assert Image.MIME[picture.format or ""] == made.content_type
    return picture


def near(picture: Image.Image, place: tuple[int, int], color: tuple[int, int, int]) -> bool:
    pixel = picture.convert("RGB").getpixel(place)
    assert isinstance(pixel, tuple)
    return all(abs(have - want) < 40 for have, want in zip(pixel, color, strict=True))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *before: bytes, data: bytes | None = None) -> bytes:
    """A greyscale PNG written by hand, all black unless `data` says otherwise."""
    if data is None:
        data = zlib.compress(bytes((width + 1) * height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif(frames: int, width: int = 1, height: int = 1, frame: tuple[int, int, int, int] = (0, 0, 1, 1)) -> bytes:
    block = b"," + struct.pack("<HHHHB", *frame, 0) + b"\x02\x02\x44\x01\x00"
    table = b"\x00\x00\x00\xff\xff\xff"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + table + block * frames + b";"


def refusal(data: Any) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        encode_image(data)
    return caught.value


# -- What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        HTML,
        b"GIF89a is how this text begins",
        b"%PDF-1.7\n",
        SVG,
        b"just text",
        b"\x00" * 99,
        b"BM" + bytes(99),
        b"RIFF",
    ],
    ids=["html", "gif-text", "pdf", "svg", "text", "zeros", "bmp", "riff"],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(data: bytes) -> None:
    for name, content_type in (("a.gif", "image/gif"), ("a.png", "image/png"), ("a.svg", "image/svg+xml")):
        assert refusal(SimpleUploadedFile(name, data, content_type)).code in {"type", "damaged"}


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "TGA", "JPEG2000", "PDF", "EPS"])
def test_other_formats_that_pillow_reads_are_refused(kind: str) -> None:
    error = refusal(encoded(drawing(), kind))
    assert str(error) == "This is not a JPEG, PNG, GIF or WebP picture." and error.code == "type"


def test_an_empty_file_is_refused() -> None:
    assert str(refusal(b"")) == "The file is empty."
    assert refusal(BytesIO()).code == "empty"


def test_a_file_over_the_bound_is_refused_before_it_is_read_whole() -> None:
    class Endless(BytesIO):
        asked = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size
            assert size > 0
            self.asked += size
            return b"\xff" * size

    file = Endless()
    assert str(refusal(file)) == "The picture is larger than 10 MB."
    assert file.asked == 10 * 2**20 + 1
    assert refusal(bytes(11 * 2**20)).code == "bytes"
    assert refusal(SimpleUploadedFile("a.png", png(5, 5) + bytes(11 * 2**20))).code == "bytes"


def test_a_png_of_many_pixels_is_refused_by_its_header() -> None:
    bomb = png(30_000, 30_000, data=zlib.compress(bytes(100_000_000), 1)[:100_000])
    assert len(bomb) > 100_000
    message = "The picture has 30,000 × 30,000 pixels; a PNG may have at most 25 million."
    assert str(refusal(bomb)) == message


def webp_header(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size


@pytest.mark.parametrize("data", [
    webp_header(16_000, 16_000),
    gif(1, 60_000, 60_000),
    gif(1, 10, 10, (0, 0, 60_000, 60_000)),
    encoded(Image.new("L", (8, 8)), "JPEG").replace(b"\x00\x08\x00\x08\x01\x01", b"\xff\xff\xff\xff\x01\x01"),
    encoded(Image.new("L", (8, 8)), "JPEG").replace(b"\x00\x08\x00\x08\x01\x01", b"\x20\x00\x20\x00\x01\x01"),
], ids=["webp", "gif", "gif-frame", "jpeg-4-gigapixels", "jpeg-67-megapixels"])  # fmt: skip
def test_many_pixels_are_refused_before_they_are_decoded(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    assert refusal(data).code == "pixels"


def test_animations_are_bounded_in_frames_and_in_all_their_pixels() -> None:
    assert "at most 600 frames" in str(refusal(gif(5_000)))
    assert encode_image(gif(600)).extension == "gif"
    assert refusal(gif(601)).code == "animation"
    assert refusal(gif(500, 2_000, 2_000)).code == "animation"
    frames = [Image.new("RGB", (1, 1), (i % 256, i // 256, 0)) for i in range(700)]
    for kind, options in (("WEBP", {"lossless": True}), ("PNG", {})):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert refusal(data).code == "animation"


def test_a_later_frame_may_not_outgrow_the_bounds() -> None:
    small, large = gif(1), gif(1, frame=(0, 0, 13_000, 13_000))
    assert refusal(small[:-1] + large[19:]).code == "pixels"


def test_an_animation_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_ANIMATION_SECONDS", -1)
    assert refusal(gif(3)).code == "slow"


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_png_with_a_bomb_beside_its_pixels_is_refused(kind: bytes) -> None:
    between = b"\0\0" if kind != b"iTXt" else b"\0\1\0\0\0"
    bomb = chunk(kind, b"name" + between + zlib.compress(bytes(50_000_000)))
    assert refusal(png(9, 9, bomb)).code == "damaged"


def test_a_jpeg_of_countless_scans_is_refused() -> None:
    plain = encoded(drawing(), "JPEG", progressive=True)
    scan = plain.rindex(b"\xff\xda")
    assert encode_image(plain).extension == "jpg"
    assert refusal(plain[:-2] + plain[scan:-2] * 500 + plain[-2:]).code == "scans"


@pytest.mark.parametrize("kind", images.FORMATS)
def test_a_truncated_picture_is_refused(kind: str) -> None:
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    whole = encoded(noise, kind)
    assert encode_image(whole)
    for share in (0.02, 0.3, 0.6, 0.9):
        assert refusal(whole[: int(len(whole) * share)]).code in {"damaged", "type"}


def test_hostile_bytes_never_raise_anything_else() -> None:
    chance = random.Random(7)
    frames = [Image.effect_noise((40, 30), 60).convert("RGB") for _ in range(3)]
    seeds = [encoded(frames[0], kind) for kind in images.FORMATS]
    seeds += [encoded(frames[0], kind, save_all=True, append_images=frames[1:]) for kind in ("GIF", "WEBP", "PNG")]
    for number in range(600):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(chance.choice((1, 2, 8))):
            place = chance.randrange(min(len(data), chance.choice((60, 400, 10_000))))
            data[place] = chance.choice((0, 255, chance.randrange(256)))
        try:
            encode_image(bytes(data))
        except ImageRejected as error:
            assert str(error)  # noqa: PT017 -- most are refused, some are still pictures


def test_a_refusal_speaks_in_the_language_of_the_moment() -> None:
    error = refusal(png(30_000, 30_000, data=b""))
    assert "%(" not in str(error) and error.messages == [str(error)]


# -- What is kept, and what is not --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, extension", [("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp")])
def test_formats_stay_what_they_are(kind: str, extension: str) -> None:
    made = encode_image(encoded(drawing(), kind, quality=95))
    picture = opened(made)
    assert (picture.format, made.extension) == (kind, extension)
    assert near(picture, (10, 10), (255, 0, 0)) and near(picture, (50, 40), (0, 0, 255))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_becomes_webp() -> None:
    made = encode_image(encoded(drawing(), "AVIF", quality=90))
    assert made.extension == "webp" and near(opened(made), (10, 10), (255, 0, 0))


@pytest.mark.parametrize("kind", images.FORMATS)
def test_bytes_behind_the_picture_are_gone(kind: str) -> None:
    assert b"script" not in encode_image(encoded(drawing(), kind) + HTML).content


def test_metadata_is_gone() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (31.0, 14.0, 22.0)
    for kind, options in {
        "JPEG": {"exif": exif, "comment": HTML, "xmp": HTML},
        "PNG": {"exif": exif},
        "WEBP": {"exif": exif, "xmp": HTML},
        "GIF": {"comment": HTML},
    }.items():
        data = encoded(drawing(), kind, **options)
        assert b"SecretCamera" in data or HTML in data
        made = encode_image(data)
        picture = opened(made)
        assert not dict(picture.getexif()) and not picture.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert b"SecretCamera" not in made.content and b"script" not in made.content
        assert not {"exif", "comment", "xmp", "icc_profile"} & set(picture.info)
    text = chunk(b"tEXt", b"Comment\0" + HTML)
    assert b"script" not in encode_image(png(9, 9, text)).content


@pytest.mark.parametrize(
    "orientation, red", [(1, "top left"), (3, "bottom right"), (6, "top right"), (8, "bottom left")]
)
def test_the_picture_is_turned_as_exif_says(orientation: int, red: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    for kind in ("JPEG", "PNG", "WEBP"):
        picture = opened(encode_image(encoded(drawing(), kind, exif=exif)))
        assert picture.size == ((48, 64) if orientation in {6, 8} else (64, 48))
        place = (
            8 if "left" in red else picture.width - 8,
            8 if "top" in red else picture.height - 8,
        )
        assert near(picture, place, (255, 0, 0))


def test_exif_that_cannot_be_read_says_nothing() -> None:
    data = encoded(drawing(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff" + bytes(40))
    assert encode_image(data).width == 64


def test_every_mode_keeps_its_colors() -> None:
    assert near(opened(encode_image(encoded(drawing(mode="CMYK"), "JPEG"))), (10, 10), (255, 0, 0))
    assert opened(encode_image(encoded(drawing(mode="L"), "JPEG"))).mode == "L"
    assert opened(encode_image(encoded(drawing(mode="1"), "PNG"))).mode == "1"
    assert near(opened(encode_image(encoded(drawing(mode="P"), "PNG"))), (10, 10), (255, 0, 0))


def test_sixteen_bits_of_grey_become_eight() -> None:
    deep = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 0x4000, 0x8000, 0xFFFF)):
        deep.putpixel((x, 0), value)
    picture = opened(encode_image(encoded(deep, "PNG")))
    assert [picture.getpixel((x, 0)) for x in range(4)] == [0, 0x40, 0x80, 0xFF]


@pytest.mark.parametrize("size", [(64, 48), (3000, 30)])
def test_transparency_is_kept(size: tuple[int, int]) -> None:
    middle = (size[0] // 4, size[1] // 4)
    clear = drawing(*size, mode="RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, size[0] // 2, size[1] // 2))
    palette = drawing(*size).quantize(8)
    red = palette.getpixel(middle)
    key = drawing(*size)
    for data in (
        encoded(clear, "PNG"),
        encoded(clear.convert("LA"), "PNG"),
        encoded(palette, "PNG", transparency=red),
        encoded(palette, "PNG", transparency=bytes(0 if index == red else 200 for index in range(8))),
        encoded(key, "PNG", transparency=(255, 0, 0)),
        encoded(palette, "GIF", transparency=red),
        encoded(clear, "WEBP"),
        encoded(clear, "WEBP", lossless=True),
    ):
        picture = opened(encode_image(data)).convert("RGBA")
        corner, other = picture.getpixel(middle), picture.getpixel((size[0] - 2, size[1] - 2))
        assert isinstance(corner, tuple)
        assert isinstance(other, tuple)
        assert corner[3] < 20 and other[3] > 180


def test_a_png_stays_exact() -> None:
    source = drawing(300, 200)
    assert opened(encode_image(encoded(source, "PNG"))).tobytes() == source.tobytes()


@pytest.mark.parametrize("before, after", [
    ((4000, 3000), (2560, 1920)),
    ((1000, 3000), (853, 2560)),
    ((1000, 9000), (1000, 9000)),
    ((2560, 9000), (1280, 4500)),
    ((100, 40_000), (40, 16_000)),
    ((30_000, 1), (16_000, 1)),
    ((2560, 2560), (2560, 2560)),
])  # fmt: skip
def test_large_pictures_shrink_and_strips_stay_readable(before: tuple[int, int], after: tuple[int, int]) -> None:
    made = encode_image(encoded(Image.new("L", before, 90), "PNG"))
    assert (made.width, made.height) == after


def test_a_photo_is_shrunk_in_decoding() -> None:
    picture = opened(encode_image(encoded(drawing(6000, 4000), "JPEG")))
    assert picture.size == (2560, 1707) and near(picture, (100, 100), (255, 0, 0))
    assert picture.info["progressive"]


def test_colors_are_converted_to_srgb() -> None:
    # Of this profile red and green are exchanged: matrix columns of sRGB, swapped.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for here, there in ((b"rXYZ", b"gXYZ"),):
        i, j = profile.index(here), profile.index(there)
        profile[i : i + 4], profile[j : j + 4] = there, here
    profile = profile.replace("sRGB".encode("utf-16-be"), "xxxx".encode("utf-16-be")).replace(b"sRGB", b"xxxx")
    for kind, options in (("JPEG", {"quality": 95}), ("PNG", {}), ("WEBP", {"lossless": True})):
        picture = opened(encode_image(encoded(drawing(), kind, icc_profile=bytes(profile), **options)))
        assert near(picture, (10, 10), (0, 255, 0)) and near(picture, (50, 40), (0, 0, 255))
        assert "icc_profile" not in picture.info
    broken = encode_image(encoded(drawing(), "PNG", icc_profile=b"no profile at all" * 20))
    assert near(opened(broken), (10, 10), (255, 0, 0))


def test_a_jpeg_of_several_pictures_shows_its_first() -> None:
    data = encoded(drawing(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))])
    assert Image.open(BytesIO(data)).format == "MPO"
    made = encode_image(data)
    assert made.extension == "jpg" and near(opened(made), (10, 10), (255, 0, 0))


# -- Animations ---------------------------------------------------------------------------------------------------


def seen(picture: Image.Image) -> Iterator[tuple[float, bytes]]:
    """Each frame's duration, and its pixels before a backdrop."""
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        picture.load()
        frame = picture.convert("RGBA")
        backdrop = Image.new("RGBA", frame.size, (255, 0, 255, 255))
        yield picture.info["duration"], Image.alpha_composite(backdrop, frame).tobytes()


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_animations_are_kept_frame_by_frame(kind: str, opaque: bool) -> None:
    frames = movie(opaque=opaque)
    options: dict[str, Any] = {"disposal": 2} if kind == "GIF" else {}
    durations = [40 + 10 * (number % 3) for number in range(len(frames))]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=durations, loop=3, **options)
    before, after = Image.open(BytesIO(data)), opened(encode_image(data))
    assert list(seen(before)) == list(seen(after)) and after.info["loop"] == 3


def test_an_animated_webp_is_kept() -> None:
    frames = movie(opaque=False)
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=70, loop=2)
    picture = opened(encode_image(data))
    assert getattr(picture, "n_frames", 1) == len(frames)
    assert picture.info["duration"] == 70 and picture.info["loop"] == 2
    assert picture.convert("RGBA").getextrema()[3] == (0, 255)


def test_a_gif_without_a_loop_plays_once_and_frames_of_one_palette_each_keep_theirs() -> None:
    noise = [Image.effect_noise((60, 60), 80 + i).convert("RGB").quantize(200) for i in range(3)]
    data = encoded(noise[0], "GIF", save_all=True, append_images=noise[1:], duration=50)
    after = opened(encode_image(data))
    assert "loop" not in after.info
    assert list(seen(Image.open(BytesIO(data)))) == list(seen(after))


def test_a_large_animation_is_shrunk_whole() -> None:
    frames = [drawing(3000, 1000), drawing(3000, 1000).rotate(180)]
    picture = opened(encode_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)))
    assert picture.size == (2560, 853) and getattr(picture, "n_frames", 1) == 2
    picture.seek(1)
    assert near(picture, (2500, 800), (255, 0, 0))


def test_the_stand_in_of_an_animated_png_is_no_frame() -> None:
    frames = movie(4)
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True, duration=50)
    picture = opened(encode_image(data))
    assert getattr(picture, "n_frames", 1) == 3 and not picture.info.get("default_image")


# -- Storing ------------------------------------------------------------------------------------------------------


def test_a_picture_is_stored_under_its_hash() -> None:
    stored = store_image(encoded(drawing(), "PNG"), name="holiday.php")
    assert re.fullmatch(r"uploads/\d{4}/\d{2}/[0-9a-f]{20}\.png", stored.name)
    assert stored.url == f"/media/{stored.name}" and (stored.width, stored.height) == (64, 48)
    with default_storage.open(stored.name) as file:
        content = file.read()
    assert len(content) == stored.size_bytes
    assert hashlib.sha256(content).hexdigest()[:20] in stored.name


@pytest.mark.parametrize("name", ["a\x00.html", "../../../etc/passwd", "a" * 500 + ".gif", "", "图 片.PNG", "con"])
def test_the_files_name_decides_nothing(name: str, tmp_path: Path) -> None:
    stored = store_image(encoded(drawing(), "JPEG"), name=name)
    assert stored.name.endswith(".jpg")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / stored.name]


def test_the_same_picture_twice_is_one_file(tmp_path: Path) -> None:
    first = store_image(encoded(drawing(), "PNG"))
    second = store_image(BytesIO(encoded(drawing(), "PNG", compress_level=1) + HTML), name="other.png")
    assert first == second and len(list(tmp_path.rglob("*.*"))) == 1


def test_a_file_cut_short_is_written_again(tmp_path: Path) -> None:
    stored = store_image(encoded(drawing(), "PNG"))
    (tmp_path / stored.name).write_bytes(b"")
    assert store_image(encoded(drawing(), "PNG")) == stored
    assert (tmp_path / stored.name).stat().st_size == stored.size_bytes


def test_half_a_file_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(images.os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        store_image(encoded(drawing(), "PNG"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_storage_without_paths_is_written_to_as_it_likes(settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    stored = store_image(encoded(drawing(), "PNG"))
    assert default_storage.size(stored.name) == stored.size_bytes
    assert store_image(encoded(drawing(), "PNG")) == stored


def test_nothing_refused_is_stored(tmp_path: Path) -> None:
    for data in (HTML, SVG, b"", gif(5_000)):
        with pytest.raises(ImageRejected):
            store_image(data, name="evil.html")
    assert not list(tmp_path.iterdir())
