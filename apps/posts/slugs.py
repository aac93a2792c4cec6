"""Slugs that keep Chinese readable: 数据库 stays 数据库, C++ and C# stay apart."""

import re
import unicodedata

SLUG_MAX_LENGTH = 100

_SIGNS = str.maketrans({"+": " plus ", "#": " sharp ", "&": " and ", "@": " at "})
_NOT_WORD = re.compile(r"[^\w]+")


def slugify(text: str) -> str:
    """Return `text` as a lower-case slug of letters, digits and hyphens in any script, at most 100 characters.

    NFKC folds full-width forms. Empty when the text has no letter or digit (an emoji, a lone dot): the caller chooses
    what stands in its place.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_SIGNS).replace("_", " ")
    return _NOT_WORD.sub("-", folded).strip("-")[:SLUG_MAX_LENGTH].strip("-")
