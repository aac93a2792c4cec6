"""The one door by which a picture enters: recognised by its content, decoded whole, made anew, stored by its hash.

What is stored was written by our encoder: whatever the file carried besides its pixels (EXIF and its GPS position,
comments, thumbnails, colour profiles, bytes after the end) is gone. Turned as EXIF says, in sRGB, animations kept.

- JPEG, PNG, GIF and WebP stay what they are; AVIF, where Pillow reads it, becomes WebP.
- Longest side at most 2560 px. A strip (more than three times as long as wide: a screenshot of a whole page, a
  panorama) stays readable: its short side at most 1280 px, its long one at most 16,000.
- At most UPLOAD_IMAGE_MAX_BYTES; 50 million pixels in a JPEG, 25 million in the others; 600 frames in an animation,
  with 100 million pixels in all in a GIF and 50 million in the others. All are known from headers, before a pixel is
  decoded, and are stricter than Pillow's own limits: so Pillow's global MAX_IMAGE_PIXELS stays as it is, and its
  warnings are no gate (turning them to errors for a moment isn't safe among threads).
- One picture at a time in a process, so that memory is bounded too: 400 MB at the worst, 50 MB for a photo.
"""

import hashlib
import logging
import os
import re
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError, features

# A JPEG is decoded at a fraction of its size, and the frames of a GIF are kept as one byte a pixel.
MAX_PIXELS = {"JPEG": 50_000_000, "PNG": 25_000_000, "GIF": 25_000_000, "WEBP": 25_000_000, "AVIF": 25_000_000}
MAX_FRAMES = 600
MAX_ANIMATION_PIXELS = {"GIF": 100_000_000, "PNG": 50_000_000, "WEBP": 50_000_000, "AVIF": 50_000_000}
MAX_ANIMATION_SECONDS = 30
MAX_JPEG_SCANS = 100
MAX_SIDE = 2560
STRIP_RATIO = 3
MAX_STRIP = (1280, 16_000)

FORMATS = ["JPEG", "PNG", "GIF", "WEBP"] + (["AVIF"] if features.check("avif") else [])
CONTENT_TYPES = [f"image/{name.lower()}" for name in FORMATS]

# Start of scan, with a length that fits its number of components: in pixels it can't occur, elsewhere hardly by chance.
_JPEG_SCAN = re.compile(rb"\xff\xda\x00(?:\x06\x00|\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_logger = logging.getLogger(__name__)
_one_at_a_time = threading.Lock()


class ImageRejected(ValidationError):
    """The file is no picture we take; `str()` is a sentence for the writer, in the language of the moment."""

    def __str__(self) -> str:
        return " ".join(self.messages)


@dataclass(frozen=True)
class EncodedImage:
    content: bytes
    extension: str
    width: int
    height: int
    content_type: str

    @property
    def digest(self) -> str:
        """20 hexadecimal digits that name the content."""
        return hashlib.sha256(self.content).hexdigest()[:20]


@dataclass(frozen=True)
class StoredImage:
    """`name` is the path in default_storage."""

    name: str
    url: str
    width: int
    height: int
    size_bytes: int


def store_image(data: bytes | IO[bytes], *, name: str = "") -> StoredImage:
    """Store the picture as uploads/YYYY/MM/<hash>.<extension>; the same one twice in a month is one file.

    `name`, what the file was called, is for the log alone. Raises ImageRejected. Costs what encode_image() does and
    one file written.
    """
    try:
        encoded = encode_image(data)
    except ImageRejected as error:
        _logger.info("Picture %.200r refused: %s", name, error.code)
        raise
    path = f"uploads/{timezone.localtime():%Y/%m}/{encoded.digest}.{encoded.extension}"
    # A file cut short by a power failure is no reason to keep it so.
    if not default_storage.exists(path) or default_storage.size(path) != len(encoded.content):
        path = write_in_one_step(path, encoded.content)
    return StoredImage(path, default_storage.url(path), encoded.width, encoded.height, len(encoded.content))


def encode_image(file: bytes | IO[bytes]) -> EncodedImage:
    """Decode the picture and make it anew, within the bounds that the module's text lists.

    Raises ImageRejected. Costs half a second for a photo of 12 megapixels, some seconds for the largest animations.
    """
    data = _read(file)
    with _one_at_a_time:
        try:
            return _encode(data)
        except ImageRejected:
            raise
        except Image.DecompressionBombError as error:
            raise ImageRejected(
                _("The picture has too many pixels; at most %(most)s million are allowed."),
                "pixels",
                {"most": max(MAX_PIXELS.values()) // 1_000_000},
            ) from error
        except Exception as error:  # on hostile input decoders raise anything, from struct.error to MemoryError
            _logger.info("Not decoded: %r", error)
            raise ImageRejected(_("This picture is damaged and can't be read."), "damaged") from error


def _read(file: bytes | IO[bytes]) -> bytes:
    limit = settings.UPLOAD_IMAGE_MAX_BYTES
    if isinstance(file, bytes):
        data, size = file, len(file)
    else:
        size = getattr(file, "size", None) or 0
        if file.seekable():
            file.seek(0)
        data = b"" if size > limit else file.read(limit + 1)
    if max(size, len(data)) > limit:
        raise ImageRejected(_("The picture is larger than %(limit)s MB."), "bytes", {"limit": f"{limit / 2**20:.3g}"})
    if not data:
        raise ImageRejected(_("The file is empty."), "empty")
    return data


def write_in_one_step(path: str, content: bytes) -> str:
    """Write the file under its name in one step: a reader never sees half of it."""
    if not isinstance(default_storage, FileSystemStorage):  # an object store, whose writes are one step already
        return default_storage.save(path, ContentFile(content))
    unfinished = default_storage.path(default_storage.save(f"{path}.part", ContentFile(content)))
    try:
        os.replace(unfinished, default_storage.path(path))
    except OSError:
        os.unlink(unfinished)
        raise
    return path


# -- What the headers say ------------------------------------------------------------------------------------------


def _no_picture() -> ImageRejected:
    return ImageRejected(_("This is not a JPEG, PNG, GIF or WebP picture."), "type")


def _check_size(kind: str, width: int, height: int, frames: int = 1) -> None:
    if width * height > MAX_PIXELS[kind]:
        raise ImageRejected(
            _("The picture has %(width)s × %(height)s pixels; a %(kind)s may have at most %(most)s million."),
            "pixels",
            {"width": f"{width:,}", "height": f"{height:,}", "kind": kind, "most": MAX_PIXELS[kind] // 1_000_000},
        )
    if frames > MAX_FRAMES or (frames > 1 and width * height * frames > MAX_ANIMATION_PIXELS[kind]):
        raise ImageRejected(
            _(
                "The animation is too long: at most %(frames)s frames, and at most %(most)s million pixels in all of "
                "them together, are allowed."
            ),
            "animation",
            {"frames": MAX_FRAMES, "most": MAX_ANIMATION_PIXELS[kind] // 1_000_000},
        )


def _check_announced(data: bytes) -> bytes:
    """Refuse by the header what would cost memory or time as soon as Pillow opens it; return what Pillow may see."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        _check_size("PNG", *struct.unpack(">II", data[16:24]))
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        _check_size("WEBP", *_webp_size(data))
    elif data.startswith((b"GIF87a", b"GIF89a")):
        end, width, height, frames = _survey_gif(data)
        if not frames:
            raise _no_picture()
        _check_size("GIF", width, height, frames)
        return data[:end] + b";"
    elif data.startswith(b"\xff\xd8") and len(_JPEG_SCAN.findall(data)) > MAX_JPEG_SCANS:
        raise ImageRejected(_("This picture is built in a way that takes too long to read."), "scans")
    return data


def _webp_size(data: bytes) -> tuple[int, int]:
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _survey_gif(data: bytes) -> tuple[int, int, int, int]:
    """Walk over the blocks: where the picture ends, width and height that hold every frame, how many frames.

    A frame may be larger than the picture says it is, and a few bytes make a frame: nothing but the walk tells.
    """

    def after_color_table(flags: int, at: int) -> int:
        return at + (3 << (flags & 7) + 1 if flags & 0x80 else 0)

    def after_data(at: int) -> int:
        while data[at]:
            at += 1 + data[at]
        return at + 1

    width, height = struct.unpack("<HH", data[6:10])
    at, frames = after_color_table(data[10], 13), 0
    while at < len(data) and frames <= MAX_FRAMES:
        if data[at] == 0x21:
            at = after_data(at + 2)
        elif data[at] == 0x2C:
            left, top, frame_width, frame_height = struct.unpack("<HHHH", data[at + 1 : at + 9])
            width, height = max(width, left + frame_width), max(height, top + frame_height)
            frames += 1
            at = after_data(after_color_table(data[at + 9], at + 10) + 1)
        else:  # the trailer, or bytes that are no GIF any more
            break
    return at, width, height, frames


# -- Decoding and encoding -----------------------------------------------------------------------------------------


def _encode(data: bytes) -> EncodedImage:
    try:
        picture = Image.open(BytesIO(_check_announced(data)), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _no_picture() from error
    # A JPEG of several pictures (MPO: stereo, or what a telephone stores for HDR) shows its first.
    source = "JPEG" if picture.format == "MPO" else picture.format or ""
    count = 1 if source == "JPEG" else getattr(picture, "n_frames", 1)
    _check_size(source, *picture.size, count)
    kind = "WEBP" if source == "AVIF" else source
    if kind == "JPEG":
        picture.draft(None, _fitting(picture.size))  # decodes at a half or a quarter, when that is still enough

    durations: list[float] = []
    frames = [_for_kind(frame, kind) for frame in _frames(picture, count, durations)]
    first, output = frames[0], BytesIO()
    if len(frames) > 1:
        options: dict[str, object] = {"save_all": True, "append_images": frames[1:], "duration": durations}
        if "loop" in picture.info:  # a GIF without it plays once
            options["loop"] = picture.info["loop"]
        if kind == "GIF":
            # A frame that uncovers what is behind it needs the one before taken away.
            options |= {"optimize": False, "disposal": 2 if any("transparency" in f.info for f in frames) else 1}
        elif kind == "WEBP":
            options |= {"quality": 80, "method": 2}
    else:
        options = _still_options(first, kind, data)
    first.save(output, kind, **options)
    return EncodedImage(output.getvalue(), _EXTENSIONS[kind], *first.size, f"image/{kind.lower()}")


def _still_options(picture: Image.Image, kind: str, data: bytes) -> dict[str, object]:
    if kind == "JPEG":
        return {"quality": 85, "optimize": True, "progressive": True}
    if kind == "PNG":
        return {"optimize": picture.width * picture.height <= 1_000_000}
    if kind == "WEBP":
        return {"lossless": True, "quality": 50} if b"VP8L" in data[:4096] else {"quality": 85}
    return {}


def _frames(picture: Image.Image, count: int, durations: list[float]) -> Iterator[Image.Image]:
    """Yield each frame upright, in its final size, in sRGB, with no more than pixels; note how long each is shown."""
    deadline = time.monotonic() + MAX_ANIMATION_SECONDS
    picture.load()
    orientation = _orientation(picture)
    profile = picture.info.get("icc_profile")
    # In an animated PNG the first picture may be there only for programs that know no animations.
    for number in range(1 if count > 1 and picture.info.get("default_image") else 0, count):
        if time.monotonic() > deadline:
            raise ImageRejected(_("The animation takes too long to convert; make it shorter or smaller."), "slow")
        picture.seek(number)
        picture.load()
        durations.append(picture.info.get("duration", 0))
        frame: Image.Image = picture
        if frame.mode.startswith("I"):  # 16 bits of grey; Pillow's own conversion cuts off instead of scaling
            frame = frame.convert("I").point(lambda value: value * (1 / 256)).convert("L")
            frame.info.pop("transparency", None)
        elif "transparency" in frame.info and frame.mode != "P":
            frame = frame.convert("RGBA")
        frame = _to_srgb(_shrunk(frame), profile)
        if orientation in _UPRIGHT:
            frame = frame.transpose(_UPRIGHT[orientation])
        if frame is picture:
            frame = frame.copy()
        # Pillow would write again whatever is left in `info` (comments, XMP, the profile).
        frame.info = {key: frame.info[key] for key in ("transparency",) if key in frame.info and frame.mode == "P"}
        yield frame


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # EXIF that can't be read says nothing
        return 1


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    short, long = sorted(size)
    if long > STRIP_RATIO * short:
        scale = min(1, MAX_STRIP[0] / short, MAX_STRIP[1] / long)
    else:
        scale = min(1, MAX_SIDE / long)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrunk(picture: Image.Image) -> Image.Image:
    size = _fitting(picture.size)
    if size == picture.size:
        return picture
    if picture.mode in {"P", "1"}:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L" if picture.mode == "1" else "RGB")
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert colours to sRGB; greys, and colours whose profile can't be read, are taken to be in it."""
    if profile and picture.mode in {"RGB", "RGBA", "P", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(source).lower():
                if picture.mode == "P":
                    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
                converted = ImageCms.profileToProfile(
                    picture,
                    source,
                    ImageCms.createProfile("sRGB"),
                    renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                    outputMode="RGB" if picture.mode == "CMYK" else picture.mode,
                    flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
                )
                picture = converted or picture
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
            _logger.info("Colour profile left out: %r", error)
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _for_kind(picture: Image.Image, kind: str) -> Image.Image:
    """Bring the picture into a mode that its format holds without loss of transparency."""
    if kind == "GIF":
        return _with_palette(picture)
    if kind == "WEBP":
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if kind == "JPEG" and picture.mode not in {"L", "RGB"}:
        return picture.convert("RGB")
    return picture


def _with_palette(picture: Image.Image) -> Image.Image:
    """At most 256 colours: the same ones when there are no more, otherwise the best of a sample, dithered."""
    if picture.mode in {"P", "L"}:
        return picture
    transparent = picture.has_transparency_data
    colors, rgb = 255 if transparent else 256, picture.convert("RGB")
    if rgb.getcolors(colors):
        result = rgb.quantize(colors, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    else:
        sample = rgb.resize((min(rgb.width, 200), min(rgb.height, 200)), Image.Resampling.NEAREST)
        palette = sample.quantize(colors, Image.Quantize.MEDIANCUT)
        result = rgb.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    if transparent:
        result.paste(255, mask=picture.getchannel("A").point(lambda alpha: 255 if alpha < 128 else 0))
        result.info = {"transparency": 255}
    return result
