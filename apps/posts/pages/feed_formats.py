"""RSS 2.0, Atom and JSON Feed as they are written, and HTML made fit to be read far from here."""

import datetime
import json
import re
from html import escape, unescape
from typing import IO, Any
from urllib.parse import urljoin

from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.xmlutils import SimplerXMLGenerator

# Characters that XML 1.0 can't carry, not even escaped (https://www.w3.org/TR/xml/#charsets).
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Sanitized HTML: tags are complete, values stand in double quotes, and neither `"` nor `<` stands in one. Only
# the elements that lead anywhere are looked at: a page of code has hundreds of others.
_TAG = re.compile(r'<(?:a|audio|img|source|video) [^<>"]*(?:"[^"]*"[^<>"]*)*>')
_ADDRESS = re.compile(r'( (?:href|src|poster)=")([^"]*)"')
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
Item = dict[str, Any]  # as SyndicationFeed.add_item() fills it
_BEFORE_ALL = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def with_absolute_links(html: str, base: str) -> str:
    """Return sanitized HTML whose links and pictures are found from anywhere; `base` is the post's own address."""

    def absolute(address: re.Match[str]) -> str:
        value = unescape(address[2])
        if _ABSOLUTE.match(value):
            return address[0]
        try:
            return f'{address[1]}{escape(urljoin(base, value))}"'
        except ValueError:  # no address at all: //[
            return address[0]

    return _TAG.sub(lambda tag: _ADDRESS.sub(absolute, tag[0]), html)


def without_controls(value: Any) -> Any:
    """Return the text, or the texts of a list, without the characters that XML has no place for."""
    if isinstance(value, str):
        return _NO_XML.sub("", value)
    return [without_controls(part) for part in value] if isinstance(value, list) else value


class _Format(SyndicationFeed):
    """Items bring besides Django's own keys: content_html (None: not to be shown here), language."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{name: without_controls(value) for name, value in kwargs.items()})

    def add_item(self, *args: Any, **kwargs: Any) -> None:
        super().add_item(*args, **{name: without_controls(value) for name, value in kwargs.items()})

    def latest_post_date(self) -> datetime.datetime:
        """When the newest change came; an empty feed was never changed, so that it stays the same from hour to hour."""
        return super().latest_post_date() if self.items else _BEFORE_ALL


class RssFormat(_Format, Rss201rev2Feed):
    def rss_attributes(self) -> dict[str, str]:
        return {
            **super().rss_attributes(),
            "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
            "xmlns:dc": "http://purl.org/dc/elements/1.1/",
        }

    def add_item_elements(self, handler: SimplerXMLGenerator, item: Item) -> None:
        # The parent would name dc's namespace at each item. A description is HTML in RSS, and an excerpt is not.
        super().add_item_elements(handler, {**item, "author_name": None, "description": escape(item["description"])})
        handler.addQuickElement("dc:creator", item["author_name"])
        if item["content_html"] is not None:
            handler.addQuickElement("content:encoded", item["content_html"])


class AtomFormat(_Format, Atom1Feed):
    def item_attributes(self, item: Item) -> dict[str, str]:
        return {"xml:lang": item["language"]} if item["language"] else {}

    def add_item_elements(self, handler: SimplerXMLGenerator, item: Item) -> None:
        super().add_item_elements(handler, {**item, "description": None})
        if item["description"]:
            handler.addQuickElement("summary", item["description"], {"type": "text"})
        if item["content_html"] is not None:
            handler.addQuickElement("content", item["content_html"], {"type": "html"})


class JsonFormat(_Format):
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

    content_type = "application/feed+json; charset=utf-8"

    def write(self, outfile: IO[bytes], encoding: str) -> None:
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.feed["title"],
            "home_page_url": self.feed["link"],
            "feed_url": self.feed["feed_url"],
            "description": self.feed["description"],
            "language": self.feed["language"],
            "items": [_json_item(item) for item in self.items],
        }
        outfile.write(json.dumps(_told(feed), ensure_ascii=False).encode(encoding))


def _json_item(item: Item) -> dict[str, object]:
    content = item["content_html"]
    return _told(
        {
            "id": item["unique_id"],
            "url": item["link"],
            "title": item["title"],
            # One of them has to be there, and may be empty.
            **({"content_text": ""} if content is None else {"content_html": content}),
            "summary": item["description"],
            "image": item["enclosures"][0].url if item["enclosures"] else "",
            "date_published": item["pubdate"].isoformat(),
            "date_modified": item["updateddate"].isoformat(),
            "authors": [{"name": item["author_name"]}],
            "tags": item["categories"],
            "language": item["language"],
            "attachments": [
                {"url": picture.url, "mime_type": picture.mime_type, "size_in_bytes": int(picture.length)}
                for picture in item["enclosures"]
            ],
        }
    )


def _told(data: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in data.items() if value or name in {"items", "content_text", "content_html"}}
