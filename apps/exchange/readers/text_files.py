"""Bytes to text, as people's files really are: UTF-8 as a rule, GB18030 from older Chinese Windows."""

import re
from typing import NamedTuple

from ..items import Unreadable

MAX_FILE_BYTES = 8 * 1024 * 1024

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")
# GB 2312: signs and full-width forms, then the 3,755 common characters. Other bytes rarely decode to these.
_COMMON_LEAD_BYTES = {*range(0xA1, 0xA4), *range(0xB0, 0xD8)}
_COMMON_SHARE = 0.8


class Text(NamedTuple):
    text: str
    warnings: tuple[str, ...] = ()


def _is_common(character: str) -> bool:
    try:
        encoded = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return encoded[0] in _COMMON_LEAD_BYTES


def _from_gb18030(data: bytes) -> str | None:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = [character for character in text if ord(character) > 127]
    if not foreign or sum(map(_is_common, foreign)) < _COMMON_SHARE * len(foreign):
        return None
    return text


def decode(data: bytes) -> Text:
    """The text of a file, its line ends as `\\n`, without byte order mark.

    Raises Unreadable, naming the line, for what is no text or in an encoding that can't be told for sure.
    """
    if len(data) > MAX_FILE_BYTES:
        raise Unreadable(f"the file is larger than {MAX_FILE_BYTES // 1024 // 1024} MB")
    if data.startswith(_UTF16):
        raise Unreadable("the file is UTF-16; save it as UTF-8", 1)
    if (nul := data.find(b"\0")) >= 0:
        raise Unreadable("a NUL byte: this is no text file", data[:nul].count(b"\n") + 1)
    warnings: tuple[str, ...] = ()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        chinese = _from_gb18030(data)
        if chinese is None:
            raise Unreadable("not UTF-8; save it as UTF-8", data[: error.start].count(b"\n") + 1) from None
        text = chinese
        warnings = ("not UTF-8, read as GB18030",)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Text(_NONCHARACTERS.sub("", text), warnings)


def readable(name: str) -> str:
    """A file's name for people: bytes that are no UTF-8 (zip files from Windows) are tried as GB18030."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        data = name.encode("utf-8", "surrogateescape")
        return _from_gb18030(data) or data.decode("utf-8", "replace")
    return name
