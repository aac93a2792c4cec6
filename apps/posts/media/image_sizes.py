"""Widths and heights of the pictures kept here, so that a page knows their place before they arrive."""

import re
from typing import IO
from urllib.parse import unquote

from django.conf import settings
from django.core.files.storage import default_storage
from PIL import Image, UnidentifiedImageError

from .images import FORMATS

_IMAGE = re.compile(r'<img(?=[^>]* src="([^"]+)")(?![^>]* width=)([^>]*)>')


def dimensions(file: IO[bytes]) -> tuple[int, int] | None:
    """Return width and height in pixels from the picture's header, None when it is none; the pixels aren't decoded."""
    try:
        file.seek(0)
        with Image.open(file, formats=FORMATS) as picture:
            size = picture.size
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    file.seek(0)
    return size


def with_dimensions(html: str) -> str:
    """Give every picture in sanitized HTML that lies in our storage its width and height (a header read each)."""

    def measure(image: re.Match[str]) -> str:
        source = unquote(image[1])
        if not source.startswith(settings.MEDIA_URL):
            return image[0]
        try:
            with default_storage.open(source.removeprefix(settings.MEDIA_URL)) as file:
                size = dimensions(file)
        except (OSError, ValueError):  # ValueError: a path that leads out of the storage
            size = None
        return f'<img width="{size[0]}" height="{size[1]}"{image[2]}>' if size else image[0]

    return _IMAGE.sub(measure, html)
