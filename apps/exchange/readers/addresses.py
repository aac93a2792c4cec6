"""The paths a post was known by, from its front matter and from its generator's habit."""

import re
import unicodedata
from datetime import datetime
from urllib.parse import unquote, urlsplit

# The generators' defaults; a blog's `_config.yml` may say otherwise.
HEXO = ":year/:month/:day/:title/"
JEKYLL = "/:categories/:year/:month/:day/:title.html"
_JEKYLL_STYLES = {
    "date": JEKYLL,
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title.html",
    "none": "/:categories/:title.html",
}
_PLACEHOLDER = re.compile(r":([a-z_]+)")
MAX_CHARACTERS = 500


def old_path(address: str) -> str:
    """An address as the path of a request: decoded, with a leading slash; empty when there is nothing to record."""
    try:
        path = unquote(urlsplit(address.strip()).path)
    except ValueError:
        return ""
    path = unicodedata.normalize("NFC", re.sub(r"[\x00-\x1f\x7f]|/(?=/)", "", "/" + path))
    return path if path != "/" and len(path) <= MAX_CHARACTERS else ""


def expand(pattern: str, *, day: datetime | None, name: str, title: str, categories: tuple[str, ...]) -> str:
    """Fill a permalink pattern of Hexo or Jekyll; empty when it asks for what isn't known here (`:id`, `:hash`).

    `day` is in the blog's time zone, `name` the file's path without date and suffix.
    """
    pattern = _JEKYLL_STYLES.get(pattern, pattern)
    last = name.rpartition("/")[2]
    values = {"title": name, "name": last, "slug": last, "post_title": title}
    values["category"] = values["categories"] = "/".join(categories)
    if day:
        values |= {
            "year": f"{day:%Y}",
            "month": f"{day:%m}",
            "day": f"{day:%d}",
            "i_month": str(day.month),
            "i_day": str(day.day),
            "hour": f"{day:%H}",
            "minute": f"{day:%M}",
            "second": f"{day:%S}",
            "y_day": f"{day:%j}",
            "short_year": f"{day:%y}",
        }
    if any(word not in values for word in _PLACEHOLDER.findall(pattern)):
        return ""
    return old_path(_PLACEHOLDER.sub(lambda found: values[found[1]].replace("%", "%25"), pattern))
