"""Draws the card of a post: its title, wrapped as Chinese and as Latin scripts are, the site's title and the date.

The font is Noto Sans SC (fonts/README.md): 7,300 Chinese characters, kana, Latin. What it lacks (Korean, Cyrillic,
rare characters) is looked for in the fonts of the machine. Where a letter is in none of them the card stands without
the post's title, which would be a riddle with holes; signs that no font has, emoji first of all, are left out.
"""

import datetime
import os
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont

DRAWING_VERSION = 1  # goes up when share images look another way
SIZE = (1200, 630)
MARGIN = 90
BAR_WIDTH = 24
TITLE_SIZES = (76, 64, 52)  # the largest that fits into its lines
LINE_HEIGHT = 1.35
TITLE_HEIGHT = 355
SMALL_SIZE = 32
MAX_CHARACTERS = 200

ACCENT = "#1a5fb4"
INK = (28, 33, 39)
QUIET_INK = (89, 98, 109)

FONT = Path(__file__).parent / "fonts" / "noto-sans-sc-700.woff2"
# Names of fonts with many scripts, as Linux, macOS and Windows ship them, and where.
SYSTEM_FONTS = (
    *("notosanscjk-bold.ttc", "notosanscjk-regular.ttc", "notosanscjksc-bold.otf", "sourcehansanssc-bold.otf"),
    *("pingfang.ttc", "hiragino sans gb.ttc", "msyhbd.ttc", "msyh.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("malgunbd.ttf", "applesdgothicneo.ttc", "nanumgothicbold.ttf", "notosans-bold.ttf", "dejavusans-bold.ttf"),
    *("arialbd.ttf", "arial unicode.ttf", "freesansbold.ttf"),
)
FONT_FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"),
    os.path.join(os.environ.get("WINDIR", "C:/Windows"), "Fonts"),
)

_NOWHERE = "\U0010ffff"  # no font has it: what it looks like is what is missing
_NOT_FIRST = set("，。、；：？！）》」』】〉〕’”…—·,.;~:?!)]}%°～")
_NOT_LAST = set("（《「『【〈〔‘“([{$￥¥#")
_one_at_a_time = threading.Lock()


@lru_cache(maxsize=1)
def can_draw() -> bool:
    """Tell whether this machine's FreeType reads our font; one without Brotli doesn't, and then there are no images."""
    try:
        ImageFont.truetype(str(FONT), 16)
    except OSError:
        return False
    return True


def draw(title: str, site_title: str, date: datetime.date | None, accent: str = "") -> bytes:
    """Return the share image as a PNG (0.2 to 0.4 seconds, 30 MB while it lasts; one at a time in a process)."""
    with _one_at_a_time:
        fonts = _Fonts()
        colour = _colour(accent)
        card = Image.new("RGB", SIZE, _mixed(colour, (255, 255, 255), 0.06))
        pen = ImageDraw.Draw(card)
        pen.rectangle((0, 0, BAR_WIDTH, SIZE[1]), fill=colour)
        width = SIZE[0] - BAR_WIDTH - 2 * MARGIN
        left = BAR_WIDTH + MARGIN
        title, site_title = fonts.drawable(_tidy(title)), fonts.drawable(_tidy(site_title))
        size, lines = _fitted(title or site_title, fonts, width)
        top = MARGIN
        for line in lines:
            fonts.write(pen, (left, top), line, size, INK)
            top += round(size * LINE_HEIGHT)
        bottom = SIZE[1] - MARGIN - SMALL_SIZE
        pen.rectangle((left, bottom - 40, left + 72, bottom - 34), fill=colour)
        shown_date = date.isoformat() if date else ""
        room = width - round(fonts.length(shown_date, SMALL_SIZE)) - 40
        fonts.write(pen, (left, bottom), _cut(site_title, fonts, SMALL_SIZE, room), SMALL_SIZE, QUIET_INK)
        right = SIZE[0] - MARGIN - fonts.length(shown_date, SMALL_SIZE)
        fonts.write(pen, (right, bottom), shown_date, SMALL_SIZE, QUIET_INK)
        output = BytesIO()
        card.quantize(64, dither=Image.Dither.NONE).save(output, "PNG", optimize=True)
        return output.getvalue()


def wrap(text: str, width: float, length: "_Length") -> list[str]:
    """Break the text into lines: between Chinese characters, but no line begins with 。 or ends with 《; else at
    spaces; within a word only when it is longer than a line.
    """
    lines, line = [], ""
    for piece in _pieces(text):
        if length((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line.strip():
            lines.append(line.strip())
        line = piece.lstrip()
        while length(line.rstrip()) > width:
            end = _fitting_characters(line, width, length)
            lines.append(line[:end])
            line = line[end:]
    return [*lines, line.strip()] if line.strip() else lines


# -- Lines ---------------------------------------------------------------------------------------------------------


class _Length:
    """How long a text is in pixels, in a size."""

    def __init__(self, fonts: "_Fonts", size: int) -> None:
        self.fonts, self.size = fonts, size

    def __call__(self, text: str) -> float:
        return self.fonts.length(text, self.size)


def _tidy(text: str) -> str:
    return " ".join(text.split())[:MAX_CHARACTERS]


def _is_spoken(character: str) -> bool:
    """Letters, digits and what stands on them; a title can do without other signs."""
    return unicodedata.category(character)[0] in "LMN" and not "\ufe00" <= character <= "\ufe0f"


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _pieces(text: str) -> Iterator[str]:
    """The text in parts that stay together on a line."""
    piece = ""
    for before, character in zip(" " + text, text, strict=False):
        may_break = before == " " or _is_wide(before) or _is_wide(character)
        if piece and may_break and character != " " and character not in _NOT_FIRST and before not in _NOT_LAST:
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def _fitting_characters(text: str, width: float, length: _Length) -> int:
    end = 1
    while end < len(text) and length(text[: end + 1]) <= width:
        end += 1
    return end


def _fitted(text: str, fonts: "_Fonts", width: int) -> tuple[int, list[str]]:
    """The largest size the text fits in, and its lines; cut off when it fits in none."""
    size, lines = TITLE_SIZES[-1], [""]
    for size in TITLE_SIZES:
        most = int(TITLE_HEIGHT / (size * LINE_HEIGHT))
        lines = wrap(text, width, _Length(fonts, size))
        if len(lines) <= most:
            return size, lines
    return size, [*lines[: most - 1], _cut(f"{lines[most - 1]}…", fonts, size, width, at_least_one=True)]


def _cut(text: str, fonts: "_Fonts", size: int, width: int, at_least_one: bool = False) -> str:
    if fonts.length(text, size) <= width:
        return text
    text = text.rstrip("…")
    while text and fonts.length(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


# -- Fonts ---------------------------------------------------------------------------------------------------------


class _Fonts:
    """The faces that one drawing needs, opened when first asked for and gone with it."""

    def __init__(self) -> None:
        self.paths = [str(FONT)]
        self.opened: dict[tuple[str, int], ImageFont.FreeTypeFont] = {}
        self.path_of: dict[str, str | None] = {}

    def drawable(self, text: str) -> str:
        """The text without signs that no font has; empty when a letter or digit is among these."""
        kept = [character for character in text if self._path(character)]
        if any(_is_spoken(character) for character in set(text) - set(kept)):
            return ""
        return " ".join("".join(kept).split())

    def length(self, text: str, size: int) -> float:
        return sum(self._font(path, size).getlength(run) for path, run in self._runs(text))

    def write(
        self, pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: tuple[int, ...]
    ) -> None:
        left, baseline = at[0], at[1] + size
        for path, run in self._runs(text):
            font = self._font(path, size)
            pen.text((left, baseline), run, font=font, fill=colour, anchor="ls")
            left += font.getlength(run)

    def _runs(self, text: str) -> Iterator[tuple[str, str]]:
        """The text in parts of one font each."""
        run, path = "", str(FONT)
        for character in text:
            needed = self._path(character) or path
            if needed != path and run:
                yield path, run
                run = ""
            path, run = needed, run + character
        if run:
            yield path, run

    def _path(self, character: str) -> str | None:
        """The first font that has the character."""
        if character not in self.path_of:
            found = str(FONT) if self._has(str(FONT), character) else None
            if not found and (_is_spoken(character) or unicodedata.category(character)[0] == "P"):  # no emoji
                found = next((path for path in _system_fonts() if self._has(path, character)), None)
            self.path_of[character] = found
        return self.path_of[character]

    def _has(self, path: str, character: str) -> bool:
        if character == " ":
            return True
        try:
            font = self._font(path, 16)
        except OSError:  # not there, or of a kind this FreeType doesn't read
            return False
        drawn = font.getmask(character)
        return bool(drawn.getbbox()) and bytes(drawn) != bytes(font.getmask(_NOWHERE))

    def _font(self, path: str, size: int) -> ImageFont.FreeTypeFont:
        if (path, size) not in self.opened:
            # No shaping by Raqm: whether the machine has it must not change where lines break.
            self.opened[path, size] = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
        return self.opened[path, size]


@lru_cache(maxsize=1)
def _system_fonts() -> list[str]:
    """The fonts of SYSTEM_FONTS that the machine has, in that order (the folders are walked once)."""
    found: dict[str, str] = {}
    for folder in FONT_FOLDERS:
        for place, _folders, names in os.walk(folder):
            found |= {name.lower(): os.path.join(place, name) for name in names}
    return [found[name] for name in SYSTEM_FONTS if name in found]


# -- Colours -------------------------------------------------------------------------------------------------------


def _colour(accent: str) -> tuple[int, ...]:
    try:
        return ImageColor.getrgb(accent or ACCENT)[:3]
    except ValueError:
        return ImageColor.getrgb(ACCENT)[:3]


def _mixed(colour: tuple[int, ...], paper: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(c * share + p * (1 - share)) for c, p in zip(colour, paper, strict=True))
